"""The lifecycles of a deployment and of a subscription, pair by pair, and who makes a move."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from deployments.models import Deployment, Subscription
from deployments.services import transition
from deployments.states import LIFECYCLE, SUBSCRIPTION_LIFECYCLE, tenant_may
from tests.deployments.rows import BY, noon, on_sale, subscribed
from tests.kernel.lifecycles import forbid_illegal_moves, walk_every_pair

pytestmark = pytest.mark.django_db


def test_a_deployment_makes_the_moves_of_its_lifecycle_and_no_other() -> None:
    walk_every_pair(
        LIFECYCLE, lambda state: Deployment.objects.create(tenant_id="acme", slug="shop", state=state)
    )


def test_the_service_makes_the_moves_of_the_lifecycle_and_no_other() -> None:
    def move(row: Deployment, to: str) -> None:
        transition(deployment_pk=row.pk, to=to, actor=BY, at=noon(1))

    walk_every_pair(
        LIFECYCLE,
        lambda state: Deployment.objects.create(tenant_id="acme", slug="shop", state=state),
        move=move,
    )


def test_a_subscription_makes_the_moves_of_its_lifecycle_and_no_other() -> None:
    on_sale("studio", 5000)
    subscription = subscribed()

    def stored(status: str) -> Subscription:
        Subscription.objects.filter(pk=subscription.pk).update(
            status=status, cancelled_at=timezone.now() if status == "cancelled" else None
        )
        return Subscription.objects.get(pk=subscription.pk)

    walk_every_pair(
        SUBSCRIPTION_LIFECYCLE,
        stored,
        changes=lambda to: {"cancelled_at": timezone.now()} if to == "cancelled" else {},
    )


def test_a_statement_that_moves_rows_past_the_lifecycle_is_found_out() -> None:
    forbid_illegal_moves("cloud_deployments", "state", LIFECYCLE.moves)
    forbid_illegal_moves("subscriptions", "status", SUBSCRIPTION_LIFECYCLE.moves)
    on_sale("studio", 5000)
    subscription = subscribed()
    for to in ("paused", "active", "cancelled", "archived"):
        transition(deployment_pk=subscription.deployment_id, to=to, actor=BY, at=noon(2))
    with pytest.raises(IntegrityError, match="may not move from cancelled to active"), transaction.atomic():
        Subscription.objects.filter(pk=subscription.pk).update(status="active", cancelled_at=None)
    with pytest.raises(IntegrityError, match="may not move from archived to trial"), transaction.atomic():
        Deployment.objects.update(state="trial")


@pytest.mark.parametrize(
    ("state", "allowed", "by_a_tenant"),
    [
        ("trial", ["active", "suspended", "cancelled"], ["cancelled"]),
        ("active", ["past_due", "paused", "suspended", "cancelled"], ["paused", "cancelled"]),
        ("past_due", ["active", "suspended", "cancelled"], ["cancelled"]),
        ("paused", ["active", "cancelled"], ["active", "cancelled"]),
        ("suspended", ["active", "cancelled"], ["cancelled"]),
        ("cancelled", ["archived"], []),
        ("archived", [], []),
    ],
)
def test_the_moves_from_a_state(state: str, allowed: list[str], by_a_tenant: list[str]) -> None:
    assert LIFECYCLE.allowed_from(state) == allowed
    assert [to for to in allowed if tenant_may(state, to)] == by_a_tenant
