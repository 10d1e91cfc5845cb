"""The caps on creates per hour, for all sagas and for each tenant's."""

from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from arcadia_cloud.kernel.alerts import raise_alert
from provisioning.contract import StepState, Wait
from provisioning.models import ProvisioningBrake, SagaCreate

CREATES_CAPPED: Final = "creates_capped"
_WINDOW: Final = timedelta(hours=1)
_POLL_SECONDS: Final = 60.0  # a cap that an operator raises is noticed so soon


def reserve_create(state: StepState) -> Wait | None:
    """Count the create that this step is about to make against the caps; Wait while there is no room.

    Once reserved, it stays so for this step, however often that is entered. For a step without a deadline,
    since room may take an hour. An alert is open while sagas wait for it.

    Droplets count, and the snapshots that are taken of a droplet as it runs: those of `snapshot_droplet` and
    of a resize, both before anything is done to it. The last snapshot of one that is destroyed doesn't: it
    would be switched off for as long as its saga waited, and there are no more of them than droplets. Nor
    do projects and DNS records, which cost nothing and come with a droplet that counts.
    """
    with transaction.atomic(durable=True):
        ProvisioningBrake.objects.get_or_create(pk=1)
        # One reservation at a time counts: two that counted side by side would both find the last place free.
        ProvisioningBrake.objects.select_for_update().get(pk=1)
        if SagaCreate.objects.filter(saga_id=state.saga_id, step_idx=state.step_idx).exists():
            return None
        full = find_full_cap(state.tenant_id)
        if full is None:
            SagaCreate.objects.create(
                saga_id=state.saga_id, step_idx=state.step_idx, tenant_id=state.tenant_id, at=Now()
            )
            return None
        subject, reason = full
        raise_alert(code=CREATES_CAPPED, subject=subject, message=f"Sagas wait: {reason}")
    return Wait(_POLL_SECONDS, reason)


def find_full_cap(tenant_id: str | None, *, creates: int = 1) -> tuple[str, str] | None:
    """Return the alert's subject and the reason of the cap that leaves no room for so many, None for none."""
    of_tenant = Q(tenant_id=tenant_id) if tenant_id is not None else Q(pk__isnull=True)
    counted: dict[str, Any] = SagaCreate.objects.filter(at__gt=Now() - _WINDOW).aggregate(
        everyone=Count("pk"), tenant=Count("pk", filter=of_tenant)
    )
    most, most_of_tenant = settings.ARCADIA_CREATES_PER_HOUR, settings.ARCADIA_CREATES_PER_TENANT_PER_HOUR
    more = f", {creates} more are wanted" if creates > 1 else ""
    if counted["everyone"] + creates > most:
        return "creates:all", f"{counted['everyone']} creates within an hour, {most} allowed{more}"
    if tenant_id is not None and counted["tenant"] + creates > most_of_tenant:
        of = f"for tenant {tenant_id} within an hour"
        reason = f"{counted['tenant']} creates {of}, {most_of_tenant} allowed{more}"
        return f"tenant:{tenant_id}", reason
    return None
