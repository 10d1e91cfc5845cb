"""History can't be rewritten, not from a shell either."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError

from deployments.models import Deployment
from inventory.models import ResourceEvent
from tests.inventory.observations import a_project, observed, seen, the_resource

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _as_in_production() -> None:
    """Without the setting by which test databases can be emptied."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL arcadia.rewrite_history = ''")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cloud_resource_events SET actor = 'nobody'",
        "UPDATE cloud_resource_events SET at = now() WHERE event_type = 'discovered'",
        "DELETE FROM cloud_resource_events",
        "TRUNCATE cloud_resource_events",
        "TRUNCATE cloud_resources CASCADE",
    ],
)
def test_plain_sql_is_refused(statement: str) -> None:
    observed(seen())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with (
        pytest.raises(DatabaseError, match=r"cloud_resource_events is append-only: \w+ is refused"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert ResourceEvent.objects.get().actor == "a test"


def test_what_history_points_at_cannot_be_deleted() -> None:
    shop = Deployment.objects.create(tenant_id="acme", slug="shop")
    project = a_project("Acme", "acme")
    observed(seen(project_id=project.pk, tenant_id="acme", deployment_id=shop.pk))
    for row in (the_resource(), project, shop):
        with pytest.raises(ProtectedError):
            row.delete()
    with (
        pytest.raises(DatabaseError, match="violates foreign key constraint"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; DELETE FROM cloud_resources")
