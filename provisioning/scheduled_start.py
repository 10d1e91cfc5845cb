"""The beginning of scheduled sagas: checked again, their subjects taken; or refused, or too late."""

from datetime import timedelta
from typing import Final

import msgspec
import structlog
from django.db.models.functions import Now

from arcadia_cloud.kernel.errors import DomainError
from arcadia_cloud.kernel.sql import fetch_all, fetch_one, load
from provisioning import registry
from provisioning.errors import SubjectBusy
from provisioning.models import SagaRun
from provisioning.pause import pause_state
from provisioning.provider_offer import refresh_offer
from provisioning.start import UNCHECKED, check_inputs, parse_inputs, refuse_busy_subjects, resolve_steps
from provisioning.states import SagaStatus

log = structlog.get_logger(__name__)
REFUSED: Final = "refused"
_BUSY_PAUSE: Final = timedelta(seconds=15)
_BEGIN_SAGA: Final = load(__package__, "begin_saga.sql")
_END_TOO_LATE: Final = load(__package__, "end_too_late.sql")


def begin_if_due(saga_id: int) -> bool:
    """Begin the saga if its start was scheduled and is due; True when it may be claimed now.

    While another saga works on the same thing, it waits on. What is refused by now ends rolled back, nothing
    done, with the refusal in its error. Must be called outside a transaction: the provider may be asked.
    """
    due = SagaRun.objects.filter(
        pk=saga_id, status=SagaStatus.PENDING, start_at__isnull=False, begun_at=None, wake_at__lte=Now()
    )
    saga = due.first()
    # Another build's workflow is left to it.
    if saga is None or registry.workflow_of(saga.kind) is None or pause_state().paused:
        return False
    # Before anything is locked: the provider may take seconds to answer.
    refresh_offer(kind=saga.kind)
    try:
        return begin(saga)
    except SubjectBusy as busy:
        # Under the same conditions: an operator may have begun or cancelled it meanwhile.
        due.update(wake_at=Now() + _BUSY_PAUSE, wait_reason=busy.detail, nudged_at=None)
    except DomainError as refusal:
        error = {"reason": REFUSED, "message": refusal.detail, "compensate_from_idx": None}
        # Under the same conditions too: one that was begun by hand holds subjects, which its worker frees.
        if due.update(status=SagaStatus.ROLLED_BACK, error=error, finished_at=Now(), wake_at=None):
            log.warning("scheduled_saga_refused", saga=saga_id, kind=saga.kind, detail=refusal.detail)
    return False


def begin(saga: SagaRun) -> bool:
    """Check a scheduled saga's inputs again, and have it take its subjects; False when it begins no more.

    Raises SubjectBusy, and what its inputs' checks raise.
    """
    workflow, inputs, _ = parse_inputs(saga.kind, saga.inputs)
    saga.context.pop(UNCHECKED, None)
    if unchecked := check_inputs(inputs):
        saga.context[UNCHECKED] = unchecked
        log.warning("saga_start_unchecked", saga=saga.pk, kind=saga.kind, unchecked=unchecked)
    # Anew: what it works on may have another owner by now, and other parts.
    resolve_steps(saga, workflow, inputs)
    parameters = {
        "saga_id": saga.pk,
        "steps": saga.step_modules,
        "subjects": saga.subjects,
        "tenant_id": saga.tenant_id,
        "deployment_id": saga.deployment_id,
        "context": msgspec.json.encode(saga.context).decode(),
    }
    # One statement: a saga that begins has its subjects, and one that doesn't has none.
    with refuse_busy_subjects(saga.subjects):
        return fetch_one(_BEGIN_SAGA, parameters, into=int) is not None


def end_too_late() -> int:
    """Roll back the sagas that no worker claimed by their `not_after`, also while all are paused."""
    ended = fetch_all(_END_TOO_LATE, {}, into=int)
    for saga_id in ended:
        log.warning("saga_too_late", saga=saga_id)
    return len(ended)
