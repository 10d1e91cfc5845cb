"""A sync of every kind against the simulator's default fleet."""

from collections import Counter

import pytest
from django.db import connection

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.kernel.database import DatabaseClock
from inventory.kinds import registry
from inventory.kinds.spec import KindSpec
from inventory.models import Project, Resource, ResourceEvent, ResourceSpan, SyncRun
from inventory.observation.observe import Origin
from inventory.sync.tombstones import tombstone_confirmed
from inventory.values import RunMode
from simulator.default_fleet.platforms import SECRET
from simulator.spaces import fill_fleet
from simulator.synthetic_resources import LOADS
from tests.inventory.conftest import SyncNow
from tests.inventory.fleet import event_counts
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)
FLEET = {
    "kubernetes_cluster": 1,
    "droplet": 15,
    "database": 2,
    "volume": 5,
    "snapshot": 5,
    "image": 2,
    "droplet_backup": 4,
    "dns_zone": 4,
    "reserved_ip": 3,
    "load_balancer": 2,
    "firewall": 3,
    "vpc": 9,
    "certificate": 2,
    "cdn_endpoint": 1,
    "app": 2,
    "registry": 1,
}
SLOW = {"image", "droplet_backup"}
MEMBERS = {"droplet", "database", "volume", "dns_zone", "reserved_ip", "load_balancer", "app",
           "kubernetes_cluster"}  # fmt: skip


@pytest.fixture(autouse=True)
def _whole_fleet(simulator: Simulated, sync: SyncNow) -> None:
    simulator.reset(fleet="default")


def everything(sync: SyncNow) -> dict[str, SyncRun]:
    """A full run, then the slow kinds of which the simulator has some."""
    return {**sync(kinds=()), **sync(RunMode.SLOW, kinds=sorted(SLOW))}


def counted() -> dict[str, int]:
    return dict(Counter(Resource.objects.live().values_list("kind", flat=True)))


def the(kind: str, name: str) -> Resource:
    return Resource.objects.get(kind=kind, name=name)


def test_every_kind_of_the_fleet_has_its_rows(sync: SyncNow) -> None:
    runs = everything(sync)
    assert {kind: run.outcome for kind, run in runs.items()} == dict.fromkeys(["project", *FLEET], "complete")
    assert {kind: run.seen for kind, run in runs.items() if kind != "project"} == FLEET
    assert counted() == FLEET
    assert event_counts() == {"discovered": sum(FLEET.values())}


def test_a_second_run_of_every_kind_tells_nothing_new(sync: SyncNow) -> None:
    everything(sync)
    spans = ResourceSpan.objects.count()
    everything(sync)
    assert event_counts() == {"discovered": sum(FLEET.values())}
    assert ResourceSpan.objects.count() == spans == sum(FLEET.values())


def test_a_fleet_of_droplets_alone_has_no_other_kind(simulator: Simulated, sync: SyncNow) -> None:
    simulator.reset(fleet="reference")
    runs = everything(sync)
    assert {run.outcome for run in runs.values()} == {"complete"}
    assert counted() == {"droplet": 5}


def test_many_of_each_kind_are_read_over_all_their_pages(
    simulator: Simulated, sync: SyncNow, spaces: None
) -> None:
    """More than a page of each; of zones fewer, since each is a call."""
    load = {**dict.fromkeys(LOADS, 210), "domains": 20, "buckets": 20}
    simulator.reset(fleet="reference", load=load)
    fill_fleet(fleet="reference", more=20)
    runs = {**sync(kinds=()), **sync(RunMode.SLOW, kinds=())}
    assert {run.outcome for run in runs.values()} == {"complete"}
    kinds = {kind: 210 for kind in FLEET if kind not in {"droplet", "registry"}}
    assert counted() == {**kinds, "droplet": 5, "dns_zone": 20, "spaces_bucket": 20}
    assert not Resource.objects.filter(kind__in=[*MEMBERS, "spaces_bucket"], project=None).exists()
    parents = Resource.objects.filter(kind="snapshot").values_list("parent_id", flat=True)
    volumes = Resource.objects.filter(kind="volume").values_list("provider_id", flat=True)
    assert set(parents) == set(volumes)


def whatever_a_project_can_have_is_in_one() -> None:
    in_none = Resource.objects.filter(project=None)
    assert set(in_none.values_list("kind", flat=True)) == set(FLEET) - MEMBERS
    homes = {
        ("volume", "shop-media"): "acme",
        ("reserved_ip", "203.0.113.12"): "globex",
        ("dns_zone", "initech-reports.example"): "initech",
        ("database", "crm-pg"): "globex",
        ("kubernetes_cluster", "reports"): "initech",
        ("load_balancer", "shop-lb"): "acme",
        ("app", "initech-forms"): "initech",
    }
    for (kind, name), project in homes.items():
        home = the(kind, name).project
        assert home is not None
        assert home.name == project


def an_address_that_its_project_knows_by_the_old_name_is_found_in_it() -> None:
    globex = Project.objects.get(name="globex")
    with DigitalOcean() as cloud:
        urns = {each.urn for each in cloud.project_resources(globex.provider_id)}
    assert "do:floatingip:203.0.113.12" in urns
    assert globex.resources.get(kind="reserved_ip").urn == "do:reservedip:203.0.113.12"


def what_hangs_on_another_tells_on_which() -> None:
    database, cluster = the("droplet", "shop-db-01"), the("kubernetes_cluster", "reports")
    volume, worker = the("volume", "shop-data"), the("droplet", "reports-pool-x4k2a")
    assert volume.attrs["droplet_ids"] == [database.provider_id]
    assert the("snapshot", "shop-db-before-upgrade").attrs["droplet_id"] == database.provider_id
    assert the("snapshot", "crm-data-weekly").attrs["volume_id"] == the("volume", "crm-data").provider_id
    backups = Resource.objects.filter(kind="droplet_backup", name__startswith="shop-db-01")
    assert {int(each.provider_id) for each in backups} == set(database.attrs["backup_ids"])
    assert worker.provider_id in cluster.attrs["droplet_ids"]
    assert worker.attrs["cluster_id"] == cluster.provider_id
    assert the("reserved_ip", "203.0.113.7").attrs["droplet_id"] == the("droplet", "shop-web-01").provider_id


def sizes_are_metered_as_they_are_billed() -> None:
    spans = ResourceSpan.objects.exclude(size_gb=None).select_related("resource")
    sizes = {(span.resource.kind, span.resource.name): str(span.size_gb) for span in spans}
    assert sizes["volume", "shop-media"] == "250.000000"
    assert sizes["snapshot", "crm-data-weekly"] == "31.500000"
    assert sizes["snapshot", "shop-db-before-upgrade"] == "5.500000"
    assert {kind for kind, _ in sizes} == {"volume", "snapshot", "image", "droplet_backup"}


def only_prices_that_the_provider_tells_are_kept() -> None:
    priced = Resource.objects.exclude(monthly_price_cents=None)
    assert set(priced.values_list("kind", flat=True)) == {"droplet", "registry"}
    assert the("registry", "arcadia").monthly_price_cents == 500


def no_secret_of_the_fleet_is_kept() -> None:
    with DigitalOcean() as cloud:
        raw = str(cloud.get("/v2/databases", dict)) + str(cloud.get("/v2/apps", dict))
    assert raw.count(SECRET) > 5
    with connection.cursor() as cursor:
        for table in ("cloud_resources", "cloud_resource_events", "sync_runs", "cloud_projects", "alerts"):
            cursor.execute(f"SELECT count(*) FROM {table} AS kept WHERE kept::text LIKE %s", [f"%{SECRET}%"])  # noqa: S608
            assert cursor.fetchone() == (0,)


def test_one_reading_of_the_fleet(sync: SyncNow, subtests: pytest.Subtests) -> None:
    everything(sync)
    for claim in (
        whatever_a_project_can_have_is_in_one,
        an_address_that_its_project_knows_by_the_old_name_is_found_in_it,
        what_hangs_on_another_tells_on_which,
        sizes_are_metered_as_they_are_billed,
        only_prices_that_the_provider_tells_are_kept,
        no_secret_of_the_fleet_is_kept,
    ):
        # They look alone: one reading does for all.
        with subtests.test(claim.__name__):
            claim()


FAULTS: tuple[tuple[dict[str, object], str], ...] = (
    ({"kind": "forbidden"}, "403 forbidden"),
    ({"kind": "server_error", "status": 502, "html": True}, "502"),
    ({"kind": "truncated"}, "not JSON"),
    ({"kind": "wrong_total", "by": 1}, "distinct items, but counts"),
)


def test_a_kind_that_fails_does_not_stop_the_others(
    simulator: Simulated, sync: SyncNow, subtests: pytest.Subtests
) -> None:
    everything(sync)
    for fault, words in FAULTS:
        with subtests.test(words):
            simulator.fault(**fault, path="^/v2/volumes", count=0)
            runs = sync(kinds=())
            assert {kind for kind, run in runs.items() if run.outcome != "complete"} == {"volume"}
            assert words in runs["volume"].error
            assert not Resource.objects.filter(stale_strike_count__gt=0).exists()
            simulator.control("DELETE", "faults")
            assert {run.outcome for run in sync(kinds=()).values()} == {"complete"}
            assert event_counts() == {"discovered": sum(FLEET.values())}


@pytest.mark.parametrize(
    ("kind", "name", "path"),
    [
        ("volume", "old-files", "/v2/volumes/{}"),
        ("dns_zone", "acme-wiki.example", "/v2/domains/{}"),
        ("reserved_ip", "203.0.113.99", "/v2/reserved_ips/{}"),
        ("snapshot", "old-files-2024", "/v2/snapshots/{}"),
        ("image", "shop-base", "/v2/images/{}"),
        ("cdn_endpoint", "acme-shop-media.nyc3.cdn.digitaloceanspaces.com", "/v2/cdn/endpoints/{}"),
        ("registry", "arcadia", "/v2/registries/{}"),
    ],
)
def test_what_vanishes_is_tombstoned_at_its_third_absence(
    sync: SyncNow, kind: str, name: str, path: str
) -> None:
    mode = RunMode.SLOW if kind in SLOW else RunMode.FULL
    sync(mode, kinds=[kind])
    key = the(kind, name).provider_id
    with DigitalOcean() as cloud:
        cloud.delete(path.format(key))
    for strikes in (1, 2):
        sync(mode, kinds=[kind])
        assert the(kind, name).stale_strike_count == strikes
    assert sync(mode, kinds=[kind])[kind].deleted == 1
    assert the(kind, name).deleted_at is not None
    assert ResourceEvent.objects.filter(event_type="deleted").get().resource.name == name


def looked(row: Resource) -> dict[str, object]:
    """Return the row's fields, but for when and by which observation it was seen."""
    passing = {"last_seen_at", "stale_strike_count", "observed_digest"}
    return {name: value for name, value in vars(row).items() if name not in passing and name[0] != "_"}


def test_one_that_only_its_own_address_shows_stays_what_it_was(
    sync: SyncNow, spaces: None, subtests: pytest.Subtests
) -> None:
    fill_fleet()
    sync(kinds=())
    sync(RunMode.SLOW, kinds=())
    for entry in registry.SPECS:
        with subtests.test(str(entry.kind)):
            stays_what_it_was(entry)


def stays_what_it_was(entry: KindSpec) -> None:
    """Its list lacks it, a third time: what the list alone has of it is kept all the same."""
    kind = str(entry.kind)
    before = {row.pk: looked(row) for row in Resource.objects.filter(kind=kind)}
    events = ResourceEvent.objects.count()
    assert before
    struck = Resource.objects.filter(kind=kind)
    struck.update(stale_strike_count=3)
    with DigitalOcean() as cloud:
        run = SyncRun.objects.filter(kind=kind).latest("pk")
        assert tombstone_confirmed(entry, run, cloud, DatabaseClock().now, Origin(actor="a test")) == 0
    assert {row.pk: looked(row) for row in struck.all()} == before
    assert not struck.filter(stale_strike_count__gt=0).exists()
    assert ResourceEvent.objects.count() == events


def test_a_volume_set_free_is_told_and_keeps_its_row(simulator: Simulated, sync: SyncNow) -> None:
    everything(sync)
    simulator.control("DELETE", f"droplets/{the('droplet', 'crm-db-01').provider_id}")
    sync(kinds=())
    event = ResourceEvent.objects.filter(resource__name="crm-data", event_type="updated").get()
    assert event.changes["status"] == ["attached", "unattached"]
    assert the("volume", "crm-data").deleted_at is None


def test_the_calls_of_a_run_grow_with_zones_and_projects_alone(simulator: Simulated, sync: SyncNow) -> None:
    everything(sync)
    simulator.control("DELETE", "requests")
    runs = everything(sync)
    per_kind = {kind: run.api_calls for kind, run in runs.items() if kind not in {"project", "dns_zone"}}
    assert per_kind == {kind: 2 if kind == "droplet" else 1 for kind in per_kind}
    assert runs["dns_zone"].api_calls == 1 + FLEET["dns_zone"]
