"""Time limits of database connections: what another has forgotten holds up nothing for ever."""

from typing import Any

import psycopg
import pytest
from django.db import connection

from arcadia_cloud.database_limits import KEEPALIVES, limited, role_of

pytestmark = pytest.mark.django_db(transaction=True)


def connect(role: str, **url_options: Any) -> psycopg.Connection[Any]:
    """Connect to the test's database as a process of this role does."""
    own = ("dbname", "user", "password", "host", "port")
    known = {name: value for name, value in connection.get_connection_params().items() if name in own}
    return psycopg.connect(**known, **limited(url_options, role, on_server=True))


@pytest.mark.parametrize(
    ("role", "limits"),
    [
        ("web", ["5s", "30s", "30s"]),
        ("worker", ["1min", "30min", "5min"]),
        ("migration", ["15s", "0", "5min"]),
    ],
)
def test_each_role_has_limits_of_its_own(role: str, limits: list[str]) -> None:
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    with connect(role) as database:
        assert [database.execute(f"SHOW {name}").fetchone() for name in names] == [(each,) for each in limits]


def test_an_option_of_the_address_counts() -> None:
    with connect("web", options="-c lock_timeout=200", keepalives_idle=7) as database:
        assert database.execute("SHOW lock_timeout").fetchone() == ("200ms",)
        assert database.execute("SHOW statement_timeout").fetchone() == ("30s",)


@pytest.mark.parametrize("ask", ["UPDATE leases SET holder = 'b'", "LOCK TABLE leases"])
def test_a_forgotten_transaction_holds_up_others_for_no_longer_than_the_limit(ask: str) -> None:
    with connect("worker") as forgotten, connect("web", options="-c lock_timeout=200") as request:
        forgotten.execute("INSERT INTO leases VALUES ('a', gen_random_uuid(), 'a', now(), now(), now())")
        forgotten.execute("LOCK TABLE leases IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            request.execute(ask)
        request.rollback()
        forgotten.rollback()


def test_an_idle_transaction_is_ended() -> None:
    with connect("web", options="-c idle_in_transaction_session_timeout=100") as forgotten:
        forgotten.execute("SELECT 1")
        with connect("web") as other:
            other.execute("SELECT pg_sleep(0.5)")
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            forgotten.execute("SELECT 1")


def test_behind_pgbouncer_no_session_option_is_sent() -> None:
    assert limited({}, "web", on_server=False) == dict(KEEPALIVES)


@pytest.mark.parametrize(
    ("arguments", "role"),
    [
        (["/usr/bin/gunicorn", "arcadia_cloud.wsgi:application"], "web"),
        (["/venv/lib/python3.11/site-packages/gunicorn/__main__.py", "arcadia_cloud.wsgi"], "web"),
        (["/venv/lib/python3.11/site-packages/celery/__main__.py", "-A", "arcadia_cloud"], "worker"),
        (["manage.py", "runserver", "4005"], "web"),
        (["manage.py", "migrate", "--no-input"], "migration"),
        (["manage.py", "sync_inventory"], "worker"),
        (["/usr/bin/celery", "-A", "arcadia_cloud", "worker"], "worker"),
        ([""], "worker"),
    ],
)
def test_a_role_follows_from_the_command(arguments: list[str], role: str) -> None:
    assert role_of(arguments) == role
