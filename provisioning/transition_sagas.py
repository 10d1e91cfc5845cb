"""The sagas that make a deployment's moves where machines stop or start first, and its archive's guard."""

from typing import Any, Final

from deployments.registry import TransitionOrder
from deployments.states import DeploymentState, changes_infrastructure
from inventory.queries import count_live_by_deployment
from provisioning.errors import HasResources, SubjectBusy
from provisioning.models import SagaSubject
from provisioning.start import start_saga
from provisioning.workflows.deployments import droplets_of_deployment

_LONGEST_REASON: Final = 500


def start_transition_saga(order: TransitionOrder) -> int | None:
    """Start the saga of the move, and return its id; None for a deployment without a live droplet.

    Runs inside the transaction that holds the deployment's lock: rows are written, nothing is asked.
    """
    if not droplets_of_deployment(order.deployment_id).own:
        return None
    # The lock is held: a start that another saga refuses undoes the whole request.
    resumes = order.to == DeploymentState.ACTIVE
    inputs: dict[str, Any] = {
        "deployment_id": order.deployment_id,
        "to": order.to,
        "reason": order.reason[:_LONGEST_REASON],
    }
    if not resumes:
        inputs["automatic"] = order.automatic
    saga = start_saga(
        kind="resume_deployment" if resumes else "suspend_deployment",
        inputs=inputs,
        actor=order.actor,
    )
    return saga.pk


def refuse_while_saga_works(order: TransitionOrder) -> None:
    """Raise SubjectBusy for a move that a live saga's own work on the deployment would contradict.

    Those are the moves that stop or start machines, also where none is known yet, and the archive. A
    cancellation is always taken, and so is what only concerns the bill (past due, paid, a trial that becomes
    active): the saga asks for the state again at its end, under the deployment's lock.
    """
    if order.to != DeploymentState.ARCHIVED and not changes_infrastructure(order.present, order.to):
        return
    held = SagaSubject.objects.filter(subject=f"deployment:{order.deployment_id}").first()
    if held is not None:
        raise SubjectBusy(f"saga {held.saga_id} is working on {held.subject}")


def refuse_archive_with_resources(order: TransitionOrder) -> None:
    """Raise HasResources for a move to archived that would leave live resources behind.

    The saga `offboard_deployment` moves the deployment itself, and is not asked.
    """
    if order.to != DeploymentState.ARCHIVED:
        return
    count = count_live_by_deployment([order.deployment_id]).get(order.deployment_id, 0)
    if count:
        raise HasResources(f"the deployment has {count} live resources: start offboard_deployment")
