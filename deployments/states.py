"""The lifecycle of a deployment: its states, and the moves that are allowed."""

from collections.abc import Mapping
from typing import Final

from django.db.models import TextChoices


class DeploymentState(TextChoices):
    """The states of a deployment."""

    TRIAL = "trial"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    ARCHIVED = "archived"


_STATES = DeploymentState
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    _STATES.TRIAL: frozenset({_STATES.ACTIVE, _STATES.SUSPENDED, _STATES.CANCELLED}),
    _STATES.ACTIVE: frozenset({_STATES.PAST_DUE, _STATES.PAUSED, _STATES.SUSPENDED, _STATES.CANCELLED}),
    _STATES.PAST_DUE: frozenset({_STATES.ACTIVE, _STATES.SUSPENDED, _STATES.CANCELLED}),
    _STATES.PAUSED: frozenset({_STATES.ACTIVE, _STATES.CANCELLED}),
    _STATES.SUSPENDED: frozenset({_STATES.ACTIVE, _STATES.CANCELLED}),
    _STATES.CANCELLED: frozenset({_STATES.ARCHIVED}),
    _STATES.ARCHIVED: frozenset(),
}
