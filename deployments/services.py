"""The writes of deployments that other apps and the edges need: the app's only door for them.

Each is written in the module of its subject. What apps above add, guards and sagas, goes into
`deployments.registry`.
"""

from datetime import datetime

from django.db import transaction

from deployments.addons import attach, detach
from deployments.discounts import end_discount, give_discount
from deployments.lifecycle import (
    SLUG_RULE,
    TransitionResult,
    complete_transition,
    create_deployment,
    transition,
    update_deployment,
)
from deployments.models import SubscriptionAddon
from deployments.renewal import RollCounts, roll_periods
from deployments.subscriptions import (
    TRIAL_DAYS,
    change_plan_version,
    create_subscription,
    lock_deployment,
    require_subscription,
)
from deployments.templates import (
    create_template,
    create_template_draft,
    publish_template,
    record_template,
    seed_templates,
    update_template_draft,
)
from deployments.trials import TrialCounts, end_trials

__all__ = [
    "SLUG_RULE",
    "TRIAL_DAYS",
    "RollCounts",
    "TransitionResult",
    "TrialCounts",
    "attach_addon",
    "change_plan_version",
    "complete_transition",
    "create_deployment",
    "create_subscription",
    "create_template",
    "create_template_draft",
    "detach_addon",
    "end_discount",
    "end_trials",
    "give_discount",
    "lock_deployment",
    "publish_template",
    "record_template",
    "roll_periods",
    "seed_templates",
    "transition",
    "update_deployment",
    "update_template_draft",
]


def attach_addon(*, deployment_pk: int, code: str, actor: str, at: datetime) -> SubscriptionAddon:
    """Attach an add-on to a deployment's live subscription, at today's price, which it keeps.

    Raises DeploymentNotFound, NotSubscribed, AddonNotOnSale, AddonAttached, CurrencyDiffers, and what a guard
    of an app above raises.
    """
    with transaction.atomic():
        subscription = require_subscription(lock_deployment(deployment_pk), actor=actor, at=at)
        return attach(subscription, code, actor=actor, at=at)


def detach_addon(*, deployment_pk: int, code: str, actor: str, at: datetime) -> SubscriptionAddon:
    """Detach an add-on from a deployment's live subscription, from today on.

    Raises DeploymentNotFound, NotSubscribed, AddonNotAttached.
    """
    with transaction.atomic():
        subscription = require_subscription(lock_deployment(deployment_pk), actor=actor, at=at)
        return detach(subscription, code, actor=actor, at=at)
