"""The operator's actions on a saga: cancel it, retry it, nudge for it again."""

from typing import Any

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Now

from arcadia_cloud.kernel.alerts import resolve_alert
from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.queue.nudge import nudge
from arcadia_cloud.kernel.states import advance
from provisioning import registry
from provisioning.contract import PART, split_step
from provisioning.engine.dead_letters import DEAD_LETTER
from provisioning.engine.execution import CANCELLED
from provisioning.errors import WrongState
from provisioning.models import SagaRun, SagaSubject
from provisioning.queue import ADVANCE_SAGA, QUEUE
from provisioning.scheduled_start import begin
from provisioning.start import start_saga
from provisioning.states import LIVE, SAGA_LIFECYCLE, Direction, SagaStatus


def cancel_saga(*, saga_id: int, actor: str) -> SagaRun:
    """Have the saga compensate what it did, at its next step boundary or at once while it waits.

    One that hasn't begun is rolled back here. A dead letter on its way forward becomes live again and
    compensates. Repeating it changes nothing. Raises NotFound, or WrongState for a saga that has ended
    or is compensating already.
    """
    with transaction.atomic():
        saga = _lock(saga_id)
        if saga.status in {SagaStatus.COMPLETED, SagaStatus.ROLLED_BACK}:
            raise WrongState(f"saga {saga_id} is {_describe(saga)}: it can't be cancelled any more")
        if saga.direction == Direction.BACKWARD and not saga.cancel_requested:
            raise WrongState(f"saga {saga_id} is being rolled back already")
        if not saga.cancel_requested:
            _request_cancel(saga, actor)
        # The engine never sees a saga that was rolled back here: its subjects are freed here, too.
        if saga.status == SagaStatus.ROLLED_BACK:
            SagaSubject.objects.filter(saga=saga).delete()
        else:
            nudge(ADVANCE_SAGA, queue=QUEUE, saga_id=saga_id)
    return saga


def retry_saga(*, saga_id: int, actor: str) -> SagaRun:
    """Let a dead letter go on where it stood, or start a rolled-back saga again as a new one.

    The new one inherits what the first found, where that couldn't be put back: a droplet that it left off
    was on.

    Retrying a rolled-back saga twice returns the same new one. Raises NotFound, WrongState for any other
    saga and while this build lacks a step that is still to come, and what `start_saga` raises.
    """
    with transaction.atomic():
        saga = _lock(saga_id)
        if saga.status == SagaStatus.FAILED:
            idx, steps = saga.current_step_idx, saga.step_modules
            ahead = steps[idx:] if saga.direction == Direction.FORWARD else steps[: idx + 1]
            if missing := sorted({name for name in ahead if registry.step_named(name) is None}):
                raise WrongState(f"this build still has no step {', '.join(missing)}")
            _revive(saga, actor)
            nudge(ADVANCE_SAGA, queue=QUEUE, saga_id=saga_id)
            return saga
        if saga.status == SagaStatus.ROLLED_BACK:
            return start_saga(
                kind=saga.kind,
                inputs=saga.inputs,
                actor=actor,
                idempotency_key=f"retry:{saga_id}",  # two clicks are one retry
                retry_of=saga_id,
                context=_inherited_context(saga),
            )
    raise WrongState(f"saga {saga_id} is {_describe(saga)}: it can't be retried")


def begin_saga(*, saga_id: int) -> SagaRun:
    """Have a scheduled saga begin at once. Nothing changes where that is refused.

    Raises NotFound, WrongState for a saga that waits for no start, SubjectBusy, and what its inputs' checks
    raise.
    """
    with transaction.atomic():
        saga = _lock(saga_id)
        if not saga.is_scheduled:
            raise WrongState(f"saga {saga_id} is {_describe(saga)}: it waits for no start")
        if not begin(saga):
            raise WrongState(f"saga {saga_id} should have begun by {saga.not_after:%Y-%m-%d %H:%M} UTC")
        saga.refresh_from_db()
        nudge(ADVANCE_SAGA, queue=QUEUE, saga_id=saga_id)
    return saga


def requeue_saga(*, saga_id: int) -> SagaRun:
    """Nudge for a live saga once more; harmless at any time. Raises NotFound, WrongState for an ended one."""
    with transaction.atomic():
        saga = _lock(saga_id)
        if saga.status not in LIVE:
            raise WrongState(f"saga {saga_id} is {_describe(saga)}: nothing is left to do")
        # Should the nudge be lost, the next sweep doesn't wait for its half minute.
        _change(saga, nudged_at=None)
        nudge(ADVANCE_SAGA, queue=QUEUE, saga_id=saga_id)
    return saga


def _inherited_context(saga: SagaRun) -> dict[str, Any]:
    """Return the context that a retry begins with: what the first run found, unless all was put back."""
    context: dict[str, Any] = {}
    # For each part of the saga on its own: `was_on@4711` is inherited as `was_on` of `inherited@4711`.
    for step_name in dict.fromkeys(saga.step_modules):
        step, part = registry.step_named(step_name), split_step(step_name)[1]
        suffix = f"{PART}{part}" if part else ""
        inherited = dict(saga.context.get(f"inherited{suffix}", {}))
        # All was put back otherwise: what the retry finds is what the droplet is.
        if saga.compensation_failures and step is not None:
            names = [name for name in step.inherits if f"{name}{suffix}" in saga.context]
            inherited |= {name: saga.context[f"{name}{suffix}"] for name in names}
        if inherited:
            context.setdefault(f"inherited{suffix}", {}).update(inherited)
    return context


def _lock(saga_id: int) -> SagaRun:
    # Against the engine's statements, which write the same row: one of both sees what the other wrote.
    saga = SagaRun.objects.select_for_update(of=("self",)).filter(pk=saga_id).first()
    if saga is None:
        raise NotFound(f"there is no saga {saga_id}")
    return saga


def _request_cancel(saga: SagaRun, actor: str) -> None:
    request: dict[str, Any] = {
        "cancel_requested": True,
        "cancel_requested_by": actor,
        "cancel_requested_at": Now(),
        "nudged_at": None,
    }
    if saga.status == SagaStatus.PENDING:
        error = {"reason": CANCELLED, "compensate_from_idx": None}
        request |= {"finished_at": Now(), "wake_at": None}
        advance(saga, SagaStatus.ROLLED_BACK, SAGA_LIFECYCLE, error=error, **request)
    elif saga.status == SagaStatus.FAILED:
        _revive(saga, actor, **request)
    else:
        # Only a saga without a worker is woken; a worker sees the request at its next step by itself.
        wake_at = Case(When(lease_token=None, then=Value(None)), default=F("wake_at"))
        _change(saga, wake_at=wake_at, **request)


def _revive(saga: SagaRun, actor: str, **changes: Any) -> None:
    """Make a dead letter live again, in its direction, with no recoveries counted; resolve its alert."""
    resolve_alert(code=DEAD_LETTER, subject=f"saga:{saga.pk}", actor=actor)
    forward = saga.direction == Direction.FORWARD
    error = saga.error or {}
    compensation_error = {
        "reason": error.get("turned_back_by"),
        "compensate_from_idx": error.get("compensate_from_idx"),
    }
    changes |= {"finished_at": None, "recoveries": 0, "wake_at": None, "nudged_at": None}
    advance(
        saga,
        SagaStatus.RUNNING if forward else SagaStatus.COMPENSATING,
        SAGA_LIFECYCLE,
        error=None if forward else compensation_error,
        **changes,
    )


def _describe(saga: SagaRun) -> str:
    return saga.status.replace("_", " ")


def _change(saga: SagaRun, **changes: Any) -> None:
    # Only these columns: the row's others belong to the worker that has claimed it.
    SagaRun.objects.filter(pk=saga.pk).update(**changes)
    saga.refresh_from_db()
