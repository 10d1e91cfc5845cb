"""Liveness and readiness, as load balancers ask for them."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import OperationalError, connections
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from arcadia_cloud.database_backend.base import DatabaseWrapper
from arcadia_cloud.http.readiness_checks import MigrationsCheck
from arcadia_cloud.kernel import readiness
from arcadia_cloud.kernel.readiness import CheckResult, register
from tests.kernel import brokers

# Committed: each check has a thread, and so a connection, of its own.
pytestmark = pytest.mark.django_db(transaction=True)
READY = "/api/health/ready"


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The registry, for the test to change."""
    registry = dict(readiness._checks)
    monkeypatch.setattr(readiness, "_checks", registry)
    return registry


@pytest.fixture(autouse=True)
def broker(tmp_path: Path, settings: Any) -> Iterator[None]:
    with brokers.answering(tmp_path) as valkey:
        settings.CELERY_BROKER_URL = valkey.url
        yield


def test_liveness_is_public_and_asks_no_server(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        response = client.get("/api/health")
    assert response.status_code == 200
    assert response.json() == {"service": "arcadia-cloud", "status": "ok"}


def test_alive_needs_no_database_at_all(client: Client) -> None:
    client.cookies["sessionid"] = "x" * 32
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", refuse)
        assert client.get("/api/health").status_code == 200


def test_ready_names_each_check(client: Client, checks: dict[str, Any]) -> None:
    for name in set(checks) - {"database", "migrations", "broker"}:
        del checks[name]
    response = client.get(READY)
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "checks": {
            "database": {"ok": True, "words": "answers"},
            "migrations": {"ok": True, "words": "all applied"},
            "broker": {"ok": True, "words": "answers"},
        },
    }


@pytest.mark.parametrize(("version", "is_fit"), [(170_009, False), (180_000, True), (190_001, True)])
def test_a_postgresql_that_is_too_old_fails_migrations_and_readiness(
    version: int, is_fit: bool, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(connections["default"]), "pg_version", version)
    monkeypatch.setattr(DatabaseWrapper, "pg_version", version)  # of the check's own connection
    assert client.get(READY).json()["checks"]["database"]["ok"] is is_fit
    if is_fit:
        call_command("check", databases=["default"])
        return
    assert client.get(READY).status_code == 503
    commands: dict[str, dict[str, Any]] = {
        "check": {"databases": ["default"]},
        "migrate": {"skip_checks": False},
    }
    for command, options in commands.items():
        with pytest.raises(SystemCheckError, match=r"PostgreSQL 17 .* 18 or newer is needed"):
            call_command(command, **options)


@pytest.mark.parametrize("way", ["refusing", "silent", "stopped"])
def test_an_unavailable_broker_is_reported_soon(
    way: str, client: Client, tmp_path: Path, settings: Any
) -> None:
    with brokers.away(way, tmp_path / "other") as url:
        settings.CELERY_BROKER_URL = url
        began = time.monotonic()
        response = client.get(READY)
        assert time.monotonic() - began < 2
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    broker = response.json()["checks"]["broker"]
    assert not broker["ok"]
    assert "127.0.0.1" not in broker["words"]


def test_a_database_that_is_away_is_an_answer_too(client: Client) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", refuse)
        response = client.get(READY)
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == {"ok": False, "words": "the database doesn't answer"}
    assert "10.1.2.3" not in response.text


def test_a_read_only_database_is_not_ready(client: Client) -> None:
    with connections["default"].cursor() as cursor:
        name = connections["default"].ops.quote_name(connections["default"].settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        try:
            response = client.get(READY)
        finally:
            cursor.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert (response.status_code, response.json()["status"]) == (503, "not ready")
    words = "answers, but takes no writes: it is read-only"
    assert response.json()["checks"]["database"] == {"ok": False, "words": words}


@pytest.mark.parametrize(("vital", "status"), [(True, 503), (False, 200)])
def test_a_check_that_hangs_is_named_within_two_seconds_and_never_asked_twice_at_once(
    vital: bool, status: int, client: Client, checks: dict[str, Any]
) -> None:
    asked, over = [], threading.Event()

    def hang() -> CheckResult:
        asked.append(1)
        over.wait(30)
        return CheckResult(ok=True, message="at last")

    register(f"stars {vital}", hang, vital=vital)
    try:
        for _ in range(2):
            began = time.monotonic()
            response = client.get(READY)
            assert time.monotonic() - began < 2
            assert response.status_code == status
            answers = response.json()["checks"]
            assert answers.pop(f"stars {vital}") == {"ok": False, "words": "gave no answer within 1.5 s"}
            assert answers["database"]["ok"]
            assert answers["broker"]["ok"]
        assert asked == [1]
    finally:
        over.set()


@pytest.fixture
def _kernel_migrations_forgotten(transactional_db: None) -> Iterator[None]:
    """The kernel's migrations, not recorded while the test runs: no test's end restores that table."""
    recorded = list(MigrationRecorder.Migration.objects.filter(app="kernel"))
    MigrationRecorder.Migration.objects.filter(app="kernel").delete()
    yield
    MigrationRecorder.Migration.objects.bulk_create(recorded)


@pytest.mark.usefixtures("_kernel_migrations_forgotten")
def test_an_unapplied_migration_is_not_ready(client: Client, checks: dict[str, Any]) -> None:
    checks["migrations"] = MigrationsCheck()
    response = client.get(READY)
    assert response.status_code == 503
    assert response.json()["checks"]["migrations"]["ok"] is False


def test_an_apps_check_decides_too(client: Client, checks: dict[str, Any]) -> None:
    register("stars", lambda: CheckResult(ok=False, message="droplets: 3 h old"))
    response = client.get(READY)
    assert response.status_code == 503
    assert response.json()["checks"]["stars"] == {"ok": False, "words": "droplets: 3 h old"}


def test_a_check_that_is_not_vital_turns_no_traffic_away(client: Client, checks: dict[str, Any]) -> None:
    register("stars", lambda: CheckResult(ok=False, message="droplet: never", vital=False))
    response = client.get(READY)
    assert (response.status_code, response.json()["status"]) == (200, "degraded")


def test_a_check_stands_once(checks: dict[str, Any]) -> None:
    register("stars", lambda: CheckResult(ok=True, message=""))
    with pytest.raises(ValueError, match="registered twice"):
        register("stars", lambda: CheckResult(ok=True, message=""))


def refuse(*_arguments: object) -> None:
    raise OperationalError("connection to server at 10.1.2.3 failed")
