"""Subscriptions: begun, changed, paused and ended. The deployment's row is locked first, everywhere."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction

from arcadia_cloud.kernel.errors import InvalidInput
from arcadia_cloud.kernel.periods import Period, month_of
from arcadia_cloud.kernel.states import advance
from catalog.models import PlanVersion
from catalog.queries import active_version
from catalog.values.terms import Proration
from deployments.addons import attach
from deployments.errors import (
    AlreadySubscribed,
    CurrencyDiffers,
    DeploymentNotFound,
    DowngradeTakesNextPeriod,
    InvalidPeriod,
    NotSubscribable,
    NotSubscribed,
    PlanUnchanged,
)
from deployments.event_log import record_event
from deployments.models import Deployment, Subscription
from deployments.renewal import day_of, roll_period
from deployments.states import (
    LIVE_SUBSCRIPTIONS,
    SUBSCRIBABLE,
    SUBSCRIPTION_LIFECYCLE,
    DeploymentState,
    SubscriptionStatus,
)
from deployments.values import ChangeTime, EventType
from deployments.version_history import close_version, open_version, replace_version

TRIAL_DAYS: Final = 14


def lock_deployment(deployment_pk: int) -> Deployment:
    """Return the deployment with its row locked. Raises DeploymentNotFound."""
    # This row first, everywhere: whatever changes a subscription waits here, and no two can deadlock.
    deployment = Deployment.objects.select_for_update(of=("self",)).filter(pk=deployment_pk).first()
    if deployment is None:
        raise DeploymentNotFound(f"there is no deployment {deployment_pk}")
    return deployment


def live_subscription(deployment: Deployment, *, actor: str, at: datetime) -> Subscription | None:
    """Return a locked deployment's live subscription, locked too and in the period of `at`; None for none."""
    subscription = (
        Subscription.objects.select_for_update(of=("self",))
        .select_related("plan_version__plan", "next_plan_version__plan")
        .filter(deployment=deployment, status__in=LIVE_SUBSCRIPTIONS)
        .first()
    )
    if subscription is not None:
        # The locked row itself: a second one of the same deployment would keep its old state.
        subscription.deployment = deployment
        # The daily task may have been away: what follows must see the period of today.
        roll_period(subscription, actor=actor, at=at)
    return subscription


def require_subscription(deployment: Deployment, *, actor: str, at: datetime) -> Subscription:
    """Return the live subscription as `live_subscription` does. Raises NotSubscribed."""
    subscription = live_subscription(deployment, actor=actor, at=at)
    if subscription is None:
        raise NotSubscribed(f"deployment {deployment.slug} has no live subscription")
    return subscription


def create_subscription(
    *,
    deployment_pk: int,
    plan_code: str,
    addons: Sequence[str] = (),
    period: Period | None = None,
    trial_days: int = TRIAL_DAYS,
    actor: str,
    at: datetime,
) -> Subscription:
    """Bind a deployment to the active version of a plan, with add-ons at today's prices, in one transaction.

    `period` is the first one, the running calendar month by default. In a trial nothing is due for
    `trial_days` from `at` on. Raises InvalidInput for an add-on that is named twice, DeploymentNotFound,
    NotSubscribable, AlreadySubscribed, PlanNotOnSale, InvalidPeriod, and what `attach_addon` raises.
    """
    if len(set(addons)) != len(addons):
        once = "An add-on may stand only once."
        raise InvalidInput(once, errors={"addons": [once]})
    with transaction.atomic():
        deployment = lock_deployment(deployment_pk)
        # A live subscription comes first: it, and not the state, is the reason where both hold.
        if Subscription.objects.filter(deployment=deployment, status__in=LIVE_SUBSCRIPTIONS).exists():
            raise AlreadySubscribed(f"deployment {deployment.slug} is subscribed already; change its plan")
        if deployment.state not in SUBSCRIBABLE:
            raise NotSubscribable(
                f"deployment {deployment.slug} is {deployment.state}: it can't be subscribed"
            )
        first, on = period or month_of(at), day_of(at)
        if not first.contains(on):
            raise InvalidPeriod(f"the period {first.start} to {first.end} doesn't contain {on}")
        # On offer to the deployment's tenant, whoever subscribes it: an operator sees every plan.
        version = active_version(plan_code, tenant_id=deployment.tenant_id)
        in_trial = deployment.state == DeploymentState.TRIAL
        subscription = Subscription.objects.create(
            deployment=deployment,
            plan_version=version,
            current_period_start=first.start,
            current_period_end=first.end,
            trial_ends_at=at + timedelta(days=trial_days) if in_trial else None,
            created_at=at,
        )
        open_version(subscription, version, on=on)
        record_event(deployment, EventType.SUBSCRIBED, to=str(version), actor=actor, at=at)
        # In this transaction: an add-on that isn't on sale leaves no subscription behind.
        for code in addons:
            attach(subscription, code, actor=actor, at=at, field="addons")
    return subscription


def change_plan_version(
    *, deployment_pk: int, plan_code: str, when: ChangeTime | None = None, actor: str, at: datetime
) -> Subscription:
    """Move a subscription to the active version of a plan: an upgrade, a downgrade or a new price.

    Without `when`, a version with daily proration changes at once, one without at once to a dearer one
    and with the next period to a cheaper one. The present plan undoes a change to another plan that has yet
    to come, whatever its active version is, and whether it is still on offer or not.
    Raises DeploymentNotFound, NotSubscribed, PlanNotOnSale, PlanUnchanged, CurrencyDiffers,
    DowngradeTakesNextPeriod.
    """
    with transaction.atomic():
        deployment = lock_deployment(deployment_pk)
        subscription = require_subscription(deployment, actor=actor, at=at)
        present, coming = subscription.plan_version, subscription.next_plan_version
        if coming is not None and plan_code == present.plan.code != coming.plan.code:
            # Before the plan's active version: a new price is for who asks for it, not for who stays.
            version = present
        else:
            version = active_version(plan_code, tenant_id=deployment.tenant_id)
        effective = _time_of_change(subscription, version, when, on=day_of(at))
        event, before = EventType.PLAN_CHANGED, present
        # The present version comes first: without this, undoing a change to come would be a change at once.
        if version == present:
            if coming is None:
                raise PlanUnchanged(f"deployment {deployment.slug} is on {version} already")
            event, before = EventType.PLAN_CHANGE_WITHDRAWN, coming
            subscription.next_plan_version = None
        elif effective == ChangeTime.NEXT_PERIOD:
            if version == coming:
                raise PlanUnchanged(f"deployment {deployment.slug} goes to {version} with the next period")
            event = EventType.PLAN_CHANGE_SCHEDULED
            subscription.next_plan_version = version
        else:
            replace_version(subscription, version, on=day_of(at))
            subscription.plan_version, subscription.next_plan_version = version, None
        subscription.save(update_fields=["plan_version", "next_plan_version"])
        record_event(deployment, event, present=str(before), to=str(version), actor=actor, at=at)
    return subscription


def follow_deployment(deployment: Deployment, *, reason: str, actor: str, at: datetime) -> None:
    """Pause, resume or cancel the subscription of a locked deployment, as its new state wants."""
    subscription = live_subscription(deployment, actor=actor, at=at)
    wanted = {
        DeploymentState.PAUSED: SubscriptionStatus.PAUSED,
        DeploymentState.ACTIVE: SubscriptionStatus.ACTIVE,
        DeploymentState.CANCELLED: SubscriptionStatus.CANCELLED,
    }.get(DeploymentState(deployment.state))
    # Suspended and past due want nothing of it; active wants it resumed only where it was paused.
    if subscription is None or wanted is None or subscription.status == wanted:
        return
    before, on = subscription.status, day_of(at)
    changes = (
        {"cancelled_at": at, "next_plan_version": None} if wanted == SubscriptionStatus.CANCELLED else {}
    )
    advance(subscription, wanted, SUBSCRIPTION_LIFECYCLE, **changes)
    # After the move: a refused one must not have touched the days.
    if wanted == SubscriptionStatus.ACTIVE:
        open_version(subscription, subscription.plan_version, on=on)
    else:
        close_version(subscription, on=on)
    record_event(
        deployment,
        EventType.SUBSCRIPTION_MOVED,
        present=before,
        to=wanted,
        reason=reason,
        actor=actor,
        at=at,
    )


def _time_of_change(
    subscription: Subscription, version: PlanVersion, when: ChangeTime | None, *, on: date
) -> ChangeTime:
    present = subscription.plan_version
    # A quote has one currency: a change within a period would leave it with two.
    if version.currency != present.currency:
        raise CurrencyDiffers(f"{version} is in {version.currency}, the subscription in {present.currency}")
    # Without proration the period is due in full under the dearest version that it has.
    cheaper = version.base_price_cents < present.base_price_cents
    # In a trial nothing is due under any: the period is charged by what is in force after it.
    is_due = on >= subscription.first_charged_on
    must_wait = present.proration == Proration.NONE and cheaper and is_due
    if must_wait and when == ChangeTime.NOW:
        hint = f"{present} isn't prorated: the cheaper {version} follows with the next period"
        raise DowngradeTakesNextPeriod(hint, errors={"when": [f"Must be {ChangeTime.NEXT_PERIOD}."]})
    return when or (ChangeTime.NEXT_PERIOD if must_wait else ChangeTime.NOW)
