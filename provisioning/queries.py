"""The reads of provisioning that other apps and the edges need: the app's only door for them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.models import Alert
from provisioning.engine.compensation import COMPENSATION_FAILED
from provisioning.engine.dead_letters import DEAD_LETTER
from provisioning.left_off import LEFT_OFF
from provisioning.models import ProvisioningBrake, SagaRun, SagaStepResult
from provisioning.pause import pause_state
from provisioning.plan import Plan, plan_saga
from provisioning.registry import step_named, workflow_of, workflows
from provisioning.reversals import Reversal, reason_against, require_revertable, reversals_of
from provisioning.states import LIVE, SagaStatus

__all__ = [
    "COMPENSATION_FAILED",
    "DEAD_LETTER",
    "LEFT_OFF",
    "Plan",
    "ProvisioningSummary",
    "Reversal",
    "list_failed_sagas",
    "list_steps",
    "pause_state",
    "plan_saga",
    "reason_against",
    "require_revertable",
    "reversals_of",
    "saga_at_work",
    "saga_by_id",
    "step_named",
    "summarize_provisioning",
    "workflow_of",
    "workflows",
]


def saga_by_id(saga_id: int) -> SagaRun:
    """Return the saga. Raises NotFound."""
    saga = SagaRun.objects.filter(pk=saga_id).first()
    if saga is None:
        raise NotFound(f"there is no saga {saga_id}")
    return saga


def saga_at_work(subject: str, *, at: datetime) -> SagaRun | None:
    """Return the saga that worked on a subject, as `droplet:4711`, at an instant; None where none did.

    A sync may see what a saga does before the saga itself writes it down.
    """
    began = SagaRun.objects.filter(subjects__contains=[subject], started_at__lte=at)
    return began.filter(Q(finished_at=None) | Q(finished_at__gte=at)).order_by("-pk").first()


def list_failed_sagas(most: int) -> list[SagaRun]:
    """Return the dead letters, the oldest first; `most` of them, without their inputs and outputs."""
    columns = ("pk", "kind", "finished_at")
    return list(SagaRun.objects.filter(status=SagaStatus.FAILED).only(*columns).order_by("pk")[:most])


def list_steps(saga_id: int) -> list[SagaStepResult]:
    """Return the ledger: each step that was begun, in the order of the steps."""
    return list(SagaStepResult.objects.filter(saga_id=saga_id).order_by("step_idx"))


@dataclass(frozen=True, slots=True)
class ProvisioningSummary:
    """Counts of what is live and what needs an operator. `compensation_failures` have an open alert."""

    live: int
    waiting: int
    dead_letters: int
    compensation_failures: int
    brake: ProvisioningBrake


def summarize_provisioning() -> ProvisioningSummary:
    """Count what is live and what needs an operator. Three queries."""
    counted = SagaRun.objects.filter(status__in=[*LIVE, SagaStatus.FAILED]).aggregate(
        live=Count("pk", filter=Q(status__in=LIVE)),
        waiting=Count("pk", filter=Q(status=SagaStatus.WAITING)),
        dead_letters=Count("pk", filter=Q(status=SagaStatus.FAILED)),
    )
    failures = Alert.objects.filter(code=COMPENSATION_FAILED, resolved_at=None).count()
    return ProvisioningSummary(**counted, compensation_failures=failures, brake=pause_state())
