"""The history of deployments: written in the transaction of the change itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from deployments.models import Deployment, DeploymentEvent
from deployments.values import EventType


def record_event(
    deployment: Deployment,
    event_type: EventType,
    *,
    actor: str,
    at: datetime,
    present: str = "",
    to: str = "",
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    saga_id: int | None = None,
) -> None:
    """Append one event. `present` and `to` are what it was and what it became."""
    DeploymentEvent.objects.create(
        deployment=deployment,
        event_type=event_type,
        from_value=present,
        to_value=to,
        actor=actor,
        reason=reason,
        details=dict(details or {}),
        saga_id=saga_id,
        at=at,
    )
