"""The state of a deployment as its saga changes it: never before its machines, and at most once.

A repeat for the same saga changes nothing: `complete_transition` finds the event that the first one wrote.
"""

from typing import Final

from django.db import transaction

from deployments.models import Deployment, DeploymentEvent, Subscription
from deployments.services import complete_transition, lock_deployment, record_template
from deployments.states import LIFECYCLE, LIVE_SUBSCRIPTIONS, DeploymentState
from deployments.values import EventType
from provisioning.contract import FinalError, Step, StepState

# A failed provision leaves `paused` behind: the next one may begin there.
PROVISIONABLE: Final = frozenset({DeploymentState.TRIAL, DeploymentState.ACTIVE, DeploymentState.PAUSED})
OVER: Final = frozenset({DeploymentState.CANCELLED, DeploymentState.ARCHIVED})
WAS_PAUSED: Final = "was_paused"  # in the context: as it was when the saga was started


def transition_deployment(state: StepState) -> None:
    """Move the deployment to the state that its machines have by now.

    One that was cancelled while they were switched off stays so: its machines are as they should be.
    """
    with transaction.atomic():
        # Locked: a cancellation is taken at any time, and must not be taken for a failure a moment later.
        deployment, to = lock_deployment(state.inputs["deployment_id"]), state.inputs["to"]
        if to == DeploymentState.ACTIVE or deployment.state not in OVER:
            move_deployment(state, to, reason=state.inputs["reason"])


def transition_back(state: StepState) -> None:
    """Move the deployment back to where it was, if this saga has moved it; a past due one to active."""
    deployment = find_deployment(state)
    moves = DeploymentEvent.objects.filter(
        deployment=deployment, event_type=EventType.TRANSITIONED, saga_id=state.saga_id
    )
    made = moves.filter(to_value=state.inputs["to"]).order_by("-pk").first()
    # Another may have moved it since, as by a cancellation: that stays.
    if made is None or deployment.state != state.inputs["to"]:
        return
    back = made.from_value if LIFECYCLE.allows(deployment.state, made.from_value) else DeploymentState.ACTIVE
    move_deployment(state, back, reason=f"saga {state.saga_id} was rolled back")


def move_deployment(state: StepState, to: str, *, reason: str) -> None:
    """Move the saga's deployment, in its name. Raises IllegalTransition."""
    complete_transition(
        deployment_pk=state.inputs["deployment_id"],
        to=to,
        reason=reason,
        actor=state.requested_by,
        at=state.now(),
        saga_id=state.saga_id,
        automatic=state.inputs.get("automatic", False),
    )


def find_deployment(state: StepState) -> Deployment:
    """Return the saga's deployment as it is now."""
    return Deployment.objects.get(pk=state.inputs["deployment_id"])


def why_not_provisionable(deployment: Deployment) -> str:
    """Return why nothing may be made for the deployment; "" when it may be: all that is made is paid for."""
    if deployment.state not in PROVISIONABLE:
        return f"deployment {deployment} is {deployment.state}"
    # In trial nothing is due yet, with a subscription or without.
    subscribed = Subscription.objects.filter(deployment=deployment, status__in=LIVE_SUBSCRIPTIONS)
    if deployment.state != DeploymentState.TRIAL and not subscribed.exists():
        return f"deployment {deployment} has no live subscription"
    return ""


def check_subscription(state: StepState) -> None:
    """Check that the deployment is subscribed, or in trial, before anything is made for it."""
    with transaction.atomic():
        # Locked: a pause that was on its way when the saga took the deployment is waited for.
        deployment = lock_deployment(state.inputs["deployment_id"])
        _require_provisionable(state, deployment)


def _require_provisionable(state: StepState, deployment: Deployment) -> None:
    # Past due since the start: it is billed, and what it owes is another matter.
    subscribed = Subscription.objects.filter(deployment=deployment, status__in=LIVE_SUBSCRIPTIONS)
    if deployment.state == DeploymentState.PAST_DUE and subscribed.exists():
        return
    if reason := why_not_provisionable(deployment):
        raise FinalError(reason)
    # Absent in a saga of an earlier build.
    if deployment.state == DeploymentState.PAUSED and not state.get_output(WAS_PAUSED, True):
        raise FinalError(f"deployment {deployment} was paused after the saga's start")


def leave_unbilled(state: StepState) -> None:
    """Pause the deployment, and so its subscription: nothing was made that could be billed for.

    In trial nothing is due. Raises FinalError for one that is past due by now: an operator decides.
    """
    deployment = find_deployment(state)
    if deployment.state == DeploymentState.PAST_DUE:
        raise FinalError(f"deployment {deployment} has no machines, is past due and goes on being billed")
    # Paused, not cancelled: its subscription may go on once a later provision succeeds.
    if deployment.state == DeploymentState.ACTIVE:
        reason = f"saga {state.saga_id} could not provision it"
        move_deployment(state, DeploymentState.PAUSED, reason=reason)


def finish_provision(state: StepState) -> None:
    """Record what the deployment was made from, and have it active, if an earlier failure had paused it.

    Raises FinalError for one that was cancelled or paused meanwhile: nothing unpaid is left.
    """
    with transaction.atomic():
        # Asked again under the lock: a cancellation is taken while the machines are being made.
        deployment = lock_deployment(state.inputs["deployment_id"])
        _require_provisionable(state, deployment)
        record_template(
            deployment_pk=deployment.pk,
            code=state.inputs["template_code"],
            version=state.get_output("template_version"),
            actor=state.requested_by,
            at=state.now(),
            saga_id=state.saga_id,
        )
        # Last of all: from here on it is billed again, and everything is there.
        if deployment.state == DeploymentState.PAUSED:
            move_deployment(state, DeploymentState.ACTIVE, reason=f"provisioned by saga {state.saga_id}")


def cancel_deployment(state: StepState) -> None:
    """Cancel the deployment and its subscription, unless that was done before."""
    # It may be cancelled before it is offboarded: the tenant can do that by itself.
    if find_deployment(state).state not in OVER:
        move_deployment(state, DeploymentState.CANCELLED, reason=state.inputs["reason"])


def archive_deployment(state: StepState) -> None:
    """Archive the deployment, unless it was archived before: then with machines that are gone only now."""
    if find_deployment(state).state != DeploymentState.ARCHIVED:
        move_deployment(state, DeploymentState.ARCHIVED, reason=state.inputs["reason"])


STEPS: Final = (
    Step("transition_deployment", transition_deployment, compensate=transition_back),
    Step("check_subscription", check_subscription, compensate=leave_unbilled),
    Step("finish_provision", finish_provision),
    Step("cancel_deployment", cancel_deployment),
    Step("archive_deployment", archive_deployment),
)
