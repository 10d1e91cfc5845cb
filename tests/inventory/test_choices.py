"""The database takes no choice that the code doesn't know."""

import pytest
from django.db import IntegrityError, connection
from psycopg import sql

from inventory.models import SyncRun
from tests.inventory.observations import START, observed, seen

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("table", "column", "check"),
    [
        ("cloud_resources", "kind", "resource_kind_known"),
        ("cloud_resources", "attributed_by", "resource_attributed_by_known"),
        ("cloud_resource_events", "event_type", "event_type_known"),
        ("sync_runs", "mode", "sync_run_mode_known"),
        ("sync_runs", "outcome", "sync_run_outcome_known"),
    ],
)
def test_an_unknown_choice_is_refused(table: str, column: str, check: str) -> None:
    observed(seen())
    SyncRun.objects.create(
        kind="droplet",
        mode="full",
        outcome="failed",
        requested_by="a test",
        started_at=START,
        finished_at=START,
    )
    update = sql.SQL("UPDATE {} SET {} = 'unheard'").format(sql.Identifier(table), sql.Identifier(column))
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match=check):
        cursor.execute(update)
