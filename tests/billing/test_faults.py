"""Ingests as real processes, killed and with their database taken away, lose and double nothing."""

import signal
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from arcadia_cloud.embedded.postgres import Postgres
from tests.inventory.conftest import Commands, ended, manage
from tests.processes import test_database_url as database_url
from tests.simulated import Simulated

__all__ = ["manage"]
pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]
LINES = 60_000
RIGHT = [("ingested", LINES, LINES, LINES)]
STATE = """
    SELECT ingest_status, line_count, count(line.id), count(DISTINCT line_no)
    FROM cloud_invoices AS invoice LEFT JOIN cloud_cost_lines AS line ON line.invoice_id = invoice.id
    WHERE invoice_uuid = %s GROUP BY invoice.id
"""
COPYING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE query LIKE '%COPY staged_lines%' AND state = 'active' AND pid <> pg_backend_pid()
"""


@pytest.fixture
def large(years: Simulated) -> str:
    """A large invoice of April 2026; its uuid. Nothing else is ingested."""
    made = years.control("POST", "invoices", month="2026-04", lines=LINES)
    uuid: str = made["invoice"]["invoice_uuid"]
    return uuid


def asked(url: str, statement: str, *parameters: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as database:
        return database.execute(statement, parameters or None).fetchall()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def test_an_ingest_killed_while_it_writes_leaves_what_was_there_and_the_next_completes(
    large: str, manage: Commands
) -> None:
    ended(manage("ingest_billing", "--since", "2026-05"))  # reads the history, and ingests the preview alone
    url = database_url()
    soon = {"ARCADIA_BILLING_LEASE_SECONDS": "2"}
    killed = manage("ingest_billing", "--invoice", large, environment=soon)
    until(lambda: asked(url, COPYING)[0][0] > 0)
    killed.process.send_signal(signal.SIGKILL)
    killed.process.wait(10)
    until(lambda: asked(url, COPYING)[0][0] == 0)
    assert asked(url, STATE, large) == [("pending", 0, 0, 0)]
    ended(manage("ingest_billing", "--invoice", large), within_seconds=200)
    assert asked(url, STATE, large) == RIGHT


def test_a_postgresql_restarted_in_the_middle_of_an_ingest_loses_and_doubles_nothing(
    large: str, manage: Commands, own_postgres: Postgres
) -> None:
    own = {"DATABASE_URL": own_postgres.url}
    ended(manage("migrate", "--verbosity", "0", environment=own), within_seconds=120)
    ended(manage("ingest_billing", "--since", "2026-05", environment=own))
    ingesting = manage("ingest_billing", "--invoice", large, environment=own)
    until(lambda: asked(own_postgres.url, COPYING)[0][0] > 0)
    own_postgres.stop()
    time.sleep(1)
    own_postgres.start()
    status = ingesting.process.wait(150)
    assert "Traceback" not in ingesting.logged(), ingesting.last_lines(60)
    assert status == 0, ingesting.last_lines(30)
    assert asked(own_postgres.url, STATE, large) == RIGHT
