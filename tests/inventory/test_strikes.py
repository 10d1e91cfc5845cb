"""Three strikes: what it takes for a resource to be called gone, and what it must not take."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import F

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.kernel.database import DatabaseClock
from arcadia_cloud.kernel.leases import LeaseLost, lease
from arcadia_cloud.kernel.models import Alert, Lease
from inventory.kinds.droplet import DROPLET
from inventory.models import Resource, ResourceEvent, ResourceSpan, SyncRun
from inventory.observation.observe import Origin
from inventory.services import sync_inventory
from inventory.sync import tombstones
from inventory.values import Kind, RunMode
from tests.inventory.conftest import SyncNow
from tests.inventory.fleet import assert_nothing_lost_or_doubled, event_counts, made
from tests.inventory.observations import minute, observed, seen
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)


def provider_id(name: str) -> str:
    return Resource.objects.get(name=name).provider_id


def strikes_of(name: str) -> int:
    return Resource.objects.get(name=name).stale_strike_count


def gone_at_the_provider(simulator: Simulated, *names: str) -> None:
    for name in names:
        simulator.control("DELETE", f"droplets/{provider_id(name)}")


def test_the_third_absence_tombstones_what_its_own_address_denies(
    simulator: Simulated, sync: SyncNow
) -> None:
    sync()
    gone_at_the_provider(simulator, "wiki-01")
    last_seen_at = Resource.objects.get(name="wiki-01").last_seen_at
    for strike in (1, 2):
        run = sync()["droplet"]
        assert (run.outcome, run.struck, run.deleted, strikes_of("wiki-01")) == ("complete", 1, 0, strike)
        assert "deleted" not in event_counts()
    run = sync()["droplet"]
    assert (run.outcome, run.struck, run.deleted) == ("complete", 1, 1)
    row = Resource.objects.get(name="wiki-01")
    assert row.deleted_at is not None
    assert row.last_seen_at == last_seen_at
    event = ResourceEvent.objects.get(event_type="deleted")
    assert (event.resource_id, event.source, event.at) == (row.pk, f"run:{run.pk}", row.deleted_at)
    assert ResourceSpan.objects.get(resource=row).during.upper == last_seen_at
    again = sync()["droplet"]
    assert (again.struck, again.deleted) == (0, 0)
    assert event_counts() == {"discovered": 13, "deleted": 1}


def test_what_answers_by_its_own_address_loses_its_strikes(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    simulator.control("DELETE", "requests")
    Resource.objects.filter(name="wiki-01").update(
        stale_strike_count=2, last_seen_at=F("last_seen_at") - timedelta(hours=1)
    )
    droplet = provider_id("wiki-01")
    simulator.control("DELETE", f"droplets/{droplet}")
    simulator.fault(kind="deleted_linger", path=f"/{droplet}$", detail=True, seconds=3600, count=0)
    run = sync()["droplet"]
    assert (run.outcome, run.struck, run.deleted) == ("complete", 1, 0)
    assert len(simulator.requests(path=f"/v2/droplets/{droplet}")) == 1
    assert strikes_of("wiki-01") == 0
    assert event_counts() == {"discovered": 13}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "server_error", "status": 503}, "503"),
        ({"kind": "forbidden"}, "403 forbidden"),
        ({"kind": "drop_before"}, "the connection failed"),
    ],
)
def test_one_that_cannot_be_asked_for_stays_and_the_others_go(
    simulator: Simulated, sync: SyncNow, fault: dict[str, object], words: str
) -> None:
    sync()
    gone_at_the_provider(simulator, "shop-web-01", "wiki-01")
    Resource.objects.filter(name__in=["shop-web-01", "wiki-01"]).update(stale_strike_count=2)
    simulator.fault(path=f"/{provider_id('wiki-01')}$", count=0, **fault)
    run = sync()["droplet"]
    assert run.outcome == "failed"
    assert words in run.error
    assert run.deleted == 1
    assert Resource.objects.get(name="shop-web-01").deleted_at is not None
    assert Resource.objects.get(name="wiki-01").deleted_at is None
    assert strikes_of("wiki-01") == 3
    simulator.control("DELETE", "faults")
    assert sync()["droplet"].deleted == 1
    assert event_counts() == {"discovered": 13, "deleted": 2}


def test_what_returns_has_its_row_and_its_history(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    row = Resource.objects.get(name="wiki-01")
    Resource.objects.filter(pk=row.pk).update(stale_strike_count=3)
    run = SyncRun.objects.get(kind="droplet")
    now = DatabaseClock().now()
    assert tombstones.tombstone([row.pk], run=run, at=now, origin=Origin(actor="a test")) == 1
    run = sync()["droplet"]
    assert (run.restored, run.discovered) == (1, 0)
    row.refresh_from_db()
    assert (row.deleted_at, row.stale_strike_count) == (None, 0)
    assert [event.event_type for event in row.events.order_by("pk")] == ["discovered", "deleted", "restored"]


def test_one_seen_in_the_meantime_is_not_tombstoned() -> None:
    observed(seen())
    run = SyncRun.objects.create(
        kind="droplet", mode="full", requested_by="a test", started_at=DatabaseClock().now()
    )
    Resource.objects.update(stale_strike_count=2)
    pks = list(Resource.objects.values_list("pk", flat=True))
    assert tombstones.tombstone(pks, run=run, at=DatabaseClock().now(), origin=Origin(actor="a test")) == 0
    assert event_counts() == {"discovered": 1}


def test_fast_runs_never_strike(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    gone_at_the_provider(simulator, "wiki-01")
    for _ in range(4):
        run = sync(RunMode.FAST)["droplet"]
        assert (run.outcome, run.struck, run.deleted) == ("complete", 0, 0)
    assert strikes_of("wiki-01") == 0


@pytest.mark.parametrize("gpus_too", [False, True])
def test_a_failed_or_partial_run_strikes_nothing(simulator: Simulated, sync: SyncNow, gpus_too: bool) -> None:
    sync()
    gone_at_the_provider(simulator, "wiki-01")
    simulator.fault(kind="forbidden", path="^/v2/droplets$", count=0, after=1 if gpus_too else 0)
    run = sync()["droplet"]
    assert (run.outcome, run.struck, run.deleted) == ("failed", 0, 0)
    assert run.seen == (11 if gpus_too else 0)
    assert not Resource.objects.filter(stale_strike_count__gt=0).exists()


@pytest.mark.parametrize(
    ("live", "lost", "outcome"),
    [
        (5, 5, "complete"),  # all, but only five
        (12, 6, "complete"),  # more than five, but only half
        (11, 6, "suspicious"),
        (6, 6, "suspicious"),
        (100, 50, "complete"),
        (100, 51, "suspicious"),
    ],
)
def test_a_loss_of_more_than_half_and_more_than_five_is_suspicious(
    simulator: Simulated, sync: SyncNow, live: int, lost: int, outcome: str
) -> None:
    simulator.reset(fleet="empty", droplets=live)
    sync()
    simulator.control("POST", "churn", delete=lost)
    run = sync()["droplet"]
    assert run.outcome == outcome
    struck = 0 if outcome == "suspicious" else lost
    assert run.struck == Resource.objects.filter(stale_strike_count=1).count() == struck
    if outcome == "suspicious":
        assert f"{lost} of {live} live resources were not in the list: nothing was struck" in run.error
        assert "manage.py sync_inventory --kind droplet --confirm-loss" in run.error


def test_an_empty_list_strikes_nothing_and_tells_the_operators(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    simulator.fault(kind="empty_list", path="^/v2/droplets$", count=0)
    for _ in range(4):
        assert sync()["droplet"].outcome == "suspicious"
    alert = Alert.objects.get()
    assert (alert.code, alert.subject, alert.times_raised) == ("sync_suspicious", "kind:droplet", 4)
    simulator.control("DELETE", "faults")
    sync(RunMode.FAST)
    assert Alert.objects.filter(resolved_at=None).exists(), "a fast run can't know that nothing was lost"
    sync()
    assert not Alert.objects.filter(resolved_at=None).exists()
    assert_nothing_lost_or_doubled(simulator)


def test_a_loss_that_the_operator_confirms_is_struck_and_checked_all_the_same(
    simulator: Simulated, sync: SyncNow, capsys: pytest.CaptureFixture[str]
) -> None:
    sync()
    names = list(Resource.objects.exclude(name__startswith="shop").values_list("name", flat=True))
    gone_at_the_provider(simulator, *names)
    with pytest.raises(CommandError, match="droplet suspicious: 10 of 13 live resources"):
        call_command("sync_inventory")
    for _ in range(3):
        call_command("sync_inventory", "--kind", "droplet", "--confirm-loss")
    assert event_counts() == {"discovered": 13, "deleted": 10}
    assert set(Resource.objects.live().values_list("name", flat=True)) == {
        "shop-web-01",
        "shop-web-02",
        "shop-db-01",
    }


def test_a_loss_cannot_be_confirmed_for_every_kind_at_once() -> None:
    with pytest.raises(CommandError, match="--confirm-loss needs --kind"):
        call_command("sync_inventory", "--confirm-loss")


def steal_the_lease() -> None:
    """As if it had run out and another run had taken it."""
    Lease.objects.filter(name="sync:droplet").update(token="00000000-0000-0000-0000-000000000001")


def test_a_run_whose_lease_is_lost_strikes_nothing(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    Resource.objects.update(last_seen_at=F("last_seen_at") - timedelta(hours=1))
    run = SyncRun.objects.create(
        kind="droplet", mode="full", requested_by="a test", started_at=DatabaseClock().now()
    )
    with lease("sync:droplet") as held:
        steal_the_lease()
        with pytest.raises(LeaseLost):
            tombstones.strike_absent(DROPLET, run, run.started_at, held)
    assert not Resource.objects.filter(stale_strike_count__gt=0).exists()


def test_a_lease_lost_while_reading_fails_the_run_before_it_strikes(
    simulator: Simulated, sync: SyncNow
) -> None:
    sync()
    gone_at_the_provider(simulator, "wiki-01")
    runs = sync_inventory(
        mode=RunMode.FULL,
        actor="a test",
        kinds=["droplet"],
        report=lambda _kind, _progress: steal_the_lease(),
    )
    assert runs[-1].outcome == "failed"
    assert "the lease 'sync:droplet' ran out" in runs[-1].error
    assert strikes_of("wiki-01") == 0
    Lease.objects.all().delete()
    assert sync()["droplet"].struck == 1


def test_more_than_a_runs_checks_are_spread_over_runs(simulator: Simulated, sync: SyncNow) -> None:
    simulator.reset(fleet="empty", droplets=600)
    sync()
    simulator.control("POST", "churn", delete=230)
    Resource.objects.update(stale_strike_count=2)
    assert sync()["droplet"].deleted == 200
    assert sync()["droplet"].deleted == 30
    assert Resource.objects.live().count() == 370


def test_a_new_droplet_that_the_list_lags_behind_survives(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    droplet = made(simulator, name="fresh-01")
    with DigitalOcean() as cloud:
        observed(DROPLET.to_observation(cloud.droplet(droplet)), at=DatabaseClock().now())
    simulator.fault(kind="list_lag", path="^/v2/droplets$", seconds=3600, count=0)
    for _ in range(3):
        sync()
    assert Resource.objects.get(name="fresh-01").deleted_at is None
    simulator.control("DELETE", "faults")
    sync()
    assert strikes_of("fresh-01") == 0
    assert event_counts() == {"discovered": 14, "updated": 1}  # its project


def removed(provider_id: str = "1", *, minute_of: float) -> bool:
    return tombstones.tombstone_removed(
        kind=Kind.DROPLET, provider_id=provider_id, at=minute(minute_of), origin=Origin("a test", "saga:7")
    )


def test_what_its_remover_knows_to_be_gone_needs_no_strikes_and_lived_until_then() -> None:
    observed(seen("1"), seen("2"))
    assert removed(minute_of=5)
    row = Resource.objects.get(provider_id="1")
    assert (row.deleted_at, row.last_seen_at) == (minute(5), minute(5))
    event = ResourceEvent.objects.get(event_type="deleted")
    assert (event.resource_id, event.source) == (row.pk, "saga:7")
    assert ResourceSpan.objects.get(resource=row).during.upper == minute(5)
    assert not removed(minute_of=6)
    assert not removed("4711", minute_of=6)
    assert event_counts()["deleted"] == 1
    assert Resource.objects.get(provider_id="2").deleted_at is None


def test_what_somebody_saw_after_its_removal_lives() -> None:
    observed(seen("1"), at=minute(6))
    assert not removed(minute_of=5)
    assert Resource.objects.get(provider_id="1").deleted_at is None
