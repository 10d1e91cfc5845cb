"""Drifted resources for tests: observed, desired otherwise, and swept."""

from typing import Any

from django.db import connection
from django.utils import timezone

from drift.models import Drift
from drift.services import detect_resource
from inventory.models import Resource
from provisioning.services import record_provisioned
from tests.inventory.observations import observed, seen


def drifted(
    *names: str, spec: dict[str, Any] | None = None, tenant: str | None = None, **facts: Any
) -> list[Drift]:
    """Droplets of these names whose desired state differs in the fields of `spec`; the open rows, by id."""
    first = 4711 + Resource.objects.count()
    observed(
        *(seen(provider_id=str(first + number), name=name, **facts) for number, name in enumerate(names))
    )
    for row in Resource.objects.filter(name__in=names):
        record_provisioned(resource_pk=row.pk, spec=spec or {"region": "ams3"}, saga_id=None)
    Resource.objects.filter(name__in=names).update(tenant_id=tenant)
    for row in Resource.objects.filter(name__in=names):
        detect_resource(resource_pk=row.pk, at=timezone.now())
    return list(Drift.objects.open().order_by("pk"))


def copy_rows(drift: Drift, count: int) -> None:
    """Add open rows like this one, each of a field of its own: for counts of queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cloud_drift (resource_id, kind, field, expected, actual, cause, status, detected_at,"
            " last_seen_at) SELECT resource_id, kind, field || n, expected, actual, md5((n %% 7)::text),"
            " status, detected_at, last_seen_at FROM cloud_drift, generate_series(1, %s) AS n WHERE id = %s",
            [count, drift.pk],
        )
