"""The end of trials: a deployment that subscribed becomes active, one that never did is suspended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from arcadia_cloud.kernel.errors import DomainError
from deployments.lifecycle import transition
from deployments.models import Deployment, Subscription
from deployments.renewal import report_failure, resolve_others
from deployments.states import LIVE_SUBSCRIPTIONS, DeploymentState
from deployments.subscriptions import TRIAL_DAYS, lock_deployment

ACTOR: Final = "system: end trials"
NOT_ENDED: Final = "trial_not_ended"
_LIVE: Final = Q(status__in=LIVE_SUBSCRIPTIONS)


@dataclass(frozen=True, slots=True)
class TrialCounts:
    """The number of trials that ended in either way, and of those that failed."""

    activated: int = 0
    suspended: int = 0
    failed: int = 0


def end_trials(*, at: datetime) -> TrialCounts:
    """End every trial whose time is over. Each in a transaction of its own; may be repeated.

    A trial lasts as long as its subscription has it, without one 14 days from the deployment's creation. One
    that fails is an alert, and holds up none of the others.
    """
    ended = {DeploymentState.ACTIVE: 0, DeploymentState.SUSPENDED: 0}
    failed = []
    # A transaction each: what one refuses holds up none of the others.
    for pk in list(_due(at).order_by("pk").values_list("pk", flat=True)):
        try:
            to = _end_trial(pk, at)
        except (DomainError, DatabaseError) as error:
            failed.append(pk)
            report_failure(NOT_ENDED, pk, "its trial could not be ended", error)
        else:
            if to is not None:
                ended[to] += 1
    resolve_others(NOT_ENDED, failed)
    return TrialCounts(ended[DeploymentState.ACTIVE], ended[DeploymentState.SUSPENDED], len(failed))


def _due(at: datetime) -> QuerySet[Deployment]:
    subscribed = Subscription.objects.filter(_LIVE, deployment=OuterRef("pk"))
    over = subscribed.filter(Q(trial_ends_at=None) | Q(trial_ends_at__lte=at))
    # Without a subscription its own age decides: nothing else of it has an end.
    never_subscribed = ~Exists(subscribed) & Q(created_at__lte=at - timedelta(days=TRIAL_DAYS))
    return Deployment.objects.filter(
        Exists(over) | never_subscribed, state=DeploymentState.TRIAL, billing_action_suspended=False
    )


def _end_trial(pk: int, at: datetime) -> DeploymentState | None:
    with transaction.atomic():
        lock_deployment(pk)
        # Under the lock: it may have been subscribed, moved or exempted since it was found.
        if not _due(at).filter(pk=pk).exists():
            return None
        subscribed = Subscription.objects.filter(_LIVE, deployment=pk).exists()
        to = DeploymentState.ACTIVE if subscribed else DeploymentState.SUSPENDED
        reason = "the trial is over" if subscribed else "the trial is over, and there is no subscription"
        transition(deployment_pk=pk, to=to, reason=reason, actor=ACTOR, at=at, automatic=True)
    return to
