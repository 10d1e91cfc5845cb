"""The sweep that recovers sagas: nudges for those that are due, and alerts of those that take too long."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from django.db.models.functions import Now

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.queue.broker import BrokerAway
from arcadia_cloud.kernel.queue.nudge import publish_now
from arcadia_cloud.kernel.sql import fetch_all, load
from provisioning import registry
from provisioning.create_caps import CREATES_CAPPED
from provisioning.engine.dead_letters import fail_unknown_steps
from provisioning.left_off import report_left_off
from provisioning.models import SagaRun
from provisioning.queue import ADVANCE_SAGA, QUEUE
from provisioning.scheduled_start import end_too_late
from provisioning.steps.cloud import TOKEN_REFUSED

log = structlog.get_logger(__name__)
OVERDUE: Final = "saga_overdue"
MOST_AT_ONCE: Final = 500
_AGAIN_AFTER_SECONDS: Final = 30.0
_MOST_FAILURES_IN_A_ROW: Final = 3  # of publishing: the broker is away
_MOST_ALERTS: Final = 100
_RAISED_AT_EACH_TRY: Final = (CREATES_CAPPED, TOKEN_REFUSED)
_QUIET_SECONDS: Final = 300.0  # longer than any pause between two tries
_MARK_DUE_AS_NUDGED: Final = load(__package__, "mark_due_as_nudged.sql")
_LIST_OVERDUE: Final = load(__package__, "list_overdue.sql")


def sweep() -> dict[str, int]:
    """Nudge for every saga that is due; return how many were nudged and how many alerts were raised.

    A saga is nudged at most every half minute. What can't be published is left for the next sweep and
    holds up nothing else; so is everything when the database goes away in the middle.
    """
    end_too_late()  # first: what is too late is nudged for no more
    parameters = {"again_after_seconds": _AGAIN_AFTER_SECONDS, "most": MOST_AT_ONCE}
    due = fetch_all(_MARK_DUE_AS_NUDGED, parameters, into=int)
    # Marked before they are published: a sweep that dies in between delays them by half a minute.
    unsent = _nudge_each(due)
    if unsent:
        SagaRun.objects.filter(pk__in=unsent).update(nudged_at=None)
    fail_unknown_steps()  # after the nudges: a worker that knows the step may be on its way
    resolve_quiet_alerts()
    report_left_off()
    return {"nudged": len(due) - len(unsent), "alerted": report_overdue()}


def _nudge_each(saga_ids: list[int]) -> list[int]:
    """Nudge for each on its own; return those for which it failed."""
    unsent: list[int] = []
    failed_in_a_row = 0
    for saga_id in saga_ids:
        # Each failure waits for a timeout: the next sweep would begin before this one ends.
        if failed_in_a_row == _MOST_FAILURES_IN_A_ROW:
            unsent.append(saga_id)
            continue
        try:
            publish_now(ADVANCE_SAGA, queue=QUEUE, saga_id=saga_id)
        except BrokerAway as error:
            log.warning("nudge_lost", saga=saga_id, error=type(error.__cause__ or error).__name__)
            unsent.append(saga_id)
            failed_in_a_row += 1
        else:
            failed_in_a_row = 0
    return unsent


def resolve_quiet_alerts() -> None:
    """Resolve the alerts of what sagas wait for, once none has met it lately: each try raises them."""
    since = Now() - timedelta(seconds=_QUIET_SECONDS)
    quiet = Alert.objects.filter(code__in=_RAISED_AT_EACH_TRY, resolved_at=None, last_raised_at__lt=since)
    for alert in quiet:
        resolve_alert(code=alert.code, subject=alert.subject, actor="the sweep")


@dataclass(frozen=True, slots=True)
class _OverdueSaga:
    saga_id: int
    kind: str
    status: str
    wait_reason: str


def report_overdue() -> int:
    """Raise an alert for each saga older than its workflow's deadline, once; resolve those of ended sagas."""
    for alert in Alert.objects.filter(code=OVERDUE, resolved_at=None):
        if not SagaRun.objects.live().filter(pk=int(alert.subject.removeprefix("saga:"))).exists():
            resolve_alert(code=OVERDUE, subject=alert.subject, actor=alert.subject)
    workflows = registry.workflows()
    parameters = {
        "kinds": list(workflows),
        "deadlines": [workflow.deadline_seconds for workflow in workflows.values()],
        "code": OVERDUE,
        "most": _MOST_ALERTS,
    }
    overdue = fetch_all(_LIST_OVERDUE, parameters, into=_OverdueSaga)
    for saga in overdue:
        seconds = workflows[saga.kind].deadline_seconds
        message = f"Saga {saga.saga_id} ({saga.kind}) is {saga.status} after more than {seconds:.0f} s."
        raise_alert(
            code=OVERDUE,
            subject=f"saga:{saga.saga_id}",
            message=f"{message} {saga.wait_reason}".strip(),
            details={"kind": saga.kind},
        )
    return len(overdue)
