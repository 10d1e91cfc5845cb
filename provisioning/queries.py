"""Reads that more than one edge needs."""

from dataclasses import dataclass

from django.db.models import Count, Q

from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.models import Alert
from provisioning.brakes import brake
from provisioning.engine.compensation import COMPENSATION_FAILED
from provisioning.models import ProvisioningBrake, SagaRun, SagaStepResult
from provisioning.states import LIVE, SagaStatus


def saga_by_id(saga_id: int) -> SagaRun:
    """The saga. Raises NotFound."""
    saga = SagaRun.objects.filter(pk=saga_id).first()
    if saga is None:
        raise NotFound(f"there is no saga {saga_id}")
    return saga


def ledger_of(saga_id: int) -> list[SagaStepResult]:
    """What became of each step that was begun, in the order of the steps."""
    return list(SagaStepResult.objects.filter(saga_id=saga_id).order_by("step_idx"))


@dataclass(frozen=True, slots=True)
class ProvisioningSummary:
    """How provisioning stands. `undo_failures` are those that nobody has settled: their alert is open."""

    live: int
    waiting: int
    dead_letters: int
    undo_failures: int
    brake: ProvisioningBrake


def standing() -> ProvisioningSummary:
    """Count what is live and what needs a hand. Three queries."""
    counted = SagaRun.objects.filter(status__in=[*LIVE, SagaStatus.FAILED]).aggregate(
        live=Count("pk", filter=Q(status__in=LIVE)),
        waiting=Count("pk", filter=Q(status=SagaStatus.WAITING)),
        dead_letters=Count("pk", filter=Q(status=SagaStatus.FAILED)),
    )
    undo_failures = Alert.objects.filter(code=COMPENSATION_FAILED, resolved_at=None).count()
    return ProvisioningSummary(**counted, undo_failures=undo_failures, brake=brake())
