"""Reads that more than one edge needs."""

from arcadia_cloud.kernel.errors import NotFound
from provisioning.models import SagaRun, SagaStepResult


def saga_by_id(saga_id: int) -> SagaRun:
    """The saga. Raises NotFound."""
    saga = SagaRun.objects.filter(pk=saga_id).first()
    if saga is None:
        raise NotFound(f"there is no saga {saga_id}")
    return saga


def ledger_of(saga_id: int) -> list[SagaStepResult]:
    """What became of each step that was begun, in the order of the steps."""
    return list(SagaStepResult.objects.filter(saga_id=saga_id).order_by("step_idx"))
