"""The choices that the rows of deployments have."""

from typing import Final

from django.db.models import TextChoices

from catalog.values.kinds import BillingKind
from catalog.values.terms import ALL_CHARGES, BASE_FEES

DISCOUNT_SCOPES: Final = (
    (ALL_CHARGES, "All charges"),
    (BASE_FEES, "Base fees"),
    *BillingKind.choices,
)


class LlmMode(TextChoices):
    """The place where a deployment's language models run, and the owner of their key."""

    NONE = "none", "None"
    SHARED = "shared", "Shared"
    DEDICATED = "dedicated", "Dedicated"
    OWN_KEY = "own_key", "Own key"


class EventType(TextChoices):
    """The kinds of events of a deployment."""

    CREATED = "created", "Created"
    UPDATED = "updated", "Updated"
    TRANSITIONED = "transitioned", "Transitioned"
    TRANSITION_STARTED = "transition_started", "Transition started"
    SUBSCRIBED = "subscribed", "Subscribed"
    PLAN_CHANGED = "plan_changed", "Plan changed"
    PLAN_CHANGE_SCHEDULED = "plan_change_scheduled", "Plan change scheduled"
    PLAN_CHANGE_WITHDRAWN = "plan_change_withdrawn", "Plan change withdrawn"
    ADDON_ATTACHED = "addon_attached", "Add-on attached"
    ADDON_DETACHED = "addon_detached", "Add-on detached"
    DISCOUNT_GIVEN = "discount_given", "Discount given"
    DISCOUNT_ENDED = "discount_ended", "Discount ended"
    SUBSCRIPTION_MOVED = "subscription_moved", "Subscription moved"
    PERIOD_ROLLED = "period_rolled", "Period rolled"


class ChangeTime(TextChoices):
    """The times at which a change of plan takes effect."""

    NOW = "now", "At once"
    NEXT_PERIOD = "next_period", "With the next period"
