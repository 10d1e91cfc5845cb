"""Synthetic resources of each kind, by the command's options or in a reset."""

from collections.abc import Iterator

import pytest

from simulator.server import serve
from simulator.simulation import Simulation
from simulator.synthetic_resources import LOADS
from tests.simulator.api import Api
from tests.simulator.test_process import started

COUNT = 230  # more than a page
LISTS = {
    "volumes": ("/v2/volumes", "volumes"),
    "snapshots": ("/v2/snapshots", "snapshots"),
    "domains": ("/v2/domains", "domains"),
    "reserved_ips": ("/v2/reserved_ips", "reserved_ips"),
    "load_balancers": ("/v2/load_balancers", "load_balancers"),
    "clusters": ("/v2/kubernetes/clusters", "kubernetes_clusters"),
    "firewalls": ("/v2/firewalls", "firewalls"),
    "vpcs": ("/v2/vpcs", "vpcs"),
    "certificates": ("/v2/certificates", "certificates"),
    "cdn_endpoints": ("/v2/cdn/endpoints", "endpoints"),
    "apps": ("/v2/apps", "apps"),
}


@pytest.fixture(scope="module")
def loaded() -> Iterator[Api]:
    simulation = Simulation(fleet="reference", load=dict.fromkeys(LOADS, COUNT))
    with serve(simulation) as url, Api(url) as api:
        yield api


@pytest.mark.parametrize("kind", LISTS)
def test_so_many_of_a_kind_are_listed_each_once(loaded: Api, kind: str) -> None:
    path, key = LISTS[kind]
    first, second = (loaded.get(f"{path}?per_page=200&page={page}") for page in (1, 2))
    assert first["meta"]["total"] == COUNT
    listed = [*first[key], *second[key]]
    identity = next(name for name in ("id", "ip", "name") if name in listed[0])
    assert len({each[identity] for each in listed}) == COUNT


def test_databases_come_all_at_once(loaded: Api) -> None:
    assert len({each["id"] for each in loaded.get("/v2/databases")["databases"]}) == COUNT


def test_images_and_backups_are_private_images(loaded: Api) -> None:
    pages = [loaded.get(f"/v2/images?private=true&per_page=200&page={page}") for page in (1, 2, 3)]
    types = [image["type"] for page in pages for image in page["images"]]
    assert (types.count("custom"), types.count("backup")) == (COUNT, COUNT)
    backups = [each for droplet in loaded.get("/v2/droplets")["droplets"] for each in droplet["backup_ids"]]
    assert len(set(backups)) == COUNT


def test_whatever_a_project_takes_is_in_the_default_one(loaded: Api) -> None:
    urns = [
        member["urn"]
        for page in range(1, 12)
        for member in loaded.get(f"/v2/projects/default/resources?per_page=200&page={page}")["resources"]
    ]
    kinds = {urn.split(":")[1] for urn in urns}
    assert kinds == {
        "volume", "domain", "reservedip", "loadbalancer", "dbaas", "kubernetes", "app", "space", "droplet",
    }  # fmt: skip
    assert urns.count("do:space:load-000007") == 1


def test_the_command_takes_the_options_and_counts_what_there_is() -> None:
    with started("--fleet", "empty", "--volumes", "7", "--reserved-ips", "3", "--buckets", "2") as process:
        try:
            assert process.stdout is not None
            with Api(process.stdout.readline().split()[-1]) as api:
                assert api.get("/v2/volumes")["meta"]["total"] == 7
                assert api.get("/v2/reserved_ips")["meta"]["total"] == 3
                assert api.get("/v2/projects/default/resources")["meta"]["total"] == 12
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("load", "words"),
    [
        ({"volumes": 100_001}, "between 0 and 100000 volumes, not 100001"),
        ({"reserved_ips": -1}, "between 0 and 100000 reserved ips, not -1"),
        ({"toasters": 1}, "a load is of volumes, snapshots, "),
        ({"backups": 1}, "backups need droplets to be taken of"),
    ],
)
def test_a_load_that_cannot_be_is_refused_in_words(load: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Simulation(fleet="empty", load=load)


def test_a_reset_takes_a_load_and_keeps_or_drops_it(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "empty", "load": {"volumes": 3}}, status=200)
    assert api.get("/v2/volumes")["meta"]["total"] == 3
    api.post("/_control/reset", {"load": {}}, status=200)
    assert api.get("/v2/volumes")["meta"]["total"] == 0
    assert api.refusal("POST", "/_control/reset", {"load": {"toasters": 1}})[0] == 400
