"""A deployment's life: made, changed, moved, with its subscription, its guards and the sagas that move it."""

from collections.abc import Iterator
from typing import Any

import pytest

from arcadia_cloud.kernel.errors import Conflict, DomainError
from arcadia_cloud.kernel.states import IllegalTransition
from deployments import registry
from deployments.errors import (
    BillingActionSuspended,
    DeploymentNotFound,
    InvalidDeployment,
    OperatorsTransition,
    SlugTaken,
)
from deployments.models import Deployment, DeploymentEvent, Subscription
from deployments.registry import AddonOrder, TransitionOrder
from deployments.services import (
    attach_addon,
    complete_transition,
    create_deployment,
    transition,
    update_deployment,
)
from tests.deployments.rows import BY, days_of, deployed, noon, on_sale, storage, subscribed, told

pytestmark = pytest.mark.django_db
SAGA = 4711


@pytest.fixture
def hooks() -> Iterator[Any]:
    """The registry, as it was before when the test is over."""
    tables: tuple[dict[str, Any], ...] = (
        registry._transition_guards,
        registry._addon_guards,
        registry._transition_sagas,
    )
    kept = [(table, dict(table)) for table in tables]
    for table, _ in kept:
        table.clear()
    yield registry
    for table, content in kept:
        table.clear()
        table.update(content)


def move(deployment: Deployment, to: str, **more: Any) -> Any:
    return transition(deployment_pk=deployment.pk, to=to, actor=BY, at=more.pop("at", noon(10)), **more)


def test_a_new_deployment_is_active_and_in_trial_only_when_asked_for() -> None:
    assert deployed("shop").state == "active"
    trial = deployed("blog", trial=True)
    assert (trial.state, trial.created_at, told(trial)) == ("trial", noon(1), [("created", "", "trial")])


@pytest.mark.parametrize("slug", ["", "Shop", "-shop", "shop-", "a b", "a.b", "a" * 64, "shöp"])
def test_a_slug_that_is_no_host_name_is_refused(slug: str) -> None:
    with pytest.raises(InvalidDeployment) as refusal:
        deployed(slug)
    assert list(refusal.value.errors) == ["slug"]
    assert not Deployment.objects.exists()


def test_a_slug_is_taken_once_a_tenant_whatever_its_capitals() -> None:
    Deployment.objects.create(tenant_id="acme", slug="Wiki")
    deployed("shop")
    deployed("shop", tenant="globex")
    for slug in ("shop", "wiki"):
        with pytest.raises(SlugTaken):
            deployed(slug)


def test_a_move_is_an_event_with_its_actor_and_reason() -> None:
    deployment = deployed()
    transition(deployment_pk=deployment.pk, to="paused", reason="winter", actor="user-1", at=noon(3))
    event = DeploymentEvent.objects.latest("id")
    assert (event.event_type, event.from_value, event.to_value) == ("transitioned", "active", "paused")
    assert (event.actor, event.reason, event.at, event.saga_id) == ("user-1", "winter", noon(3), None)


def test_a_move_that_the_map_lacks_names_those_it_has_and_writes_nothing() -> None:
    deployment = deployed()
    move(deployment, "paused")
    with pytest.raises(IllegalTransition) as refusal:
        move(deployment, "archived")
    assert refusal.value.errors == {"to": ["Allowed from paused: active, cancelled."]}
    deployment.refresh_from_db()
    assert (deployment.state, len(told(deployment))) == ("paused", 2)


def test_a_tenant_makes_its_own_moves_alone() -> None:
    deployment = deployed()
    for to in ("past_due", "suspended"):
        with pytest.raises(OperatorsTransition):
            move(deployment, to, as_tenant=True)
    for to in ("paused", "active", "cancelled"):
        assert move(deployment, to, as_tenant=True).deployment.state == to
    with pytest.raises(OperatorsTransition):
        move(deployment, "archived", as_tenant=True)


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(DeploymentNotFound):
        transition(deployment_pk=1, to="paused", actor=BY, at=noon(1))
    with pytest.raises(DeploymentNotFound):
        update_deployment(deployment_pk=1, changes={"region": "syd1"}, actor=BY, at=noon(1))


def test_pausing_cancelling_and_resuming_take_the_subscription_along() -> None:
    on_sale("studio", 5000)
    subscription = subscribed()
    deployment = subscription.deployment

    def status() -> str:
        return Subscription.objects.get().status

    move(deployment, "paused", at=noon(5))
    assert status() == "paused"
    move(deployment, "active", at=noon(9))
    assert status() == "active"
    for to in ("past_due", "suspended", "active"):
        move(deployment, to, at=noon(10))
        assert status() == "active"
    move(deployment, "cancelled", at=noon(20))
    assert status() == "cancelled"
    assert days_of(subscription) == [
        ("studio", "2026-06-01", "2026-06-05"),
        ("studio", "2026-06-09", "2026-06-20"),
    ]
    assert [event for event in told(deployment) if event[0] == "subscription_moved"] == [
        ("subscription_moved", "active", "paused"),
        ("subscription_moved", "paused", "active"),
        ("subscription_moved", "active", "cancelled"),
    ]


def test_a_subscription_that_refuses_leaves_the_deployment_where_it_was(monkeypatch: Any) -> None:
    on_sale("studio", 5000)
    deployment = subscribed().deployment
    Subscription.objects.update(current_period_end="2026-06-02", next_plan_version=None)
    # An event without an actor is refused by the database: it comes after the deployment's own move.
    with pytest.raises(Exception, match="deployment_event_has_actor"):
        transition(deployment_pk=deployment.pk, to="paused", actor="", at=noon(5))
    deployment.refresh_from_db()
    assert (deployment.state, Subscription.objects.get().status) == ("active", "active")


def test_automatic_actions_leave_an_exempted_deployment_alone() -> None:
    deployment = deployed()
    update_deployment(
        deployment_pk=deployment.pk, changes={"billing_action_suspended": True}, actor=BY, at=noon(2)
    )
    with pytest.raises(BillingActionSuspended):
        move(deployment, "past_due", automatic=True)
    assert move(deployment, "past_due").deployment.state == "past_due"


def test_a_change_is_an_event_with_the_old_and_the_new_and_no_change_is_none() -> None:
    deployment = deployed(display_name="Shop")
    changes = {"display_name": "The shop", "region": ""}
    for _ in range(2):
        update_deployment(deployment_pk=deployment.pk, changes=changes, actor=BY, at=noon(2))
    [event] = DeploymentEvent.objects.filter(event_type="updated")
    assert event.details == {"display_name": ["Shop", "The shop"]}
    with pytest.raises(ValueError, match="state"):
        update_deployment(deployment_pk=deployment.pk, changes={"state": "trial"}, actor=BY, at=noon(2))


def test_a_guard_of_an_app_above_may_refuse_a_move(hooks: Any) -> None:
    asked: list[TransitionOrder] = []

    def owes(order: TransitionOrder) -> None:
        asked.append(order)
        if order.to == "active":
            raise Conflict("an invoice is overdue")

    hooks.register_transition_guard("a test", owes)
    deployment = deployed()
    move(deployment, "paused", reason="winter")
    with pytest.raises(Conflict, match="overdue"):
        move(deployment, "active")
    deployment.refresh_from_db()
    assert deployment.state == "paused"
    assert asked[0] == TransitionOrder(deployment.pk, "active", "paused", "winter", BY, noon(10))


def test_a_guard_of_an_app_above_may_refuse_an_addon(hooks: Any) -> None:
    on_sale("studio", 5000)
    storage()
    subscription = subscribed()

    def refuse(order: AddonOrder) -> None:
        raise DomainError(f"{order.code} of {order.resource_kind} doesn't fit {order.deployment_id}")

    hooks.register_addon_guard("a test", refuse)
    with pytest.raises(DomainError, match="storage_50gb of spaces_gb_month"):
        attach_addon(deployment_pk=subscription.deployment_id, code="storage_50gb", actor=BY, at=noon(2))
    assert not subscription.addons.exists()


def test_a_move_of_machines_is_made_by_its_saga_which_moves_the_deployment_once(hooks: Any) -> None:
    on_sale("studio", 5000)
    deployment = subscribed().deployment
    hooks.register_transition_saga("a test", lambda _order: SAGA)

    result = move(deployment, "paused", reason="winter")

    assert (result.saga_id, result.deployment.state) == (SAGA, "active")
    assert (Deployment.objects.get().state, Subscription.objects.get().status) == ("active", "active")
    assert told(deployment)[-1] == ("transition_started", "active", "paused")
    for _ in range(2):  # a step may run twice
        complete_transition(deployment_pk=deployment.pk, to="paused", actor=BY, at=noon(11), saga_id=SAGA)
    assert (Deployment.objects.get().state, Subscription.objects.get().status) == ("paused", "paused")
    assert [event[0] for event in told(deployment)].count("transitioned") == 1
    with pytest.raises(IllegalTransition):
        complete_transition(deployment_pk=deployment.pk, to="paused", actor=BY, at=noon(11), saga_id=SAGA + 1)


@pytest.mark.parametrize(
    ("path", "by_saga"),
    [
        (("paused",), True),
        (("suspended",), True),
        (("past_due",), False),
        (("cancelled",), False),
        (("cancelled", "archived"), False),
    ],
)
def test_only_moves_that_stop_or_start_machines_are_a_sagas(
    hooks: Any, path: tuple[str, ...], by_saga: bool
) -> None:
    asked: list[str] = []
    hooks.register_transition_saga("a test", lambda order: asked.append(order.to))
    deployment = deployed()
    for to in path:
        assert move(deployment, to).saga_id is None  # none was needed: it has no machines
    assert asked == (list(path) if by_saga else [])


def test_the_way_back_from_a_pause_is_a_sagas_too_and_from_past_due_none(hooks: Any) -> None:
    asked: list[tuple[str, str]] = []
    hooks.register_transition_saga("a test", lambda order: asked.append((order.present, order.to)))
    deployment = deployed()
    for to in ("past_due", "active", "suspended", "active", "paused", "active"):
        move(deployment, to)
    assert asked == [
        ("active", "suspended"),
        ("suspended", "active"),
        ("active", "paused"),
        ("paused", "active"),
    ]


def test_a_hook_is_registered_once(hooks: Any) -> None:
    hooks.register_transition_guard("a test", print)
    hooks.register_transition_guard("a test", print)
    with pytest.raises(ValueError, match="registered twice"):
        hooks.register_transition_guard("a test", repr)


def test_a_deployment_without_a_tenant_or_of_no_mode_is_refused() -> None:
    values: dict[str, Any] = {"tenant_id": "acme", "slug": "shop", "actor": BY, "at": noon(1)}
    for fields in ({"tenant_id": ""}, {"llm_mode": "psychic"}):
        with pytest.raises(InvalidDeployment):
            create_deployment(**values | fields)
