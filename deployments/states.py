"""The lifecycle of a deployment: its states, and the moves between them."""

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
