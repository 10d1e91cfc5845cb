"""A day's metering by real workers: killed in the middle, cut off from its database, twice at once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import psycopg
import pytest
from django.utils import timezone

from arcadia_cloud.embedded.postgres import Postgres
from arcadia_cloud.kernel.models import Lease
from arcadia_cloud.kernel.queue.nudge import publish_now
from inventory.values import Kind
from metering.models import MeteredPeriod, UsageRecord
from metering.services import meter_day, meter_due
from metering.values import DAY, MeteringCounts
from tests.inventory.conftest import Commands, ended
from tests.kernel.threads import at_once
from tests.metering.rows import LATER, a_deployment, march, recorded, whole
from tests.processes import Workers
from tests.processes import test_database_url as database_url

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

_WAITING = "SELECT pid FROM pg_stat_activity WHERE query LIKE '-- meter.sql%' AND wait_event_type = 'Lock'"


@contextmanager
def usage_locked(url: str) -> Iterator[psycopg.Connection]:
    """For the block nothing can be written to usage_records, as if a day's metering took long."""
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as watcher:
        holder.execute("LOCK TABLE usage_records IN SHARE MODE")
        yield watcher


def wait_for_metering(watcher: psycopg.Connection) -> int:
    """Return the server process that is in the middle of a day."""
    deadline = time.monotonic() + 60
    while True:
        found = watcher.execute(_WAITING).fetchone()
        if found is not None:
            return int(found[0])
        assert time.monotonic() < deadline, "nothing was metered"
        time.sleep(0.05)


def a_fleet() -> None:
    shop, crm = a_deployment(), a_deployment("crm", "globex")
    for number in range(20):
        whole(Kind.DROPLET, (shop, crm)[number % 2])
        whole(Kind.VOLUME, (shop, crm)[number % 2], f"{number}.5")


def test_a_day_that_is_cut_off_in_the_middle_is_metered_by_the_next_run(worker: Workers) -> None:
    """First its connection is lost, then its worker is killed."""
    a_fleet()
    child = worker("metering")
    for is_killed in (False, True):
        with usage_locked(database_url()) as watcher:
            publish_now("metering.meter_days", queue="metering")
            backend = wait_for_metering(watcher)
            if is_killed:
                for process in psutil.Process(child.process.pid).children(recursive=True):
                    process.kill()
                child.process.kill()
                child.process.wait(5)
            else:
                watcher.execute("SELECT pg_terminate_backend(%s)", [backend])
        wait_until_gone(backend)
        assert (UsageRecord.objects.count(), MeteredPeriod.objects.count()) == (0, 0), "all or nothing"
    Lease.objects.all().delete()  # it runs out by itself, a minute after its holder has gone

    result = meter_due(at=timezone.now())
    assert (len(result.metered), result.counts.inserted) == (1, 40)
    found = recorded()
    UsageRecord.objects.all().delete()
    meter_day(timezone.now().date() - DAY, at=timezone.now())
    assert recorded() == found


def wait_until_gone(backend: int) -> None:
    deadline = time.monotonic() + 30
    with psycopg.connect(database_url(), autocommit=True) as watcher:
        while watcher.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [backend]).fetchone():
            assert time.monotonic() < deadline, "the statement of a client that is gone goes on"
            time.sleep(0.05)


def test_four_at_once_and_days_in_parallel_leave_the_same_rows() -> None:
    a_fleet()
    day = march(1)[0]
    counts = at_once(4, lambda: meter_day(day, at=LATER))
    assert sorted(each.inserted for each in counts) == [0, 0, 0, 40]
    assert sum(counts, MeteringCounts()) == MeteringCounts(inserted=40)
    days = iter([*march(4), *march(4)])
    at_once(8, lambda: meter_day(next(days), at=LATER))
    found = recorded()
    assert len(found) == 160
    for each in march(4):
        assert meter_day(each, at=LATER) == MeteringCounts()
    assert recorded() == found


def test_a_postgresql_that_restarts_in_the_middle_of_a_day_leaves_all_of_it_or_nothing(
    manage: Commands, own_postgres: Postgres, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--matrix"):
        pytest.skip("the everyday run ends the connection; bin/test --matrix restarts PostgreSQL")
    own = {"DATABASE_URL": own_postgres.url}
    ended(manage("migrate", "--verbosity", "0", environment=own), within_seconds=120)
    with psycopg.connect(own_postgres.url) as database:
        database.execute("""
            INSERT INTO cloud_deployments (id, tenant_id, slug, display_name, region, state)
            OVERRIDING SYSTEM VALUE VALUES (1, 'acme', 'shop', '', '', 'active');
            INSERT INTO cloud_resources (id, provider, kind, provider_id, urn, name, region, status,
                                         attributed_by, tags, attrs, first_seen_at, last_seen_at,
                                         stale_strike_count)
            OVERRIDING SYSTEM VALUE
            SELECT n, 'digitalocean', 'droplet', n, '', '', '', '', '', '{}', '{}', now(), now(), 0
            FROM generate_series(1, 500) AS n;
            INSERT INTO resource_spans (resource_id, during, deployment_id, tenant_id, active)
            SELECT id, tstzrange('2026-01-01 00:00+00', NULL), 1, 'acme', true FROM cloud_resources;
        """)
    command = ("meter_day", "--date", "2026-03-10")
    with psycopg.connect(own_postgres.url) as holder, psycopg.connect(own_postgres.url) as watcher:
        watcher.autocommit = True
        holder.execute("LOCK TABLE usage_records IN SHARE MODE")
        child = manage(*command, environment=own)
        wait_for_metering(watcher)
        own_postgres.stop()
        own_postgres.start()
        holder.close()
        watcher.close()
    assert child.process.wait(60) != 0
    assert "Traceback" not in child.logged(), child.last_lines(40)
    assert "500 records inserted" in ended(manage(*command, environment=own))
    assert "0 records inserted" in ended(manage(*command, environment=own))
