"""The brakes: the global pause, protected resources, caps on creates."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min, Q
from django.db.models.functions import Now

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.queue.nudge import nudge
from inventory.models import Resource
from inventory.values import PROVIDER
from provisioning.contract import StepState, Wait
from provisioning.errors import Protected
from provisioning.models import ProtectedResource, ProvisioningBrake, SagaCreate

PROTECTED_TAG = "protected"
CREATES_CAPPED = "creates_capped"
_WINDOW = timedelta(hours=1)
_LOOK_AGAIN_SECONDS = 60.0  # a cap that an operator raises is noticed so soon


def brake() -> ProvisioningBrake:
    """The pause as it stands; an unsaved row when nobody ever paused."""
    return ProvisioningBrake.objects.first() or ProvisioningBrake()


def pause(*, by: str, reason: str = "") -> None:
    """Let no saga start, and the running ones stop at their next step. Repeating it changes the reason."""
    _set_brake(paused=True, by=by, reason=reason)


def unpause(*, by: str) -> None:
    """Let sagas go on, and have the sweep look for them at once."""
    with transaction.atomic():
        _set_brake(paused=False, by=by, reason="")
        nudge("provisioning.sweep", queue="provisioning")


def _set_brake(*, paused: bool, by: str, reason: str) -> None:
    values = {"paused": paused, "changed_by": by, "reason": reason, "changed_at": Now()}
    ProvisioningBrake.objects.update_or_create(pk=1, defaults=values)


def protect(*, resource_pk: int, by: str, note: str = "") -> None:
    """Mark a resource: no saga destroys, resizes or powers it off. Raises NotFound."""
    if not Resource.objects.filter(pk=resource_pk).exists():
        raise NotFound(f"there is no resource {resource_pk}")
    values = {"protected_by": by, "note": note, "protected_at": Now()}
    ProtectedResource.objects.update_or_create(resource_id=resource_pk, defaults=values)


def unprotect(*, resource_pk: int) -> bool:
    """Take the mark away; False when there was none. A tag `protected` still protects."""
    deleted, _ = ProtectedResource.objects.filter(resource_id=resource_pk).delete()
    return deleted == 1


def refuse_if_protected(*, kind: str, provider_id: str, tags: Iterable[str] = ()) -> None:
    """Raise Protected when an operator's mark or the tag `protected` is on the resource.

    For a workflow's `check`, and again for the step before its first harm: the mark may be newer than the
    saga. `tags` are those that the provider tells now; inventory's are looked at in any case.
    """
    named = Resource.objects.filter(provider=PROVIDER, kind=kind, provider_id=provider_id)
    marked = named.filter(Q(protection__isnull=False) | Q(tags__contains=[PROTECTED_TAG]))
    if PROTECTED_TAG in tags or marked.exists():
        raise Protected(f"{kind} {provider_id} is protected: take its mark or its tag away first")


def reserve_create(state: StepState) -> Wait | None:
    """Count the create that this step is about to make against the caps; Wait while there is no room.

    Once reserved, it stays so for this step, however often that is entered. For a step without a deadline,
    since room may take an hour. An alert tells that sagas wait for it.

    Droplets count, and the snapshots that are taken of a droplet as it runs: those of `snapshot_droplet` and
    of a resize, both before anything is done to it. The last snapshot of one that is destroyed doesn't: it
    would be switched off for as long as its saga waited, and there are no more of them than droplets. Nor
    do projects and DNS records, which cost nothing and come with a droplet that counts.
    """
    with transaction.atomic(durable=True):
        ProvisioningBrake.objects.get_or_create(pk=1)
        ProvisioningBrake.objects.select_for_update().get(pk=1)  # one reservation at a time counts
        if SagaCreate.objects.filter(saga_id=state.saga_id, step_idx=state.step_idx).exists():
            return None
        full = _full(state.tenant_id)
        if full is None:
            SagaCreate.objects.create(
                saga_id=state.saga_id, step_idx=state.step_idx, tenant_id=state.tenant_id, at=Now()
            )
            return None
        subject, reason = full
        raise_alert(code=CREATES_CAPPED, subject=subject, message=f"Sagas wait: {reason}")
    return Wait(_LOOK_AGAIN_SECONDS, reason)


def _full(tenant_id: str | None) -> tuple[str, str] | None:
    """Which cap leaves no room, as the alert's subject and the reason; None: there is room."""
    of_tenant = Q(tenant_id=tenant_id) if tenant_id is not None else Q(pk__isnull=True)
    counted: dict[str, Any] = SagaCreate.objects.filter(at__gt=Now() - _WINDOW).aggregate(
        everybody=Count("pk"), tenant=Count("pk", filter=of_tenant), since=Min("at")
    )
    most, most_of_tenant = settings.ARCADIA_CREATES_PER_HOUR, settings.ARCADIA_CREATES_PER_TENANT_PER_HOUR
    if counted["everybody"] >= most:
        return "creates:all", f"{counted['everybody']} creates within an hour, {most} allowed"
    if tenant_id is not None and counted["tenant"] >= most_of_tenant:
        words = f"{counted['tenant']} creates for tenant {tenant_id} within an hour, {most_of_tenant} allowed"
        return f"tenant:{tenant_id}", words
    return None
