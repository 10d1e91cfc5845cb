"""Resources of the default fleet besides droplets, and their relations."""

from collections.abc import Iterator

import pytest

from simulator.server import serve
from simulator.simulation import Simulation
from tests.simulator.api import Api, Json

LISTS = {
    "/v2/volumes": "volumes",
    "/v2/snapshots": "snapshots",
    "/v2/domains": "domains",
    "/v2/reserved_ips": "reserved_ips",
    "/v2/load_balancers": "load_balancers",
    "/v2/kubernetes/clusters": "kubernetes_clusters",
    "/v2/firewalls": "firewalls",
    "/v2/vpcs": "vpcs",
    "/v2/certificates": "certificates",
    "/v2/cdn/endpoints": "endpoints",
    "/v2/apps": "apps",
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(Simulation()) as url:
        yield url


@pytest.fixture
def api(url: str) -> Iterator[Api]:
    with Api(url) as api:
        api.post("/_control/reset", {"fleet": "default"}, status=200)
        yield api


def named(api: Api, path: str, key: str, name: str) -> Json:
    found: Json = next(each for each in api.get(f"{path}?per_page=200")[key] if each["name"] == name)
    return found


def test_the_default_fleet_has_some_sixty_resources(api: Api) -> None:
    totals = {path: api.get(path)["meta"]["total"] for path in LISTS}
    assert list(totals.values()) == [5, 5, 4, 3, 2, 1, 3, 9, 2, 1, 2]
    private = api.get("/v2/images?private=true")["images"]
    assert sorted(image["type"] for image in private) == ["backup"] * 4 + ["custom"] * 2 + ["snapshot"] * 3
    assert len(api.get("/v2/databases")["databases"]) == 2
    assert len(api.get("/v2/registries")["registries"]) == 1
    assert api.get("/v2/droplets")["meta"]["total"] == 14


@pytest.mark.parametrize("fleet", ["reference", "empty", "droplets"])
def test_the_other_fleets_have_droplets_alone(api: Api, fleet: str) -> None:
    api.post("/_control/reset", {"fleet": fleet}, status=200)
    assert {api.get(path)["meta"]["total"] for path in LISTS} == {0}
    assert api.get("/v2/databases") == {"databases": []}
    assert api.get("/v2/images?private=true")["images"] == []
    assert api.refusal("GET", "/v2/registry")[0] == api.refusal("GET", "/v2/registries")[0] == 404


def test_a_registry_alone_comes_without_the_accounts_subscription(api: Api) -> None:
    (listed,) = api.get("/v2/registries")["registries"]
    assert listed.pop("subscription")["tier"]["slug"] == "basic"
    assert api.get("/v2/registries/arcadia") == {"registry": listed}
    api.delete("/v2/registries/arcadia")
    assert api.refusal("GET", "/v2/registries/arcadia")[0] == api.refusal("GET", "/v2/registries")[0] == 404


def test_ids_are_the_same_in_every_simulation(api: Api) -> None:
    before = {path: api.get(path)[key] for path, key in LISTS.items() if key in {"volumes", "vpcs"}}
    api.post("/_control/reset", {"seed": 7}, status=200)
    assert {path: [each["id"] for each in api.get(path)[LISTS[path]]] for path in before} == {
        path: [each["id"] for each in found] for path, found in before.items()
    }


def test_databases_have_no_pages(api: Api) -> None:
    assert set(api.get("/v2/databases?page=2&per_page=1")) == {"databases"}
    assert len(api.get("/v2/databases?page=2&per_page=1")["databases"]) == 2


def test_a_droplet_that_goes_sets_free_what_it_had(api: Api) -> None:
    droplet = named(api, "/v2/droplets", "droplets", "shop-web-01")
    volume = named(api, "/v2/volumes", "volumes", "shop-media")
    assert (volume["droplet_ids"], droplet["volume_ids"]) == ([droplet["id"]], [volume["id"]])
    assert api.get("/v2/reserved_ips/203.0.113.7")["reserved_ip"]["droplet"]["id"] == droplet["id"]
    assert droplet["id"] in named(api, "/v2/load_balancers", "load_balancers", "shop-lb")["droplet_ids"]
    api.delete(f"/v2/droplets/{droplet['id']}")
    assert api.get(f"/v2/volumes/{volume['id']}")["volume"]["droplet_ids"] == []
    assert api.get("/v2/reserved_ips/203.0.113.7")["reserved_ip"]["droplet"] is None
    assert droplet["id"] not in named(api, "/v2/load_balancers", "load_balancers", "shop-lb")["droplet_ids"]


def test_a_clusters_workers_are_droplets(api: Api) -> None:
    (cluster,) = api.get("/v2/kubernetes/clusters")["kubernetes_clusters"]
    (pool,) = api.get(f"/v2/kubernetes/clusters/{cluster['id']}/node_pools")["node_pools"]
    workers = api.get(f"/v2/droplets?tag_name=k8s:{cluster['id']}")["droplets"]
    assert [node["droplet_id"] for node in pool["nodes"]] == [str(worker["id"]) for worker in workers]
    assert pool["count"] == 2


def test_snapshots_of_droplets_are_images_too(api: Api) -> None:
    snapshot = named(api, "/v2/snapshots", "snapshots", "shop-db-before-upgrade")
    droplet = named(api, "/v2/droplets", "droplets", "shop-db-01")
    assert snapshot["resource_id"] == str(droplet["id"])
    assert droplet["snapshot_ids"] == [int(snapshot["id"])]
    assert api.get("/v2/snapshots?resource_type=volume")["meta"]["total"] == 2
    api.delete(f"/v2/snapshots/{snapshot['id']}")
    assert api.refusal("GET", f"/v2/images/{snapshot['id']}")[0] == 404
    assert named(api, "/v2/droplets", "droplets", "shop-db-01")["snapshot_ids"] == []


def test_records_are_found_by_type_and_by_whole_name(api: Api) -> None:
    path = "/v2/domains/acme-shop.example/records"
    assert api.get(f"{path}?type=NS")["meta"]["total"] == 3
    assert [each["type"] for each in api.get(f"{path}?name=www.acme-shop.example")["domain_records"]] == [
        "A",
        "AAAA",
    ]
    assert api.get(f"{path}?name=www")["meta"]["total"] == 0


def test_a_record_is_written_changed_and_deleted(api: Api) -> None:
    path = "/v2/domains/acme-wiki.example/records"
    before = api.get(path)["domain_records"]
    made = api.post(path, {"type": "A", "name": "new", "data": "203.0.113.4"})["domain_record"]
    assert (made["name"], made["data"], made["ttl"], made["priority"]) == ("new", "203.0.113.4", 1800, None)
    changed = api.put(f"{path}/{made['id']}", {"type": "A", "name": "new", "data": "203.0.113.5", "ttl": 60})
    assert changed["domain_record"] == {**made, "data": "203.0.113.5", "ttl": 60}
    assert api.patch(f"{path}/{made['id']}", {"type": "A", "ttl": 90})["domain_record"]["ttl"] == 90
    api.delete(f"{path}/{made['id']}")
    assert api.refusal("DELETE", f"{path}/{made['id']}")[0] == 404
    assert api.get(path)["domain_records"] == before
    again = api.post(path, {"type": "A", "name": "new", "data": "203.0.113.4"})["domain_record"]
    assert again["id"] > made["id"]


@pytest.mark.parametrize("kind", ["CNAME", "MX", "NS", "SRV"])
def test_a_host_needs_a_dot_at_its_end_and_comes_back_without(api: Api, kind: str) -> None:
    path, record = "/v2/domains/acme-wiki.example/records", {"type": kind, "name": "new", "priority": 1}
    refusal = api.refusal("POST", path, {**record, "data": "mail.example"})
    assert refusal == (422, "unprocessable_entity", "Data needs to end with a dot (.)")
    made = api.post(path, {**record, "data": "mail.example."})["domain_record"]
    assert made["data"] == "mail.example"


def test_a_deleted_tag_leaves_every_kind(api: Api) -> None:
    counts = api.get("/v2/tags/tenant:globex")["tag"]["resources"]
    assert (counts["volumes"]["count"], counts["databases"]["count"]) == (1, 1)
    assert counts["volume_snapshots"]["count"] == 1
    api.delete("/v2/tags/tenant:globex")
    assert all("tenant:globex" not in each["tags"] for each in api.get("/v2/volumes")["volumes"])
    assert all("tenant:globex" not in each["tags"] for each in api.get("/v2/databases")["databases"])


def test_resources_move_between_projects_and_leave_them_when_deleted(api: Api) -> None:
    volume = f"do:volume:{named(api, '/v2/volumes', 'volumes', 'old-files')['id']}"
    urns = [volume, "do:floatingip:203.0.113.12", "do:domain:acme-wiki.example", "do:vpc:1"]
    answer = api.post("/v2/projects/default/resources", {"resources": urns}, status=200)["resources"]
    assert [item["status"] for item in answer] == ["assigned", "assigned", "assigned", "not_found"]
    api.delete(f"/v2/volumes/{volume.removeprefix('do:volume:')}")
    listed = api.get("/v2/projects/default/resources?per_page=200")["resources"]
    assert volume not in {item["urn"] for item in listed}
    assert "do:domain:acme-wiki.example" in {item["urn"] for item in listed}
