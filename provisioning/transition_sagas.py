"""The sagas that make a deployment's moves where machines stop or start first, and its archive's guard."""

from typing import Final

from deployments.registry import TransitionOrder
from deployments.states import DeploymentState
from inventory.models import Resource
from inventory.queries import count_live_by_deployment
from inventory.values import PROVIDER, Kind
from provisioning.errors import HasResources
from provisioning.start import start_saga

_LONGEST_REASON: Final = 500


def start_transition_saga(order: TransitionOrder) -> int | None:
    """Start the saga of the move, and return its id; None for a deployment without a live droplet.

    Runs inside the transaction that holds the deployment's lock: rows are written, nothing is asked.
    """
    live = Resource.objects.live().filter(provider=PROVIDER, kind=Kind.DROPLET)
    if not live.filter(deployment=order.deployment_id).exists():
        return None
    # The lock is held: a start that another saga refuses undoes the whole request.
    resumes = order.to == DeploymentState.ACTIVE
    saga = start_saga(
        kind="resume_deployment" if resumes else "suspend_deployment",
        inputs={
            "deployment_id": order.deployment_id,
            "to": order.to,
            "reason": order.reason[:_LONGEST_REASON],
        },
        actor=order.actor,
    )
    return saga.pk


def refuse_archive_with_resources(order: TransitionOrder) -> None:
    """Raise HasResources for a move to archived that would leave live resources behind.

    The saga `offboard_deployment` moves the deployment itself, and is not asked.
    """
    if order.to != DeploymentState.ARCHIVED:
        return
    count = count_live_by_deployment([order.deployment_id]).get(order.deployment_id, 0)
    if count:
        raise HasResources(f"the deployment has {count} live resources: start offboard_deployment")
