"""Readiness checks that belong to no app. Imported before the models are loaded."""

from collections.abc import Sequence
from typing import Any, Final

import redis
from django.conf import settings
from django.core import checks
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from arcadia_cloud.kernel.queue.redis_client import redis_client
from arcadia_cloud.kernel.readiness import CheckResult

_BROKER_TIMEOUT_SECONDS: Final = 0.5
_OLDEST_POSTGRES: Final = 18  # RETURNING old/new


def check_database() -> CheckResult:
    """Check that PostgreSQL answers a query, takes writes, and is new enough."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")  # a standby's too, and by whatever setting
        (read_only,) = cursor.fetchone()
    if read_only == "on":
        return CheckResult(ok=False, message="answers, but takes no writes: it is read-only")
    if _version_of(connection) < _OLDEST_POSTGRES:
        return CheckResult(ok=False, message=f"too old: PostgreSQL {_OLDEST_POSTGRES} or newer is needed")
    return CheckResult(ok=True, message="answers")


@checks.register(checks.Tags.database)
def postgres_is_new_enough(
    *, databases: Sequence[str] | None = None, **_options: Any
) -> list[checks.CheckMessage]:
    """Check in `migrate` and `check --database`: an older one would migrate, and then fail every sync."""
    found = {name: _version_of(connections[name]) for name in databases or ()}
    return [
        checks.Error(
            f"PostgreSQL {version} is too old: {_OLDEST_POSTGRES} or newer is needed",
            hint="DATABASE_URL must name such a server.",
            obj=name,
            id="arcadia_cloud.E001",
        )
        for name, version in found.items()
        if version < _OLDEST_POSTGRES
    ]


def _version_of(database: BaseDatabaseWrapper) -> int:
    version: int = getattr(database, "pg_version") // 10_000  # noqa: B009 - of PostgreSQL's wrapper alone
    return version


class MigrationsCheck:
    """The check that every migration of this version is applied; once passed, not made again."""

    def __init__(self) -> None:
        self._passed = False

    def __call__(self) -> CheckResult:
        """Compare the migrations on disk with those recorded."""
        if not self._passed:
            executor = MigrationExecutor(connection)
            waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
            if waiting:
                return CheckResult(ok=False, message=f"{waiting} not applied")
            self._passed = True
        return CheckResult(ok=True, message="all applied")


def check_broker() -> CheckResult:
    """Check that Redis answers a ping, soon. Not vital: without it rows wait for the sweep."""
    try:
        # A full one, and a read-only replica, answer a ping and take no message.
        redis_client(settings.CELERY_BROKER_URL, _BROKER_TIMEOUT_SECONDS).set("readiness", 1, ex=60)
    except redis.RedisError as error:
        return CheckResult(ok=False, message=f"takes no message ({type(error).__name__})", vital=False)
    return CheckResult(ok=True, message="answers")
