"""An operator's hand on a saga: cancel it, retry it, nudge for it again."""

from typing import Any

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Now

from arcadia_cloud.kernel.alerts import resolve_alert
from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.queue.nudge import nudge
from provisioning import registry
from provisioning.engine.execution import CANCELLED
from provisioning.engine.suspension import ADVANCE, DEAD_LETTER, QUEUE
from provisioning.errors import WrongState
from provisioning.models import SagaRun, SagaSubject
from provisioning.start import start_saga
from provisioning.states import LIVE, Direction, SagaStatus


def cancel_saga(*, saga_id: int, requested_by: str) -> SagaRun:
    """Have the saga undo what it did, at its next step boundary or at once while it waits.

    One that nobody has begun is rolled back here. A dead letter on its way forward is brought back to life
    and turns round. Repeating it changes nothing. Raises NotFound, or WrongState for a saga that has ended
    or is going back already.
    """
    with transaction.atomic():
        saga = _locked(saga_id)
        if saga.status in {SagaStatus.COMPLETED, SagaStatus.ROLLED_BACK}:
            raise WrongState(f"saga {saga_id} is {_words(saga)}: it can't be cancelled any more")
        if saga.direction == Direction.BACKWARD and not saga.cancel_requested:
            raise WrongState(f"saga {saga_id} is being rolled back already")
        if not saga.cancel_requested:
            _change(saga, **_cancelling(saga, requested_by))
        if saga.status == SagaStatus.ROLLED_BACK:
            SagaSubject.objects.filter(saga=saga).delete()
        else:
            nudge(ADVANCE, queue=QUEUE, saga_id=saga_id)
    return saga


def _cancelling(saga: SagaRun, requested_by: str) -> dict[str, Any]:
    asked = {
        "cancel_requested": True,
        "cancel_requested_by": requested_by,
        "cancel_requested_at": Now(),
        "nudged_at": None,
    }
    if saga.status == SagaStatus.PENDING:
        error = {"reason": CANCELLED, "compensate_from_idx": None}
        return asked | {"status": SagaStatus.ROLLED_BACK, "error": error, "finished_at": Now()}
    if saga.status == SagaStatus.FAILED:
        return asked | _revived(saga, requested_by)
    return asked | {"wake_at": Case(When(lease_token=None, then=Value(None)), default=F("wake_at"))}


def retry_saga(*, saga_id: int, requested_by: str) -> SagaRun:
    """Let a dead letter go on where it stood, or start a rolled-back saga again as a new one.

    Retrying a rolled-back saga twice returns the same new one. Raises NotFound, WrongState for any other
    saga and while this build lacks a step that is still to come, and what `start_saga` raises.
    """
    with transaction.atomic():
        saga = _locked(saga_id)
        if saga.status == SagaStatus.FAILED:
            if missing := _missing_steps(saga):
                raise WrongState(f"this build still has no step {', '.join(missing)}")
            _change(saga, **_revived(saga, requested_by))
            nudge(ADVANCE, queue=QUEUE, saga_id=saga_id)
            return saga
        if saga.status == SagaStatus.ROLLED_BACK:
            return start_saga(
                kind=saga.kind,
                inputs=saga.inputs,
                requested_by=requested_by,
                idempotency_key=f"retry:{saga_id}",
                retry_of=saga_id,
            )
    raise WrongState(f"saga {saga_id} is {_words(saga)}: it can't be retried")


def requeue_saga(*, saga_id: int) -> SagaRun:
    """Nudge for a live saga once more; harmless at any time. Raises NotFound, WrongState for an ended one."""
    with transaction.atomic():
        saga = _locked(saga_id)
        if saga.status not in LIVE:
            raise WrongState(f"saga {saga_id} is {_words(saga)}: nothing is left to do")
        _change(saga, nudged_at=None)
        nudge(ADVANCE, queue=QUEUE, saga_id=saga_id)
    return saga


def _revived(saga: SagaRun, by: str) -> dict[str, Any]:
    """What makes a dead letter live again, in its direction; closes its alert."""
    resolve_alert(code=DEAD_LETTER, subject=f"saga:{saga.pk}", actor=by)
    forward = saga.direction == Direction.FORWARD
    error = saga.error or {}
    turned_back = {
        "reason": error.get("turned_back_by"),
        "compensate_from_idx": error.get("compensate_from_idx"),
    }
    return {
        "status": SagaStatus.RUNNING if forward else SagaStatus.COMPENSATING,
        "error": None if forward else turned_back,
        "finished_at": None,
        "recoveries": 0,
        "wake_at": None,
        "nudged_at": None,
    }


def _missing_steps(saga: SagaRun) -> list[str]:
    here = saga.current_step_idx
    ahead = saga.step_modules[here:] if saga.direction == Direction.FORWARD else saga.step_modules[: here + 1]
    return sorted({name for name in ahead if registry.step_named(name) is None})


def _words(saga: SagaRun) -> str:
    return saga.status.replace("_", " ")


def _locked(saga_id: int) -> SagaRun:
    saga = SagaRun.objects.select_for_update(of=("self",)).filter(pk=saga_id).first()
    if saga is None:
        raise NotFound(f"there is no saga {saga_id}")
    return saga


def _change(saga: SagaRun, **changes: Any) -> None:
    SagaRun.objects.filter(pk=saga.pk).update(**changes)
    saga.refresh_from_db()
