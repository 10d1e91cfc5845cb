"""The life of a deployment: made, changed, moved from state to state, with its subscription.

A move is made under the deployment's lock, with its event and the subscription's in one transaction. One that
stops or starts machines is made by a saga of an app above, which moves the deployment when it completes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from arcadia_cloud.kernel.states import StaleState, advance
from deployments import registry
from deployments.errors import (
    BillingActionSuspended,
    DeploymentNotFound,
    InvalidDeployment,
    OperatorsTransition,
    SlugTaken,
)
from deployments.event_log import record_event
from deployments.models import Deployment, DeploymentEvent, Subscription
from deployments.states import (
    LIFECYCLE,
    LIVE_SUBSCRIPTIONS,
    DeploymentState,
    changes_infrastructure,
    tenant_may,
)
from deployments.subscriptions import follow_deployment, lock_deployment
from deployments.values import EventType, LlmMode

_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
SLUG_RULE: Final = "Must be lower-case letters, digits and hyphens, 63 at most, with no hyphen at either end."
_CHANGEABLE: Final = frozenset({"display_name", "region", "llm_mode", "billing_action_suspended"})


@dataclass(frozen=True, slots=True)
class TransitionResult:
    """A deployment that was moved, or, with `saga_id`, will be when that saga completes."""

    deployment: Deployment
    saga_id: int | None = None


def create_deployment(
    *,
    tenant_id: str,
    slug: str,
    display_name: str = "",
    region: str = "",
    llm_mode: str = LlmMode.NONE,
    trial: bool = False,
    template_code: str | None = None,
    template_version: int | None = None,
    actor: str,
    at: datetime,
) -> Deployment:
    """Make a deployment: active, or in trial where that is asked for. Its slug may become a host's name.

    Raises InvalidDeployment, SlugTaken.
    """
    if not tenant_id:
        raise InvalidDeployment("a deployment has a tenant", errors={"tenant_id": ["May not be empty."]})
    if not _SLUG.fullmatch(slug):
        raise InvalidDeployment(f"{slug!r} is no slug", errors={"slug": [SLUG_RULE]})
    if llm_mode not in LlmMode.values:
        raise InvalidDeployment(
            f"{llm_mode!r} is no LLM mode", errors={"llm_mode": ["Must be one of the modes."]}
        )
    refusal = SlugTaken(f"tenant {tenant_id} has a deployment {slug} already", errors={"slug": ["Is taken."]})
    with transaction.atomic():
        # Tags name slugs in any capitals: one that differs in these alone would be ambiguous.
        if Deployment.objects.filter(tenant_id=tenant_id, slug__iexact=slug).exists():
            raise refusal
        try:
            # A savepoint: of two at once the constraint refuses one, and its transaction must go on.
            with transaction.atomic():
                deployment = Deployment.objects.create(
                    tenant_id=tenant_id,
                    slug=slug,
                    display_name=display_name,
                    region=region,
                    llm_mode=llm_mode,
                    state=DeploymentState.TRIAL if trial else DeploymentState.ACTIVE,
                    template_code=template_code,
                    template_version=template_version,
                    created_at=at,
                )
        # The constraint decides, not a look before: two may ask for the same slug at once.
        except IntegrityError as error:
            if "deployment_slug_once_per_tenant" in str(error):
                raise refusal from error
            raise
        record_event(deployment, EventType.CREATED, to=deployment.state, actor=actor, at=at)
    return deployment


def update_deployment(
    *, deployment_pk: int, changes: Mapping[str, Any], actor: str, at: datetime
) -> Deployment:
    """Change a deployment's name, region, LLM mode or the operator's override; log what really changed.

    Raises DeploymentNotFound, and ValueError for any other field.
    """
    if not _CHANGEABLE.issuperset(changes):
        raise ValueError(f"no such changes: {sorted(set(changes) - _CHANGEABLE)}")
    with transaction.atomic():
        deployment = lock_deployment(deployment_pk)
        changed = {
            name: [getattr(deployment, name), value]
            for name, value in changes.items()
            if getattr(deployment, name) != value
        }
        if changed:
            for name, (_, value) in changed.items():
                setattr(deployment, name, value)
            # These columns alone: the state belongs to `transition`.
            deployment.save(update_fields=list(changed))
            record_event(deployment, EventType.UPDATED, actor=actor, at=at, details=changed)
    return deployment


def transition(
    *,
    deployment_pk: int,
    to: str,
    reason: str = "",
    actor: str,
    at: datetime,
    as_tenant: bool = False,
    automatic: bool = False,
) -> TransitionResult:
    """Move a deployment, or start the saga that does where machines must be stopped or started first.

    `as_tenant` leaves the operator's moves out; `automatic` is for billing actions, which a deployment's
    override keeps away. Raises DeploymentNotFound, IllegalTransition, OperatorsTransition, StaleState where
    another moved it meanwhile, BillingActionSuspended, and what guards and sagas of apps above raise.
    """
    seen = Deployment.objects.filter(pk=deployment_pk).values_list("state", flat=True).first()
    if seen is None:
        raise DeploymentNotFound(f"there is no deployment {deployment_pk}")
    with transaction.atomic():
        deployment = lock_deployment(deployment_pk)
        # Read before the lock and after it: of two at once, the one that waited has decided on an old state.
        if deployment.state != seen:
            raise StaleState(f"deployment {deployment.slug} is no longer {seen}, but {deployment.state}")
        LIFECYCLE.assert_allows(seen, to, f"deployment {deployment.slug}", field="to")
        if as_tenant and not tenant_may(seen, to):
            raise OperatorsTransition(f"only an operator may move a deployment from {seen} to {to}")
        if automatic:
            _refuse_outdated(deployment, to)
        # Guards before the saga: what they refuse must have started nothing.
        order = registry.TransitionOrder(deployment.pk, seen, to, reason, actor, at, automatic)
        registry.check_transition(order)
        saga_id = registry.start_transition_saga(order) if changes_infrastructure(seen, to) else None
        # The state stays as it is while a saga works: machines that still run are not yet paused.
        if saga_id is None:
            _move(deployment, to, reason=reason, actor=actor, at=at)
        else:
            record_event(
                deployment,
                EventType.TRANSITION_STARTED,
                present=seen,
                to=to,
                reason=reason,
                actor=actor,
                at=at,
                saga_id=saga_id,
            )
    return TransitionResult(deployment, saga_id)


def complete_transition(
    *,
    deployment_pk: int,
    to: str,
    reason: str = "",
    actor: str,
    at: datetime,
    saga_id: int,
    automatic: bool = False,
) -> Deployment:
    """Move a deployment on behalf of a saga whose work is done; a repeat for the same saga changes nothing.

    Guards were asked when the saga started; the conditions of an automatic move are asked again. Raises
    DeploymentNotFound, IllegalTransition, BillingActionSuspended, StaleState.
    """
    with transaction.atomic():
        deployment = lock_deployment(deployment_pk)
        # A worker that died after its commit does this again: what its saga moved once stays moved.
        made = DeploymentEvent.objects.filter(
            deployment=deployment, event_type=EventType.TRANSITIONED, saga_id=saga_id, to_value=to
        )
        # By the saga's own event: the same state, reached by another way, is no repeat.
        if deployment.state == to and made.exists():
            return deployment
        LIFECYCLE.assert_allows(deployment.state, to, f"deployment {deployment.slug}")
        if automatic:
            # A saga takes minutes, or hours: the tenant may have subscribed, an operator have stepped in.
            _refuse_outdated(deployment, to)
        _move(deployment, to, reason=reason, actor=actor, at=at, saga_id=saga_id)
    return deployment


def _refuse_outdated(deployment: Deployment, to: str) -> None:
    """Raise for a billing action on a locked deployment that is exempt, or whose ground is gone."""
    if deployment.billing_action_suspended:
        raise BillingActionSuspended(f"automatic billing actions on {deployment.slug} are suspended")
    subscribed = Subscription.objects.filter(deployment=deployment, status__in=LIVE_SUBSCRIPTIONS)
    if (deployment.state, to) == (DeploymentState.TRIAL, DeploymentState.SUSPENDED) and subscribed.exists():
        raise StaleState(f"deployment {deployment.slug} is subscribed: its trial doesn't end in a suspension")


def _move(
    deployment: Deployment, to: str, *, reason: str, actor: str, at: datetime, saga_id: int | None = None
) -> None:
    present = deployment.state
    # By compare-and-set even under the lock: a caller without one would be found out.
    advance(deployment, to, LIFECYCLE)
    record_event(
        deployment,
        EventType.TRANSITIONED,
        present=present,
        to=to,
        reason=reason,
        actor=actor,
        at=at,
        saga_id=saga_id,
    )
    follow_deployment(deployment, reason=reason, actor=actor, at=at)
