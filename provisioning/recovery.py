"""The net under the nudges: finds sagas that nobody was told of, and tells of those that take too long."""

import structlog

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.queue.broker import BrokerAway
from arcadia_cloud.kernel.queue.nudge import publish_now
from provisioning import registry
from provisioning.engine.suspension import ADVANCE, QUEUE
from provisioning.models import SagaRun
from provisioning.statements import all_rows, statement

log = structlog.get_logger(__name__)
OVERDUE = "saga_overdue"
MOST_AT_ONCE = 500
_AGAIN_AFTER_SECONDS = 30
_GIVE_UP_AFTER = 3  # publishes in a row that failed: the broker is away
_MOST_ALERTS = 100
_DUE = statement("due.sql")
_OVERDUE = statement("overdue.sql")


def sweep() -> dict[str, int]:
    """Nudge for every saga that is due; return how many were nudged and how many alerts were raised.

    A saga is nudged at most every half minute. What can't be published is left for the next sweep and
    holds up nothing else; so is everything when the database goes away in the middle.
    """
    due = [
        saga_id
        for (saga_id,) in all_rows(_DUE, {"again_after_seconds": _AGAIN_AFTER_SECONDS, "most": MOST_AT_ONCE})
    ]
    unsent = _publish(due)
    if unsent:
        SagaRun.objects.filter(pk__in=unsent).update(nudged_at=None)
    return {"nudged": len(due) - len(unsent), "alerted": tell_overdue()}


def _publish(saga_ids: list[int]) -> list[int]:
    """Nudge for each on its own; return those for which it failed."""
    unsent: list[int] = []
    failed_in_a_row = 0
    for saga_id in saga_ids:
        if failed_in_a_row == _GIVE_UP_AFTER:
            unsent.append(saga_id)
            continue
        try:
            publish_now(ADVANCE, queue=QUEUE, saga_id=saga_id)
        except BrokerAway as error:
            log.warning("nudge_lost", saga=saga_id, error=type(error.__cause__ or error).__name__)
            unsent.append(saga_id)
            failed_in_a_row += 1
        else:
            failed_in_a_row = 0
    return unsent


def tell_overdue() -> int:
    """Alert of sagas older than their workflow's deadline, once each, and take back what is over."""
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
    overdue = all_rows(_OVERDUE, parameters)
    for saga_id, kind, status, reason in overdue:
        seconds = workflows[kind].deadline_seconds
        raise_alert(
            code=OVERDUE,
            subject=f"saga:{saga_id}",
            message=f"Saga {saga_id} ({kind}) is {status} after more than {seconds:.0f} s. {reason}".strip(),
            details={"kind": kind},
        )
    return len(overdue)
