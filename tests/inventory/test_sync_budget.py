"""Kinds that need more calls than an hour has, and the division of an hour's calls among them."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.kernel.models import Alert
from inventory.kinds.snapshot import SNAPSHOT
from inventory.models import Project, Resource, ResourceEvent, SyncRun, UnfinishedReading
from inventory.queries import SyncAge, sync_ages
from inventory.readiness import sync_age
from inventory.sync.call_shares import divide, known_needs
from inventory.values import RunMode
from tests.console.conftest import login, viewer
from tests.inventory.conftest import SyncNow
from tests.inventory.hours import BeginHour, begin_hour
from tests.inventory.observations import minute
from tests.simulated import Simulated

__all__ = ["begin_hour", "login", "viewer"]
pytestmark = pytest.mark.django_db(transaction=True)
SNAPSHOTS = 1400  # seven pages
SMALL_HOUR = 6  # of which the sync may spend five on its only kind


def snapshots(simulator: Simulated, sync: SyncNow) -> None:
    """A fleet with many snapshots, synced once."""
    simulator.reset(fleet="empty", load={"snapshots": SNAPSHOTS})
    run = sync(kinds=["snapshot"])["snapshot"]
    assert (run.outcome, run.seen) == ("complete", SNAPSHOTS)


def read_snapshots(sync: SyncNow) -> SyncRun:
    return sync(kinds=["snapshot"])["snapshot"]


def ids_there() -> list[str]:
    with DigitalOcean() as cloud:
        return [str(snapshot.id) for snapshot in cloud.items(SNAPSHOT.listings[0])]


def delete_there(ids: Iterable[str]) -> None:
    with DigitalOcean() as cloud:
        for provider_id in ids:
            cloud.delete(f"/v2/snapshots/{provider_id}")


def strikes() -> Counter[int]:
    return Counter(Resource.objects.live().values_list("stale_strike_count", flat=True))


def pages_asked(simulator: Simulated, path: str) -> list[int]:
    asked = [request["query"] for request in simulator.requests(path=path)]
    return [int(match[1]) for query in asked if (match := re.search(r"\bpage=(\d+)", query))]


def age_of(kind: str) -> SyncAge:
    return next(age for age in sync_ages(at=timezone.now()) if age.kind == kind)


# --- A kind that needs more than an hour --------------------------------------------------------------


def test_a_kind_that_an_hour_does_not_reach_is_read_over_several(
    simulator: Simulated, sync: SyncNow, begin_hour: BeginHour
) -> None:
    simulator.reset(fleet="empty", load={"snapshots": SNAPSHOTS})
    outcomes, seen = [], []
    for _ in range(3):
        begin_hour(SMALL_HOUR)
        run = read_snapshots(sync)
        outcomes.append(run.outcome)
        seen.append(run.seen)
        if run.outcome == "complete":
            break
        assert re.fullmatch(
            r"stopped after \d+ of 1400: its share of the hour's calls, \d+, is spent "
            r"\(a whole reading takes about 7 calls\); the next run goes on from there",
            run.error,
        ), run.error
    assert outcomes == ["interrupted", "complete"]
    assert 0 < seen[0] < seen[1] == SNAPSHOTS
    assert Resource.objects.live().count() == SNAPSHOTS
    assert ResourceEvent.objects.filter(event_type="discovered").count() == SNAPSHOTS
    assert min(pages_asked(simulator, "/v2/snapshots")) > 1
    assert not UnfinishedReading.objects.exists()


def test_one_hour_after_the_other_is_enough_for_a_kind_that_needs_many(
    simulator: Simulated, sync: SyncNow, begin_hour: BeginHour
) -> None:
    simulator.reset(fleet="empty", load={"snapshots": SNAPSHOTS})
    outcomes: list[str] = []
    while outcomes[-1:] != ["complete"]:
        assert len(outcomes) < 10
        begin_hour(3)
        outcomes.append(read_snapshots(sync).outcome)
    assert outcomes.count("interrupted") >= 3
    assert Resource.objects.live().count() == SNAPSHOTS


@pytest.mark.parametrize("deleted_in_front", [130, 450])
def test_a_list_that_moved_between_two_hours_strikes_only_what_was_gone_before_it_was_read(
    simulator: Simulated, sync: SyncNow, begin_hour: BeginHour, deleted_in_front: int
) -> None:
    snapshots(simulator, sync)
    ids = ids_there()
    begin_hour(SMALL_HOUR)
    assert read_snapshots(sync).outcome == "interrupted"
    gone = ids[-30:]
    begin_hour(5000)
    delete_there([*ids[:deleted_in_front], *gone])
    begin_hour(SMALL_HOUR * 2)
    run = read_snapshots(sync)
    assert (run.outcome, run.struck, run.deleted) == ("complete", 30, 0)
    struck = Resource.objects.filter(stale_strike_count=1).values_list("provider_id", flat=True)
    assert set(struck) == set(gone)
    # What was deleted after it was read is struck by the next reading, and by none before it.
    begin_hour(SMALL_HOUR * 3)
    read_snapshots(sync)
    expected = Counter({0: SNAPSHOTS - 30 - deleted_in_front, 1: deleted_in_front, 2: 30})
    assert strikes() == +expected


def test_an_interrupted_run_strikes_nothing_and_a_reading_of_last_week_is_begun_anew(
    simulator: Simulated, sync: SyncNow, begin_hour: BeginHour
) -> None:
    snapshots(simulator, sync)
    delete_there(ids_there()[:20])
    begin_hour(SMALL_HOUR)
    assert read_snapshots(sync).outcome == "interrupted"
    assert strikes() == {0: SNAPSHOTS}
    UnfinishedReading.objects.update(updated_at=timezone.now() - timedelta(days=2))
    begin_hour(SMALL_HOUR * 3)
    run = read_snapshots(sync)
    assert (run.outcome, run.seen, run.struck) == ("complete", SNAPSHOTS - 20, 20)


def test_a_reading_that_no_hour_keeps_up_with_is_reported_with_its_age(
    simulator: Simulated, sync: SyncNow, begin_hour: BeginHour, viewer: Client
) -> None:
    snapshots(simulator, sync)
    long_ago = timezone.now() - timedelta(hours=3)
    SyncRun.objects.update(started_at=long_ago, finished_at=long_ago)
    begin_hour(SMALL_HOUR)
    read_snapshots(sync)
    alert = Alert.objects.get()
    assert (alert.code, alert.subject, alert.resolved_at) == ("sync_short_of_calls", "kind:snapshot", None)
    age = age_of("snapshot")
    assert age.is_stale
    assert "is spent (a whole reading takes about 7 calls)" in age.reason
    assert age.reason in sync_age().message
    assert "a whole reading takes about 7 calls" in viewer.get("/admin/").content.decode()
    # Read to its end, but from three hours ago on: that is how old it is.
    UnfinishedReading.objects.update(began_at=long_ago)
    begin_hour(SMALL_HOUR)
    assert read_snapshots(sync).outcome == "complete"
    assert age_of("snapshot").completed_at == long_ago
    assert Alert.objects.get(resolved_at=None).code == "sync_short_of_calls"
    begin_hour(SMALL_HOUR * 3)
    read_snapshots(sync)
    assert not Alert.objects.filter(resolved_at=None).exists()
    assert not age_of("snapshot").is_stale


def test_a_full_pass_goes_on_with_a_slow_kind_that_was_interrupted(
    simulator: Simulated, sync: SyncNow
) -> None:
    at = timezone.now()
    SyncRun.objects.create(
        kind="image", mode="slow", outcome="interrupted", requested_by="a test", started_at=at, finished_at=at
    )
    assert sync(kinds=())["image"].outcome == "complete"
    assert "image" not in sync(kinds=())


# --- A call per zone ----------------------------------------------------------------------------------

ZONES = 60


def zones_asked(simulator: Simulated) -> set[str]:
    asked = [request["path"].partition("?")[0] for request in simulator.requests()]
    return {path.split("/")[3] for path in asked if path.endswith("/records")}


def test_zones_take_turns_and_the_kinds_after_them_get_their_share(
    simulator: Simulated, sync: SyncNow, begin_hour: BeginHour
) -> None:
    simulator.reset(fleet="empty", load={"domains": ZONES})
    kinds = ["dns_zone", "load_balancer", "firewall", "vpc", "certificate"]
    everything = {run.kind: run.outcome for run in sync(kinds=kinds).values()}
    assert set(everything.values()) == {"complete"}
    before = dict(Resource.objects.values_list("provider_id", "attrs"))
    turns = []
    for _ in range(3):
        begin_hour(50)
        runs = sync(kinds=kinds)
        assert {run.outcome for run in runs.values()} == {"complete"}
        assert (runs["dns_zone"].seen, runs["dns_zone"].struck) == (ZONES, 0)
        turns.append(zones_asked(simulator))
        assert re.match(
            rf"the records of {len(turns[-1])} of {ZONES} were read, those read longest ago first; "
            r"the oldest kept are of [\d-]+ [\d:]+ UTC: the hour's calls don't reach for more",
            runs["dns_zone"].error,
        ), runs["dns_zone"].error
    assert 20 < len(turns[0]) < ZONES
    assert {zone for zone in before if "." in zone} - turns[0] <= turns[1], "they are the oldest"
    assert dict(Resource.objects.values_list("provider_id", "attrs")) == before
    assert not ResourceEvent.objects.exclude(event_type="discovered").exists()


def test_a_zone_that_was_never_read_comes_first_and_has_no_records_until_then(
    simulator: Simulated, sync: SyncNow, begin_hour: BeginHour
) -> None:
    simulator.reset(fleet="empty", load={"domains": ZONES})
    begin_hour(40)
    first = sync(kinds=["dns_zone"])["dns_zone"]
    unread = Resource.objects.exclude(attrs__has_key="records").count()
    assert (first.outcome, first.seen) == ("complete", ZONES)
    assert 20 < unread < ZONES
    begin_hour(80)
    sync(kinds=["dns_zone"])
    assert not Resource.objects.exclude(attrs__has_key="records").exists()


def test_zones_whose_records_are_too_old_are_reported(
    simulator: Simulated, sync: SyncNow, begin_hour: BeginHour
) -> None:
    simulator.reset(fleet="empty", load={"domains": ZONES})
    sync(kinds=["dns_zone"])
    long_ago = timezone.now() - timedelta(hours=5)
    Resource.objects.update(details_read_at=long_ago)
    begin_hour(40)
    run = sync(kinds=["dns_zone"])["dns_zone"]
    alert = Alert.objects.get(resolved_at=None)
    assert (alert.code, alert.subject) == ("sync_short_of_calls", "kind:dns_zone")
    assert run.error in alert.message
    age = age_of("dns_zone")
    assert (age.completed_at, age.is_stale, age.reason) == (long_ago, True, run.error)


def test_projects_take_turns_too_and_what_is_not_read_keeps_its_project(
    simulator: Simulated, sync: SyncNow, begin_hour: BeginHour
) -> None:
    simulator.reset(fleet="droplets", droplets=0)
    with DigitalOcean() as cloud:
        for number in range(20):
            cloud.create_project(name=f"tenant-{number:02}", purpose="Service or API")
    sync()
    before = dict(Resource.objects.values_list("name", "project__name"))
    assert None not in before.values()
    turns: list[set[str]] = []
    for _ in range(3):
        begin_hour(20)
        runs = sync()
        assert {run.outcome for run in runs.values()} == {"complete"}
        asked = [request["path"].partition("?")[0] for request in simulator.requests()]
        turns.append({path.split("/")[3] for path in asked if path.endswith("/resources")})
        assert dict(Resource.objects.values_list("name", "project__name")) == before
    assert "projects were read, those read longest ago first" in runs["project"].error
    assert set().union(*turns) == set(Project.objects.values_list("provider_id", flat=True))


# --- The division of an hour ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calls", "needs", "shares"),
    [
        (100, [10, 20, 30], [10, 20, 30]),  # all fit
        (100, [500, 1, 2], [97, 1, 2]),  # the small ones first
        (100, [500, 1, 400], [50, 1, 49]),  # what is left, in halves
        (2, [5, 5, 5], [0, 1, 1]),
        (0, [5], [0]),
        (-7, [5, 0], [0, 0]),
    ],
)
def test_small_needs_are_met_in_full_and_large_ones_get_the_same(
    calls: int, needs: Sequence[int], shares: Sequence[int]
) -> None:
    found = divide(calls, needs)
    assert sorted(found) == sorted(shares)
    assert sum(found) <= max(calls, 0)
    assert all(share <= need for share, need in zip(found, needs, strict=True))


def complete_run(kind: str, needed_calls: int, *, minutes_ago: float, mode: str = "full") -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    SyncRun.objects.create(
        kind=kind, mode=mode, outcome="complete", requested_by="a test", started_at=at, finished_at=at,
        needed_calls=needed_calls,
    )  # fmt: skip


def test_the_fast_interval_is_what_the_full_runs_leave(
    simulator: Simulated, sync: SyncNow, begin_hour: BeginHour
) -> None:
    """At a hundred thousand resources: full runs take 1,502 calls, so five fast runs fit into the hour."""
    begin_hour(5000)
    complete_run("project", 500, minutes_ago=90)
    complete_run("volume", 500, minutes_ago=90)
    complete_run("droplet", 502, minutes_ago=6)
    run = sync(RunMode.FAST)["droplet"]
    assert run.outcome == "skipped"
    assert re.fullmatch(
        r"stretched to one in about 10 minutes, the next at \d\d:\d\d UTC: a run takes about 502 calls, "
        r"and the full runs leave 2998 of an hour's 5000",
        run.error,
    ), run.error
    assert not Alert.objects.exists()
    SyncRun.objects.filter(kind="droplet").delete()
    complete_run("droplet", 502, minutes_ago=11)
    assert sync(RunMode.FAST)["droplet"].outcome == "complete"


def test_a_fast_run_that_does_not_fit_into_the_hour_is_skipped_and_a_full_one_is_read_as_far_as_it_goes(
    simulator: Simulated, sync: SyncNow, begin_hour: BeginHour
) -> None:
    begin_hour(60)
    complete_run("droplet", 20, minutes_ago=90)
    with DigitalOcean() as cloud:
        for _ in range(40):
            cloud.account()
    run = sync(RunMode.FAST)["droplet"]
    assert run.outcome == "skipped"
    assert re.fullmatch(r"it takes about 20 calls, but 1\d are left of this hour's", run.error), run.error
    assert (run.seen, run.pages) == (0, 0)
    assert sync()["droplet"].outcome == "complete"
    assert not Alert.objects.exists()


def test_a_small_fleet_is_read_every_five_minutes(
    simulator: Simulated, sync: SyncNow, begin_hour: BeginHour
) -> None:
    begin_hour(5000)
    complete_run("droplet", 100, minutes_ago=5)
    assert sync(RunMode.FAST)["droplet"].outcome == "complete"


def test_where_full_runs_take_the_whole_hour_fast_ones_are_left_to_them(
    simulator: Simulated, sync: SyncNow, begin_hour: BeginHour
) -> None:
    begin_hour(5000)
    complete_run("droplet", 4800, minutes_ago=180)
    run = sync(RunMode.FAST)["droplet"]
    assert (run.outcome, run.error) == (
        "skipped",
        "left to the full runs: a run takes about 4800 calls, and the full runs leave 0 of an hour's 5000",
    )
    assert age_of("droplet").reason == "", "a fast run that is left out says nothing of the full ones"
    assert sync()["droplet"].outcome == "complete"


def test_what_a_kind_needs_is_what_its_newest_run_found_out() -> None:
    runs = (("droplet", 1, 9), ("droplet", 2, 12), ("droplet", 3, None), ("volume", 4, 3), ("vpc", 5, None))
    for kind, number, needed in runs:
        SyncRun.objects.create(
            kind=kind,
            mode=RunMode.FULL,
            requested_by="a test",
            started_at=minute(number),
            needed_calls=needed,
        )
    assert known_needs(["droplet", "volume", "vpc", "image"]) == {"droplet": 12, "volume": 3}
