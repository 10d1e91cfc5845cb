"""Emptying the database after a test that committed: only the tables with rows, in one call.

Django's way truncates every table, which gives each of them and of their indexes a new file, and makes all
permissions and content types anew. Here those two tables, which no test writes, keep their rows.
"""

from functools import cache
from typing import Final

import psycopg
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TransactionTestCase

from tests.processes import test_database_url

KEPT: Final = {Permission._meta.db_table, ContentType._meta.db_table}
_EMPTY: Final = "SELECT pg_temp.empty_tables()"
# No test meets the dead rows of a large one. To truncate takes 0.3 s, to delete 4 ms.
TRUNCATED_FROM_BYTES: Final = 1024 * 1024


def empty_tables(_case: TransactionTestCase) -> None:
    """Take the place of `TransactionTestCase._fixture_teardown`."""
    try:
        _session().execute(_EMPTY)
    except psycopg.OperationalError:
        if not _session().closed:
            raise
        # A test has ended every connection to its database, this one too.
        _session.cache_clear()
        _session().execute(_EMPTY)
    ContentType.objects.clear_cache()


def close_session() -> None:
    """Close this worker's own connection, so that its database can be dropped."""
    if _session.cache_info().currsize:
        _session().close()
        _session.cache_clear()


def may_empty_tables() -> bool:
    """Return whether this login may switch triggers off; only a superuser may."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser') = 'on'")
        (may,) = cursor.fetchone()
    return bool(may)


@cache
def _session() -> psycopg.Connection:
    """Open this worker's own connection, with the function that empties the tables.

    As a replica it fires no triggers: histories may be deleted, and rows in any order. It is one from its
    start to its end, since the server discards all plans where that changes: to plan a look into each table
    takes ten times as long as to look.
    """
    options = "-c session_replication_role=replica -c lock_timeout=60s"
    session = psycopg.connect(test_database_url(), autocommit=True, options=options)
    session.execute(_function())
    return session


def _function() -> bytes:
    """Build the function from the tables that there are.

    Its locks wait for writers that haven't committed yet, as TRUNCATE does: what they leave goes too.
    """
    found = connection.introspection.django_table_names(only_existing=True, include_views=False)
    names = sorted({connection.ops.quote_name(name) for name in found if name not in KEPT})
    listed = ", ".join(names)
    each = "\n".join(f"IF EXISTS (SELECT FROM {name}) THEN DELETE FROM {name}; END IF;" for name in names)  # noqa: S608
    return f"""
        CREATE FUNCTION pg_temp.empty_tables() RETURNS void LANGUAGE plpgsql AS $empty$
        BEGIN
            LOCK TABLE {listed} IN SHARE ROW EXCLUSIVE MODE;
            IF EXISTS (
                SELECT FROM unnest(ARRAY[{", ".join(f"'{name}'" for name in names)}]::regclass[]) AS name
                WHERE pg_relation_size(name) >= {TRUNCATED_FROM_BYTES}
            ) THEN
                TRUNCATE {listed};
                RETURN;
            END IF;
            {each}
        END
        $empty$
    """.encode()
