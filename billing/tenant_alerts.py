"""Open alerts by the tenant that they are about: its sagas, deployments, costs and resources."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.models import Q, QuerySet

from arcadia_cloud.kernel.models import Alert
from billing.models import CostAnomaly
from deployments.models import Deployment
from inventory.models import Resource
from inventory.values import PROVIDER, Kind
from provisioning.models import SagaRun

_MOST_ALERTS: Final = 10_000
_MOST_DIGITS: Final = 18
# Subjects that name a row by its key, which has its tenant.
_ROWS: Final[Mapping[str, QuerySet[Any]]] = {
    "saga": SagaRun.objects.all(),
    "deployment": Deployment.objects.all(),
    "cost_anomaly": CostAnomaly.objects.all(),
    "resource": Resource.objects.live_or_gone(),
}
# Subjects that name a resource by its kind and the provider's id.
_KINDS: Final[Mapping[str, str]] = {**{kind: kind for kind in Kind.values}, "bucket": Kind.SPACES_BUCKET}


def open_alerts_by_tenant() -> dict[str, list[Alert]]:
    """Return each tenant's open alerts, the most severe first, of these the oldest. Six queries at most.

    One about a queue, a kind of resource or a job is no tenant's.
    """
    # In words, critical comes before warning.
    open_alerts = Alert.objects.filter(resolved_at=None).order_by("severity", "raised_at", "pk")
    alerts = list(open_alerts[:_MOST_ALERTS])
    owners = tenants_of([alert.subject for alert in alerts])
    found: dict[str, list[Alert]] = {}
    for alert in alerts:
        if tenant := owners.get(alert.subject):
            found.setdefault(tenant, []).append(alert)
    return found


def tenants_of(subjects: Sequence[str]) -> dict[str, str | None]:
    """Return the tenants of subjects; those of none are left out, or None."""
    keys: dict[str, list[str]] = {}
    for subject in subjects:
        name, _, key = subject.partition(":")
        keys.setdefault(name, []).append(key)
    owners: dict[str, str | None] = {}
    for name, table in _ROWS.items():
        pks = [int(key) for key in keys.get(name, ()) if key.isdecimal() and len(key) <= _MOST_DIGITS]
        if pks:
            rows = table.filter(pk__in=pks).values_list("pk", "tenant_id")
            owners |= {f"{name}:{pk}": tenant for pk, tenant in rows}
    named = _KINDS.keys() & keys.keys()
    if named:
        wanted = Q()
        for name in named:
            wanted |= Q(provider=PROVIDER, kind=_KINDS[name], provider_id__in=keys[name])
        found = Resource.objects.live_or_gone().filter(wanted).values_list("kind", "provider_id", "tenant_id")
        tenants = {(kind, key): tenant for kind, key, tenant in found}
        owners |= {f"{name}:{key}": tenants.get((_KINDS[name], key)) for name in named for key in keys[name]}
    return owners
