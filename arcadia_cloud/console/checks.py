"""The checks of readiness that belong to no app. Imported before the models are loaded."""

from typing import Final

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from arcadia_cloud.kernel.impatient import impatient_redis
from arcadia_cloud.kernel.readiness import Verdict

_BROKER_TIMEOUT_SECONDS: Final = 0.5


def database() -> Verdict:
    """PostgreSQL answers a query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Verdict(ok=True, words="answers")


class MigrationsApplied:
    """Every migration of this version is applied. Once seen, that lasts as long as the process."""

    def __init__(self) -> None:
        self._seen = False

    def __call__(self) -> Verdict:
        """Compare the migrations on disk with those recorded."""
        if not self._seen:
            executor = MigrationExecutor(connection)
            waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
            if waiting:
                return Verdict(ok=False, words=f"{waiting} not applied")
            self._seen = True
        return Verdict(ok=True, words="all applied")


def broker() -> Verdict:
    """Redis answers a ping, soon. Without it requests go on and rows wait for the sweep: not vital."""
    try:
        impatient_redis(settings.CELERY_BROKER_URL, _BROKER_TIMEOUT_SECONDS).ping()
    except redis.RedisError as error:
        return Verdict(ok=False, words=f"doesn't answer ({type(error).__name__})", vital=False)
    return Verdict(ok=True, words="answers")
