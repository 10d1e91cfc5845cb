"""The life cycle of drift, kept by the database itself in this suite."""

from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from drift.states import DRIFT_LIFECYCLE
from tests.kernel.lifecycles import forbid_illegal_moves


@pytest.fixture(scope="package", autouse=True)
def _listed_moves_only(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """For this suite, the database itself refuses moves that the life cycle doesn't list."""
    with django_db_blocker.unblock():
        forbid_illegal_moves("cloud_drift", DRIFT_LIFECYCLE.field, DRIFT_LIFECYCLE.moves)
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER forbid_illegal_moves_of_{DRIFT_LIFECYCLE.field} ON cloud_drift")
