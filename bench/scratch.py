"""A database to measure in: made for one bench, with our migrations, and dropped after it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def scratch_database() -> Iterator[None]:
    """Point Django at a new database for the block. What DATABASE_URL names is never written to."""
    original = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SET arcadia.rewrite_history = 'allowed in tests'"
            )  # tables are emptied between rounds
        yield
    finally:
        connection.creation.destroy_test_db(original, verbosity=0)
