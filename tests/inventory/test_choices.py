"""The database takes no choice that the code doesn't know."""

import pytest
from django.db import IntegrityError, connection, transaction

from inventory.models import Resource, ResourceEvent, SyncRun
from tests.inventory.observations import START, observed, seen

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("cloud_resources", "kind"),
        ("cloud_resources", "attributed_by"),
        ("cloud_resource_events", "event_type"),
        ("sync_runs", "mode"),
        ("sync_runs", "outcome"),
    ],
)
def test_an_unknown_choice_is_refused(table: str, column: str) -> None:
    observed(seen())
    SyncRun.objects.create(
        kind="droplet",
        mode="full",
        outcome="failed",
        requested_by="a test",
        started_at=START,
        finished_at=START,
    )
    with (
        pytest.raises(IntegrityError, match="violates check constraint"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET LOCAL arcadia.rewrite_history = 'allowed in tests'")
        cursor.execute(f"UPDATE {table} SET {column} = 'unheard'")


def test_every_choice_of_the_code_is_known_to_the_database() -> None:
    checks = {
        constraint.name
        for model in (Resource, ResourceEvent, SyncRun)
        for constraint in model._meta.constraints
        if constraint.name.endswith("_known")
    }
    assert checks == {
        "resource_kind_known",
        "resource_attributed_by_known",
        "event_type_known",
        "sync_run_mode_known",
        "sync_run_outcome_known",
    }
