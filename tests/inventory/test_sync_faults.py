"""Every fault of the provider during a sync: nothing is lost, doubled, or called dead that lives."""

from typing import Any

import pytest

from arcadia_cloud.digitalocean.client import DigitalOcean
from inventory.models import Resource, SyncRun
from inventory.values import RunMode
from tests.inventory.conftest import SyncNow
from tests.inventory.fleet import assert_nothing_lost_or_doubled, event_counts
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)

DROPLETS = "^/v2/droplets$"
PASSING = [  # over before the client gives up
    {"kind": "rate_limited", "count": 4, "retry_after": 0},
    {"kind": "rate_limited", "count": 3, "retry_after": None, "reset_in": 0},
    {"kind": "server_error", "status": 500, "count": 4},
    {"kind": "server_error", "status": 502, "count": 4, "html": True},
    {"kind": "server_error", "status": 503, "count": 4},
    {"kind": "drop_before", "count": 4},
    {"kind": "drop_before", "count": 4, "reset": True},
    {"kind": "drop_after", "count": 4},
    {"kind": "truncated", "count": 4, "cut": "connection"},
    {"kind": "latency", "count": 2, "seconds": 0.2},
    {"kind": "repeat_item", "count": 0},
    {"kind": "wrong_total", "count": 1},
    {"kind": "empty_list", "count": 1, "after": 2},  # of the pages of the account, after the first two
]
LASTING = [  # and the words that the run gives as its reason
    ({"kind": "rate_limited", "retry_after": 0}, "429 too_many_requests"),
    ({"kind": "server_error", "status": 500}, "500 server_error: Unexpected server-side error"),
    ({"kind": "server_error", "status": 502, "html": True}, "502"),
    ({"kind": "drop_before"}, "the connection failed"),
    ({"kind": "drop_after", "reset": True}, "the connection failed"),
    ({"kind": "truncated"}, "not JSON"),
    ({"kind": "truncated", "cut": "connection"}, "the connection failed"),
    ({"kind": "forbidden"}, "403 forbidden: You do not have permission to perform this action"),
    ({"kind": "wrong_total"}, "distinct items, but counts"),
    ({"kind": "wrong_total", "by": -1}, "distinct items, but counts"),
]


def many(simulator: Simulated, sync: SyncNow, *, bulk: int = 450) -> None:
    """Three pages of droplets, synced once. With a `bulk` of 588 the third is full."""
    simulator.reset(fleet="droplets", droplets=bulk)
    sync()
    assert_nothing_lost_or_doubled(simulator)


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: str(fault["kind"]))
def test_a_fault_that_passes_is_outlived(simulator: Simulated, sync: SyncNow, fault: dict[str, Any]) -> None:
    many(simulator, sync)
    simulator.fault(path=DROPLETS, **fault)
    run = sync()["droplet"]
    assert (run.outcome, run.error, run.seen) == ("complete", "", 463)
    assert (run.struck, run.discovered, run.updated) == (0, 0, 0)
    assert_nothing_lost_or_doubled(simulator)


@pytest.mark.parametrize(("fault", "words"), LASTING, ids=lambda case: str(case)[:40])
def test_a_fault_that_lasts_fails_the_run_in_words_and_the_next_good_one_heals(
    simulator: Simulated, sync: SyncNow, fault: dict[str, Any], words: str
) -> None:
    many(simulator, sync)
    simulator.control("POST", "churn", create=3)
    simulator.fault(path=DROPLETS, count=0, after=1, **fault)
    run = sync()["droplet"]
    assert run.outcome == "failed"
    assert words in run.error
    assert run.error.startswith(("GET /v2/droplets", "/v2/droplets"))
    assert not Resource.objects.filter(stale_strike_count__gt=0).exists()
    simulator.control("DELETE", "faults")
    run = sync()["droplet"]
    assert (run.outcome, run.seen) == ("complete", 466)
    assert_nothing_lost_or_doubled(simulator)


@pytest.mark.parametrize("by", [1, -1, 150])
def test_items_that_move_between_pages_are_read_again(simulator: Simulated, sync: SyncNow, by: int) -> None:
    """The first reading misses some; the second, undisturbed, finds all."""
    many(simulator, sync, bulk=588)
    simulator.fault(kind="shifted_pages", path=DROPLETS, by=by, count=2)
    run = sync()["droplet"]
    assert (run.outcome, run.seen, run.struck) == ("complete", 601, 0)
    assert run.pages == 2 * 3 + 1
    assert_nothing_lost_or_doubled(simulator)


def test_items_that_never_stop_moving_fail_the_run(simulator: Simulated, sync: SyncNow) -> None:
    many(simulator, sync, bulk=588)
    simulator.fault(kind="shifted_pages", path=DROPLETS, by=1, count=0)
    run = sync()["droplet"]
    assert run.outcome == "failed"
    assert "/v2/droplets gave 599 distinct items, but counts 600" in run.error
    assert not Resource.objects.filter(stale_strike_count__gt=0).exists()
    assert_nothing_lost_or_doubled(simulator)


def test_a_list_that_lags_costs_a_new_droplet_nothing_but_time(simulator: Simulated, sync: SyncNow) -> None:
    many(simulator, sync)
    simulator.fault(kind="list_lag", path=DROPLETS, seconds=3600, count=0)
    simulator.control("POST", "churn", create=4)
    assert sync()["droplet"].outcome == "complete"
    assert Resource.objects.count() == 463
    simulator.control("DELETE", "faults")
    assert sync()["droplet"].discovered == 4
    assert_nothing_lost_or_doubled(simulator)


@pytest.mark.parametrize("path", ["^/v2/projects$", "/resources$", "^/v2/projects"])
@pytest.mark.parametrize("kind", ["forbidden", "server_error", "truncated", "wrong_total", "empty_list"])
def test_projects_that_break_off_change_no_membership(
    simulator: Simulated, sync: SyncNow, kind: str, path: str
) -> None:
    sync()
    before = dict(Resource.objects.values_list("name", "project__name"))
    simulator.fault(kind=kind, method="GET", path=path, count=0)
    sync()
    assert dict(Resource.objects.values_list("name", "project__name")) == before
    simulator.control("DELETE", "faults")
    assert sync()["project"].outcome == "complete"
    assert_nothing_lost_or_doubled(simulator)


def test_gpus_that_are_forbidden_fail_the_whole_kind(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    simulator.fault(kind="forbidden", path=DROPLETS, after=1, count=0)
    run = sync()["droplet"]
    assert (run.outcome, run.struck) == ("failed", 0)
    assert "403" in run.error


@pytest.mark.parametrize("kind", ["rate_limited", "server_error", "drop_before"])
def test_an_account_that_cannot_be_asked_reads_nothing(
    simulator: Simulated, sync: SyncNow, kind: str
) -> None:
    sync()
    simulator.fault(
        kind=kind, path="^/v2/account$", count=0, **({"retry_after": 0} if kind[0] == "r" else {})
    )
    simulator.control("DELETE", "requests")
    assert sync()["droplet"].outcome == "failed"
    assert {request["path"] for request in simulator.requests()} == {"/v2/account"}
    assert_nothing_lost_or_doubled(simulator)


@pytest.mark.parametrize("seed", range(4))
def test_faults_all_mixed_lose_and_double_nothing(simulator: Simulated, sync: SyncNow, seed: int) -> None:
    simulator.reset(fleet="droplets", droplets=450, seed=seed)
    simulator.fault(kind="server_error", status=500, probability=0.2, count=0)
    simulator.fault(kind="drop_after", method="GET", probability=0.1, count=0)
    simulator.fault(kind="truncated", method="GET", probability=0.05, count=0)
    simulator.fault(kind="repeat_item", probability=0.3, count=0)
    simulator.fault(kind="shifted_pages", path=DROPLETS, by=2, probability=0.1, count=0)
    for turn in range(6):
        sync(RunMode.FAST if turn % 3 == 2 else RunMode.FULL)
    assert SyncRun.objects.filter(kind="droplet").count() == 6
    assert not SyncRun.objects.filter(outcome="suspicious").exists()
    simulator.control("DELETE", "faults")
    sync()
    assert_nothing_lost_or_doubled(simulator)
    assert not Resource.objects.filter(stale_strike_count__gt=0).exists()


def test_kinds_fail_each_for_its_own_reason_in_one_run_and_the_next_one_heals(
    simulator: Simulated, sync: SyncNow
) -> None:
    """A list lags, pages shift, a kind is forbidden, others answer in HTML, and something is really gone."""
    simulator.reset(fleet="default", load={"snapshots": 395})  # with the fleet's five, two full pages
    sync(kinds=())
    fleet = Resource.objects.count()
    simulator.fault(kind="list_lag", path="^/v2/droplets$", seconds=3600, count=0)
    simulator.fault(kind="shifted_pages", path="^/v2/snapshots$", by=1, count=1)
    simulator.fault(kind="forbidden", path="^/v2/volumes$", count=0)
    simulator.fault(kind="server_error", path="^/v2/firewalls$", status=200, html=True, count=0)
    simulator.fault(kind="server_error", path="^/v2/databases$", status=502, html=True, count=0)
    simulator.control("POST", "churn", create=2)
    with DigitalOcean() as cloud:
        cloud.delete("/v2/reserved_ips/203.0.113.99")
    runs = sync(kinds=())
    reasons = {
        "volume": "GET /v2/volumes: 403 forbidden: You do not have permission to perform this action.",
        "firewall": "GET /v2/firewalls: not JSON: an HTML page",
        "database": "GET /v2/databases: 502",
    }
    assert {kind for kind, run in runs.items() if run.outcome != "complete"} == set(reasons)
    assert all(runs[kind].error.startswith(words) for kind, words in reasons.items())
    assert runs["snapshot"].pages == 4
    struck = Resource.objects.filter(stale_strike_count__gt=0)
    assert list(struck.values_list("kind", "name", "stale_strike_count")) == [
        ("reserved_ip", "203.0.113.99", 1)
    ]
    simulator.control("DELETE", "faults")
    for _ in range(2):
        assert {run.outcome for run in sync(kinds=()).values()} == {"complete"}
    assert event_counts() == {"discovered": fleet + 2, "deleted": 1}
    assert not Resource.objects.live().filter(stale_strike_count__gt=0).exists()
