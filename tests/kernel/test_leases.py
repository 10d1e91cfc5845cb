"""One process at a time does a named piece of work, whoever dies, hangs or comes late."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils import timezone

from arcadia_cloud.kernel.leases import HeldLease, LeaseHeld, LeaseLost, lease
from arcadia_cloud.kernel.models import Lease
from tests.kernel.threads import at_once, in_thread
from tests.processes import test_database_url as database_url

pytestmark = pytest.mark.django_db(transaction=True)

HOLDER = """
import django; django.setup()
import time
from arcadia_cloud.kernel.leases import lease
with lease("work", seconds=1):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_held_lease_is_refused_and_a_returned_one_is_free() -> None:
    with lease("work"), pytest.raises(LeaseHeld, match="work is already running"), lease("work"):
        pass
    with lease("work"), lease("other"):
        pass
    assert not Lease.objects.exists()


def test_an_error_in_the_work_returns_the_lease() -> None:
    with pytest.raises(ZeroDivisionError), lease("work"):
        raise ZeroDivisionError
    assert not Lease.objects.exists()


@pytest.mark.parametrize("attempt", range(5))
def test_of_many_who_ask_at_once_one_gets_it(attempt: int) -> None:
    everyone_asked = threading.Barrier(4)

    def ask() -> bool:
        try:
            with lease(f"work-{attempt}"):
                everyone_asked.wait(10)
                return True
        except LeaseHeld:
            everyone_asked.wait(10)
            return False

    assert sorted(at_once(4, ask)) == [False, False, False, True]


def test_without_the_unique_name_two_would_get_it() -> None:
    """The control: looking first and writing then lets two through, and this harness sees it."""
    both_looked = threading.Barrier(2)

    def look_then_write() -> bool:
        free = not Lease.objects.filter(name="work").exists()
        both_looked.wait(10)
        return free

    assert at_once(2, look_then_write) == [True, True]


def test_the_heartbeat_keeps_a_lease_longer_than_it_was_taken_for() -> None:
    with lease("work", seconds=3) as held:  # a busy machine may take a second to beat
        time.sleep(4.5)
        held.assert_held()
        with pytest.raises(LeaseHeld), lease("work"):
            pass
        row = Lease.objects.get()
        assert row.heartbeat_at > row.acquired_at + timedelta(seconds=1)


def test_a_killed_holder_loses_its_lease_when_time_is_up_and_not_before() -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "arcadia_cloud.settings",
    }
    with subprocess.Popen([sys.executable, "-c", HOLDER], env=environment, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
    with pytest.raises(LeaseHeld), lease("work"):
        pass
    time.sleep(1.1)
    with lease("work"):
        assert Lease.objects.get().holder.endswith(f":{os.getpid()}")


def test_who_waits_gets_it_as_soon_as_it_is_free() -> None:
    holding = threading.Event()

    def hold_a_moment() -> None:
        with lease("work"):
            holding.set()
            time.sleep(0.5)

    thread = in_thread(hold_a_moment)
    holding.wait()
    began = time.monotonic()
    with lease("work", wait_seconds=5):
        assert 0.3 < time.monotonic() - began < 2
    thread.join()


def test_a_holder_that_was_overtaken_is_told_and_takes_nothing_with_it() -> None:
    with lease("work", seconds=30) as slow:
        expire("work")
        with lease("work") as successor:
            with pytest.raises(LeaseLost):
                slow.assert_held()
            successor.assert_held()
        assert not Lease.objects.exists()


def test_the_end_of_an_overtaken_work_leaves_the_successors_lease() -> None:
    overtaken = lease("work", seconds=30)
    overtaken.__enter__()
    expire("work")
    with lease("work") as successor:
        overtaken.__exit__(None, None, None)
        successor.assert_held()


def test_an_expired_lease_is_lost_even_before_anybody_took_it() -> None:
    with lease("work", seconds=30) as held:
        expire("work")
        with pytest.raises(LeaseLost):
            held.assert_held()


def test_while_a_transaction_leans_on_the_lease_nobody_overtakes_it() -> None:
    order: list[str] = []

    def overtake() -> None:
        with lease("work", wait_seconds=5):
            order.append("overtaken")

    with lease("work", seconds=0.6) as held, transaction.atomic():
        held.assert_held()
        thread = in_thread(overtake)
        time.sleep(1.5)  # longer than the lease, which no heartbeat can renew now
        order.append("committing")
    thread.join()
    assert order == ["committing", "overtaken"]


def test_a_lease_inside_a_transaction_is_a_mistake_of_the_code() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError), lease("work"):
        pass


def test_a_heartbeat_whose_connection_dies_is_tried_again() -> None:
    with lease("work", seconds=1.2) as held:
        time.sleep(0.5)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        time.sleep(1.5)
        held.assert_held()


@contextmanager
def new_connections_fail_once() -> Iterator[list[str]]:
    """A connection opened in the block refuses its first statement as one that is closed; yields those."""
    refused: list[str] = []

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if refused:
            return execute(sql, params, many, context)
        refused.append(sql)
        raise InterfaceError("the connection is closed")

    def arm(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
        connection.execute_wrappers.append(refuse)

    connection_created.connect(arm)
    try:
        yield refused
    finally:
        connection_created.disconnect(arm)


def test_a_heartbeat_that_finds_its_connection_closed_is_tried_again() -> None:
    connection.ensure_connection()  # ours; the heartbeat opens its own
    with new_connections_fail_once() as refused, lease("work", seconds=0.9) as held:
        time.sleep(1.5)
        held.assert_held()
    assert ["UPDATE leases" in sql for sql in refused] == [True]


def test_a_work_that_went_well_stays_so_when_its_lease_can_not_be_returned() -> None:
    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("DELETE FROM leases"):
            raise InterfaceError("the connection is closed")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse), lease("work"):
        pass
    assert Lease.objects.filter(name="work").exists(), "time lets go"


def test_a_lease_that_nobody_holds_can_not_be_leaned_on() -> None:
    with pytest.raises(LeaseLost):
        HeldLease("work", 60).assert_held()


def expire(name: str) -> None:
    Lease.objects.filter(name=name).update(expires_at=timezone.now() - timedelta(seconds=1))
