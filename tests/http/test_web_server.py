"""The web server as it is shipped: beside a database that hangs, and by its log."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import requests
from django.db import connection

from arcadia_cloud.database_backend import base
from arcadia_cloud.database_backend.base import LimitedConnection
from arcadia_cloud.embedded.child_processes import ChildProcess, start_child, stop_children
from arcadia_cloud.embedded.postgres import Postgres
from arcadia_cloud.embedded.stack import commands
from arcadia_cloud.embedded.valkey import free_port
from tests.access import bearer, token_of
from tests.processes import hanging, wait_for
from tests.processes import test_database_url as database_url

pytestmark = pytest.mark.processes
THREADS = 2
ANSWER_SECONDS = 2
_IDS = re.compile(r"\b(request_id|tenant|user_id)=(\S+)")


@contextmanager
def web_server(folder: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, ChildProcess]]:
    """The command of `bin/run`, with one process of two threads."""
    port = free_port()
    command = commands(port)["web"]
    for option, value in (("--workers", "1"), ("--threads", str(THREADS))):
        command[command.index(option) + 1] = value
    child = start_child("web", command, folder=folder, environment={**os.environ, **environment})
    try:
        wait_for(child, "Booting worker")
        yield f"http://127.0.0.1:{port}", child
    finally:
        stop_children([child], within_seconds=15)


def get(url: str, *, tenant: str | None = None, seconds: float = 60) -> requests.Response:
    headers = bearer(token_of(tenant=tenant)) if tenant else {}
    return requests.get(url, headers=headers, timeout=seconds)


def test_health_is_answered_whatever_hangs_and_the_threads_come_back(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    environment = {"DATABASE_URL": own_postgres.url, "ARCADIA_DB_ANSWER_SECONDS": str(ANSWER_SECONDS)}
    with web_server(tmp_path, environment) as (url, _), ThreadPoolExecutor(2 * THREADS) as clients:

        def inventory(_number: int) -> tuple[int, str]:
            answer = get(f"{url}/api/v1/inventory", tenant="acme")
            return answer.status_code, answer.json()["detail"] if answer.status_code == 503 else ""

        def readiness() -> dict[str, dict[str, object]]:
            began = time.monotonic()
            answer = get(f"{url}/api/health/ready")
            assert time.monotonic() - began < 2
            assert answer.status_code == 503  # no migration is applied there
            checks: dict[str, dict[str, object]] = answer.json()["checks"]
            return checks

        assert list(clients.map(inventory, range(2 * THREADS))) == [(500, "")] * 2 * THREADS  # no tables
        assert readiness()["database"] == {"ok": True, "words": "answers"}
        assert own_postgres.child is not None
        with hanging(own_postgres.child):
            hung = [clients.submit(inventory, number) for number in range(2 * THREADS)]
            time.sleep(0.5)
            for _ in range(5):
                assert get(f"{url}/api/health", seconds=1).json()["status"] == "ok"
            for _ in range(2):
                checks = readiness()
                assert not checks["database"]["ok"]
                assert checks["broker"]["ok"]
            assert not any(each.done() for each in hung)
            # Each has its limit, or that of a new connection, and the second half wait for the first.
            answers = [each.result(timeout=ANSWER_SECONDS + 30) for each in hung]
            assert answers == [(503, "Try again soon.")] * len(hung)
            assert_told_soon(url)
        # After a connection that waited in vain, none is tried for a few seconds.
        deadline = time.monotonic() + base.hanging.seconds + 2
        while not readiness()["database"]["ok"] and time.monotonic() < deadline:
            time.sleep(0.2)
        assert readiness()["database"] == {"ok": True, "words": "answers"}
        assert inventory(0) == (500, "")


def assert_told_soon(url: str) -> None:
    """Assert that console and metrics answer within seconds, and name the database."""
    for _ in range(3):
        began = time.monotonic()
        page = requests.get(f"{url}/admin/", cookies={"sessionid": "x" * 32}, timeout=60)
        assert time.monotonic() - began < 8
        assert page.status_code == 503
        assert "<h1>The database doesn't answer</h1>" in page.text
        assert page.headers["Retry-After"] == "5"
    began = time.monotonic()
    metrics = get(f"{url}/metrics").text
    assert time.monotonic() - began < 10  # what Prometheus waits
    ups = dict(re.findall(r'arcadia_metrics_source_up{source="(\w+)"} (\S+)', metrics))
    assert {name for name, is_up in ups.items() if is_up == "1.0"} == {"provider"}


def test_a_connection_gives_up_a_server_that_hangs(own_postgres: Postgres) -> None:
    with LimitedConnection.connect(own_postgres.url, autocommit=True) as limited:
        limited.answer_seconds = 1
        limited.execute("SELECT pg_sleep(0.3)")
        assert own_postgres.child is not None
        with hanging(own_postgres.child):
            began = time.monotonic()
            with pytest.raises(psycopg.OperationalError, match="gave no answer within 1 s"):
                limited.execute("SELECT 1")
            assert time.monotonic() - began < 3
        assert limited.closed


def test_a_kept_connection_is_probed_for_seconds_whatever_a_statement_may_take(
    own_postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "_PROBE_SECONDS", 1.0)
    wrapper = base.DatabaseWrapper(connection.settings_dict)
    with LimitedConnection.connect(own_postgres.url, autocommit=True) as kept:
        kept.answer_seconds = 60
        wrapper.connection = kept
        assert wrapper.is_usable()
        assert own_postgres.child is not None
        with hanging(own_postgres.child):
            began = time.monotonic()
            assert not wrapper.is_usable()
            assert time.monotonic() - began < 3
        assert kept.answer_seconds == 60


@pytest.mark.django_db(transaction=True)
def test_no_line_of_a_request_carries_anothers_ids(tmp_path: Path) -> None:
    tenants = ["acme", "globex", None, "initech", None] * 3
    with web_server(tmp_path, {"DATABASE_URL": database_url()}) as (url, child):
        for number, tenant in enumerate(tenants):
            get(f"{url}/api/v1/inventory?number={number}", tenant=tenant)
        with requests.Session() as session:  # one connection, kept alive
            for tenant in tenants:
                headers = bearer(token_of(tenant=tenant)) if tenant else {}
                session.get(f"{url}/api/v1/inventory", headers=headers, timeout=60)
        get(f"{url}/admin/")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", child.logged())
    found: dict[str, set[str]] = {}
    started: dict[str, int] = {}
    finished = []
    for line in plain.splitlines():
        ids = dict(_IDS.findall(line))
        if "request_id" in ids:
            found.setdefault(ids["request_id"], set()).add(ids.get("tenant", "None"))
        if "request_started" in line:
            started[ids["request_id"]] = started.get(ids["request_id"], 0) + 1
            assert ids.get("tenant", "None") == "None"
        if "request_finished" in line and "/api/v1/inventory" in line:
            finished.append(ids.get("tenant", "None"))
    assert set(started.values()) == {1}, "no two requests share an id"
    assert finished == [str(tenant) for tenant in tenants] * 2
    assert all(len(tenants_of - {"None"}) <= 1 for tenants_of in found.values())
