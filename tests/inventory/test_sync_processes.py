"""Syncs as real processes: two at once, killed, and with their servers taken away."""

import signal
import time
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from django.db import connection

from arcadia_cloud.embedded.postgres import Postgres
from arcadia_cloud.embedded.valkey import Valkey
from arcadia_cloud.kernel.models import Alert, Lease
from arcadia_cloud.kernel.queue.nudge import publish_now
from inventory.models import Project, Resource, SyncRun
from tests.inventory.conftest import Commands, SyncNow, ended
from tests.inventory.fleet import assert_nothing_lost_or_doubled
from tests.processes import Workers, hanging
from tests.simulated import Simulated

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


def wait_until_reading(simulator: Simulated, *, calls: int) -> None:
    """Return once so many pages of droplets were asked for."""
    deadline = time.monotonic() + 60
    while len(simulator.requests(path="/v2/droplets")) < calls:
        assert time.monotonic() < deadline, "the sync never began"
        time.sleep(0.05)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as database:
        return database.execute(query).fetchall()


def test_two_first_syncs_at_once_leave_one_of_everything(
    simulator: Simulated, sync: SyncNow, manage: Commands, request: pytest.FixtureRequest
) -> None:
    """One row and one `discovered` each, and one project for the operators; ten times in the matrix."""
    times = 10 if request.config.getoption("--matrix") else 2
    for number in range(times):
        simulator.reset(fleet="droplets", droplets=400, seed=number + 1)
        both = [manage("sync_inventory"), manage("sync_inventory")]
        for child in both:
            ended(child)
        assert_nothing_lost_or_doubled(simulator)
        assert len(simulator.requests(method="POST", path="/v2/projects")) == 1
        assert Project.objects.filter(name="skyai-internal").count() == 1
        outcomes = set(SyncRun.objects.values_list("outcome", flat=True))
        assert outcomes <= {"complete"}, "the second waits for the first"
        with connection.cursor() as cursor:
            cursor.execute(
                "TRUNCATE cloud_resources, cloud_projects, cloud_accounts, sync_runs, leases CASCADE"
            )


def test_a_fast_run_beside_another_is_skipped_and_its_command_fails_and_says_why(
    simulator: Simulated, sync: SyncNow, manage: Commands
) -> None:
    simulator.fault(kind="latency", path="^/v2/droplets$", seconds=3, count=1)
    first = manage("sync_inventory")
    wait_until_reading_began()
    with hanging(first):  # for as long as the second takes to start, however busy the machine is
        second = manage("sync_inventory", "--mode", "fast")
        said = " ".join(ended(second, status=1).split())
    assert "CommandError: droplet skipped: sync:droplet is already running" in said
    ended(first)
    run = SyncRun.objects.get(outcome="skipped")
    assert (run.mode, run.kind, run.error) == ("fast", "droplet", "sync:droplet is already running")
    assert_nothing_lost_or_doubled(simulator)


def wait_until_reading_began() -> None:
    """A request is logged when it is answered; the run's row is there before it is asked."""
    deadline = time.monotonic() + 60
    while not SyncRun.objects.filter(kind="droplet", outcome="").exists():
        assert time.monotonic() < deadline, "the sync never began"
        time.sleep(0.05)


def test_a_killed_sync_is_closed_by_the_next_which_completes(
    simulator: Simulated, sync: SyncNow, manage: Commands
) -> None:
    simulator.reset(fleet="droplets", droplets=2500)
    simulator.fault(kind="latency", path="^/v2/droplets$", seconds=0.5, count=0)
    killed = manage("sync_inventory", environment={"ARCADIA_SYNC_LEASE_SECONDS": "2"})
    wait_until_reading(simulator, calls=7)
    killed.process.kill()
    killed.process.wait(5)
    assert 0 < Resource.objects.count() < 2513
    assert SyncRun.objects.get(kind="droplet").outcome == ""
    simulator.control("DELETE", "faults")
    ended(manage("sync_inventory"))
    orphan, run = SyncRun.objects.filter(kind="droplet").order_by("pk")
    assert (orphan.outcome, run.outcome) == ("failed", "complete")
    assert orphan.error == "the process that ran it ended without finishing it"
    assert_nothing_lost_or_doubled(simulator)


def test_a_worker_that_is_stopped_interrupts_its_sync_at_the_next_page_and_the_next_run_goes_on(
    simulator: Simulated, sync: SyncNow, worker: Workers
) -> None:
    simulator.reset(fleet="droplets", droplets=4000)
    simulator.fault(kind="latency", path="^/v2/droplets$", seconds=0.7, count=0)
    stopped = worker("cloud_sync_full")
    publish_now("inventory.sync", queue="cloud_sync_full", mode="full", actor="a test")
    wait_until_reading(simulator, calls=3)
    stopped.process.send_signal(signal.SIGTERM)
    assert stopped.process.wait(30) == 0, stopped.last_lines(40)
    run = SyncRun.objects.get(kind="droplet")
    assert run.outcome == "interrupted"
    assert run.error.startswith(f"stopped after {run.seen} of 4012: its worker is being stopped")
    assert Resource.objects.filter(kind="droplet").count() == run.seen
    assert not Lease.objects.filter(name__startswith="sync:").exists()
    others = SyncRun.objects.exclude(kind__in=["project", "kubernetes_cluster", "droplet"])
    assert set(others.values_list("outcome", "error")) == {("skipped", "its worker is being stopped")}
    assert not Alert.objects.exists()

    simulator.control("DELETE", "faults")
    simulator.control("DELETE", "requests")
    assert sync()["droplet"].outcome == "complete"
    asked = {request["query"] for request in simulator.requests(path="/v2/droplets")}
    assert "per_page=200&page=20" in asked
    assert "per_page=200&page=1" not in asked
    assert_nothing_lost_or_doubled(simulator)


@pytest.mark.parametrize("hard", [False, True], ids=["restarted", "killed"])
def test_a_postgresql_that_goes_away_in_the_middle_doubles_nothing(
    simulator: Simulated,
    sync: SyncNow,
    manage: Commands,
    own_postgres: Postgres,
    request: pytest.FixtureRequest,
    hard: bool,
) -> None:
    if hard and not request.config.getoption("--matrix"):
        pytest.skip("the everyday run restarts it; bin/test --matrix kills it too")
    simulator.reset(fleet="droplets", droplets=4000)
    own = {"DATABASE_URL": own_postgres.url}
    ended(manage("migrate", "--verbosity", "0", environment=own), within_seconds=120)
    simulator.fault(kind="latency", path="^/v2/droplets$", seconds=0.3, count=0)
    syncing = manage("sync_inventory", environment=own)
    wait_until_reading(simulator, calls=7)
    assert rows(own_postgres.url, "SELECT count(*) FROM cloud_resources")[0][0] > 0
    (own_postgres.kill if hard else own_postgres.stop)()
    time.sleep(1)
    own_postgres.start()
    status = syncing.process.wait(120)
    assert "Traceback" not in syncing.logged(), syncing.last_lines(60)
    outcome, error = rows(
        own_postgres.url, "SELECT outcome, error FROM sync_runs WHERE kind = 'droplet' ORDER BY id DESC"
    )[0]
    assert (outcome == "complete") == (status == 0), syncing.last_lines(30)
    assert outcome == "complete" or error
    simulator.control("DELETE", "faults")
    ended(manage("sync_inventory", environment=own))
    assert rows(
        own_postgres.url,
        "SELECT count(*), count(DISTINCT resource_id), count(*) FILTER (WHERE event_type = 'discovered')"
        " FROM cloud_resource_events",
    ) == [(4013, 4013, 4013)]
    assert rows(
        own_postgres.url,
        "SELECT count(*), count(*) FILTER (WHERE deleted_at IS NULL AND stale_strike_count = 0)"
        " FROM cloud_resources",
    ) == [(4013, 4013)]


def test_a_postgresql_that_is_not_there_is_told_in_words(
    simulator: Simulated, sync: SyncNow, manage: Commands, own_postgres: Postgres
) -> None:
    url = own_postgres.url
    own_postgres.stop()
    child = manage("sync_inventory", environment={"DATABASE_URL": url})
    assert child.process.wait(60) != 0
    assert "Traceback" not in child.logged(), child.last_lines(40)
    assert "the database:" in child.logged()


@pytest.mark.parametrize("how", ["gone", "hanging"])
def test_without_valkey_a_sync_completes_without_long_stalls(
    simulator: Simulated, sync: SyncNow, manage: Commands, own_valkey: Valkey, how: str
) -> None:
    simulator.reset(fleet="droplets", droplets=3000)
    simulator.fault(kind="latency", path="^/v2/droplets$", seconds=0.3, count=0)
    syncing = manage("sync_inventory", environment={"REDIS_URL": own_valkey.url})
    wait_until_reading(simulator, calls=5)
    began = time.monotonic()
    with ExitStack() as stack:
        if how == "gone":
            own_valkey.kill()
        else:
            assert own_valkey.child is not None
            stack.enter_context(hanging(own_valkey.child))
        ended(syncing)
    assert time.monotonic() - began < 20
    assert SyncRun.objects.get(kind="droplet").outcome == "complete"
    assert_nothing_lost_or_doubled(simulator)
