"""Emptying the database after a test that committed: only the tables with rows, in one statement.

Django's way truncates every table, which gives each of them and of their indexes a new file, and makes all
permissions and content types anew. Here those two tables, which no test writes, keep their rows.
"""

from functools import cache
from typing import Final

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TransactionTestCase

KEPT: Final = {Permission._meta.db_table, ContentType._meta.db_table}
TRUNCATED_FROM_BYTES: Final = 256 * 1024  # no test meets the dead rows of a large one


def empty_tables(_case: TransactionTestCase) -> None:
    """Take the place of `TransactionTestCase._fixture_teardown`."""
    with connection.cursor() as cursor:
        cursor.execute(_statement())
    ContentType.objects.clear_cache()


def may_empty_tables() -> bool:
    """Return whether this login may switch triggers off; only a superuser may."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser') = 'on'")
        (may,) = cursor.fetchone()
    return bool(may)


@cache
def _statement() -> str:
    """Build the statement from the tables that there are.

    Its locks wait for writers that haven't committed yet, as TRUNCATE does: what they leave goes too. As a
    replica the session fires no triggers: histories may be deleted, and rows in any order.
    """
    found = connection.introspection.django_table_names(only_existing=True, include_views=False)
    names = sorted({connection.ops.quote_name(name) for name in found if name not in KEPT})
    listed = ", ".join(names)
    return f"""
        DO $empty$
        DECLARE
            name text;
            has_rows boolean;
        BEGIN
            LOCK TABLE {listed} IN SHARE ROW EXCLUSIVE MODE;
            PERFORM set_config('session_replication_role', 'replica', true);
            FOREACH name IN ARRAY ARRAY[{", ".join(f"'{name}'" for name in names)}] LOOP
                IF pg_relation_size(name::regclass) >= {TRUNCATED_FROM_BYTES} THEN
                    TRUNCATE {listed};
                    EXIT;
                END IF;
                EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO has_rows;
                IF has_rows THEN
                    EXECUTE 'DELETE FROM ' || name;
                END IF;
            END LOOP;
        END
        $empty$
    """  # noqa: S608 - names of tables, quoted
