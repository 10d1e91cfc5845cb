"""The periods of subscriptions, which follow each other by calendar months.

A period that ended is left for the one that today is in, however many lie between: the task may have been
away. A version that was chosen for the next period begins with it, on its first day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import structlog
from django.db import DatabaseError, transaction

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.errors import DomainError, describe
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.periods import Period, month_of
from deployments.event_log import record_event
from deployments.models import Deployment, Subscription
from deployments.states import LIVE_SUBSCRIPTIONS
from deployments.values import EventType
from deployments.version_history import replace_version

ACTOR: Final = "system: roll periods"
NOT_ROLLED: Final = "subscription_not_rolled"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RollCounts:
    """The number of subscriptions whose period moved on, and of those that failed."""

    rolled: int = 0
    failed: int = 0


def day_of(at: datetime) -> date:
    """Return the day of an instant, in UTC."""
    return at.astimezone(UTC).date()


def period_on(period: Period, on: date) -> Period:
    """Return the period of that day, counted on by calendar months from one that may have ended."""
    # To the end of a month each time: a first period of other dates is followed by calendar months.
    while period.end <= on:
        period = Period(period.end, month_of(period.end).end)
    return period


def roll_period(subscription: Subscription, *, actor: str, at: datetime) -> bool:
    """Move a locked subscription on to the period that `at` is in; return False where it is in it already."""
    before = subscription.current_period
    period = period_on(before, day_of(at))
    if period == before:
        return False
    deployment, version = subscription.deployment, subscription.next_plan_version
    if version is not None:
        # From the first day of its period on, on whatever day this runs.
        replace_version(subscription, version, on=before.end)
        record_event(
            deployment,
            EventType.PLAN_CHANGED,
            present=str(subscription.plan_version),
            to=str(version),
            actor=actor,
            at=at,
            details={"effective_on": before.end.isoformat()},
        )
        subscription.plan_version, subscription.next_plan_version = version, None
    subscription.current_period_start, subscription.current_period_end = period.start, period.end
    subscription.save(
        update_fields=["plan_version", "next_plan_version", "current_period_start", "current_period_end"]
    )
    record_event(
        deployment,
        EventType.PERIOD_ROLLED,
        present=before.start.isoformat(),
        to=period.start.isoformat(),
        actor=actor,
        at=at,
    )
    return True


def roll_periods(*, at: datetime) -> RollCounts:
    """Move every live subscription's ended period on. Each in a transaction of its own; may be repeated.

    One that fails is an alert, and holds up none of the others.
    """
    due = Subscription.objects.filter(status__in=LIVE_SUBSCRIPTIONS, current_period_end__lte=day_of(at))
    rolled, failed = 0, []
    # Ids alone, and a transaction each: a lock or an error of one keeps none of the others waiting.
    for pk, deployment_pk in list(due.order_by("pk").values_list("pk", "deployment_id")):
        try:
            rolled += _roll_one(pk, deployment_pk, at)
        except (DomainError, DatabaseError) as error:
            failed.append(deployment_pk)
            report_failure(NOT_ROLLED, deployment_pk, "its period could not be moved on", error)
    resolve_others(NOT_ROLLED, failed)
    return RollCounts(rolled=rolled, failed=len(failed))


def report_failure(code: str, deployment_pk: int, what: str, error: Exception) -> None:
    """Log and alert of a deployment that a daily task could not do."""
    log.error(code, deployment=deployment_pk, error=describe(error))
    raise_alert(
        code=code,
        subject=_subject(deployment_pk),
        message=f"Deployment {deployment_pk}: {what}: {describe(error)}",
    )


def resolve_others(code: str, failed: Iterable[int]) -> None:
    """Close the open alerts of deployments that are done, or no longer due."""
    subjects = [_subject(pk) for pk in failed]
    done = Alert.objects.filter(code=code, resolved_at=None).exclude(subject__in=subjects)
    for subject in list(done.values_list("subject", flat=True)):
        resolve_alert(code=code, subject=subject, actor=ACTOR)


def _roll_one(pk: int, deployment_pk: int, at: datetime) -> bool:
    with transaction.atomic():
        # The deployment first, as everywhere: the other order would deadlock with a transition.
        deployment = Deployment.objects.select_for_update().get(pk=deployment_pk)
        subscription = Subscription.objects.select_for_update().get(pk=pk)
        # Under the lock: it may have been cancelled since it was found.
        if not subscription.is_live:
            return False
        subscription.deployment = deployment
        return roll_period(subscription, actor=ACTOR, at=at)


def _subject(deployment_pk: int) -> str:
    return f"deployment:{deployment_pk}"
