from typing import Any, Final

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections

LOCK_KEY: Final = 4_005_001  # of nothing else here; advisory locks are numbers


class Command(migrate.Command):
    """Django's own, one at a time: of several that start together, as replicas do, the others wait.

    Refused behind PgBouncer, whose transactions may each get another session: the lock would be taken in one
    and freed in another, so that it holds nothing now and everything later.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        if connections[options["database"]].settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
            raise CommandError(
                "migrate needs sessions of its own: let DATABASE_URL name PostgreSQL itself, not PgBouncer, "
                "and unset ARCADIA_DB_BEHIND_PGBOUNCER for this command"
            )
        # The session's: migrations that aren't one transaction are covered, and a lost session frees it.
        with connections[options["database"]].cursor() as cursor:
            # The others' wait is as long as the first one's migrations; a limit would fail them.
            cursor.execute("SET lock_timeout = 0")
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
            cursor.execute("RESET lock_timeout")
            cursor.execute("RESET statement_timeout")
            try:
                super().handle(*args, **options)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK_KEY])
