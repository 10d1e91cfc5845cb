"""The lifecycles of a deployment and of its subscription: their states, and the moves between them."""

from typing import Final

from django.db.models import TextChoices

from arcadia_cloud.kernel.states import Lifecycle


class DeploymentState(TextChoices):
    """The states of a deployment."""

    TRIAL = "trial"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    ARCHIVED = "archived"


class SubscriptionStatus(TextChoices):
    """The states of a subscription."""

    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLED = "cancelled"


LIFECYCLE: Final = Lifecycle(
    DeploymentState,
    {
        DeploymentState.TRIAL: frozenset({"active", "suspended", "cancelled"}),
        DeploymentState.ACTIVE: frozenset({"past_due", "paused", "suspended", "cancelled"}),
        DeploymentState.PAST_DUE: frozenset({"active", "suspended", "cancelled"}),
        DeploymentState.PAUSED: frozenset({"active", "cancelled"}),
        DeploymentState.SUSPENDED: frozenset({"active", "cancelled"}),
        DeploymentState.CANCELLED: frozenset({"archived"}),
        DeploymentState.ARCHIVED: frozenset(),
    },
)

SUBSCRIPTION_LIFECYCLE: Final = Lifecycle(
    SubscriptionStatus,
    {
        SubscriptionStatus.ACTIVE: frozenset({"paused", "cancelled"}),
        SubscriptionStatus.PAUSED: frozenset({"active", "cancelled"}),
        SubscriptionStatus.CANCELLED: frozenset(),
    },
    field="status",
)

LIVE_SUBSCRIPTIONS: Final = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED)

# A deployment in these may be subscribed: it runs, or will once an operator lets it.
SUBSCRIBABLE: Final = (
    DeploymentState.TRIAL,
    DeploymentState.ACTIVE,
    DeploymentState.PAST_DUE,
    DeploymentState.SUSPENDED,
)

_STOPPED: Final = frozenset({"paused", "suspended"})


def changes_infrastructure(present: str, to: str) -> bool:
    """Return whether the move stops or starts machines, where there are any: a saga then makes it."""
    return to in _STOPPED or (present in _STOPPED and to == DeploymentState.ACTIVE)


def tenant_may(present: str, to: str) -> bool:
    """Return whether a tenant may make this move of the lifecycle itself; all others are the operator's."""
    if to == DeploymentState.CANCELLED:
        return True
    return (present, to) in {("active", "paused"), ("paused", "active")}
