"""Checks of a deployment before a saga on it starts, or is planned."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from arcadia_cloud.kernel.errors import Conflict, InvalidInput
from deployments import registry
from deployments.models import Deployment
from deployments.registry import TransitionOrder
from deployments.services import create_deployment, seed_templates, transition
from inventory.models import Resource
from provisioning.errors import WrongState
from provisioning.models import SagaRun
from provisioning.queries import plan_saga
from tests.inventory.observations import observed, seen
from tests.provisioning.sagas import start
from tests.provisioning.test_plan import held
from tests.provisioning.workflows.deployment_cases import published_template, subscribed

pytestmark = pytest.mark.django_db


class NotNow(Conflict):
    """The guard's refusal."""

    code = "not_now"


def _refuse(order: TransitionOrder) -> None:
    if order.to in {"active", "suspended", "cancelled"}:
        raise NotNow(f"{order.present} to {order.to}")


def _in_state(state: str) -> Deployment:
    deployment = subscribed("kiosk")
    Deployment.objects.filter(pk=deployment.pk).update(state=state)
    return deployment


@pytest.mark.parametrize(
    ("kind", "state", "inputs"),
    [
        ("resume_deployment", "suspended", {}),
        ("suspend_deployment", "active", {}),
        ("offboard_deployment", "active", {}),
        ("provision_deployment", "paused", {"template_code": "kiosk"}),
    ],
)
def test_guards_are_asked_at_every_door(
    monkeypatch: pytest.MonkeyPatch, kind: str, state: str, inputs: dict[str, Any]
) -> None:
    monkeypatch.setitem(registry._transition_guards, "a test", _refuse)
    deployment = _in_state(state)
    published_template()
    with pytest.raises(NotNow):
        start(kind, deployment_id=deployment.pk, **inputs)
    planned = plan_saga(kind=kind, inputs={"deployment_id": deployment.pk, **inputs})
    assert held(planned) == [("not_now", "refused")]


def test_the_plan_of_a_move_that_the_state_lacks_is_held_by_it() -> None:
    deployment = _in_state("paused")
    planned = plan_saga(kind="suspend_deployment", inputs={"deployment_id": deployment.pk})
    assert held(planned) == [("illegal_transition", "refused")]


def test_a_plan_counts_all_that_it_makes_against_the_caps(settings: Settings) -> None:
    settings.ARCADIA_CREATES_PER_TENANT_PER_HOUR = 2
    published_template()
    inputs = {"deployment_id": subscribed("kiosk").pk, "template_code": "kiosk"}
    assert held(plan_saga(kind="provision_deployment", inputs=inputs)) == [("creates_capped", "waits")]
    settings.ARCADIA_CREATES_PER_TENANT_PER_HOUR = 3
    assert held(plan_saga(kind="provision_deployment", inputs=inputs)) == []


def test_workers_of_a_cluster_are_left_alone() -> None:
    deployment = subscribed("kiosk")
    observed(seen("1", name="kiosk-1"), seen("2", name="pool-1", attrs={"cluster_id": "c-9"}))
    Resource.objects.update(deployment=deployment)
    planned = plan_saga(kind="suspend_deployment", inputs={"deployment_id": deployment.pk})
    assert held(planned) == []
    assert [str(each) for each in planned.effects.changes][1] == (
        "droplet pool-1 (2): left alone: a worker of Kubernetes cluster c-9, which manages it"
    )
    result = transition(deployment_pk=deployment.pk, to="paused", actor="jo", at=timezone.now())
    assert result.saga_id is not None
    saga = SagaRun.objects.get(pk=result.saga_id)
    assert saga.subjects == [f"deployment:{deployment.pk}", "droplet:1"]


def test_a_deployment_with_workers_alone_moves_at_once() -> None:
    deployment = subscribed("kiosk")
    observed(seen("2", name="pool-1", attrs={"cluster_id": "c-9"}))
    Resource.objects.update(deployment=deployment)
    result = transition(deployment_pk=deployment.pk, to="paused", actor="jo", at=timezone.now())
    assert (result.saga_id, result.deployment.state) == (None, "paused")


@pytest.mark.parametrize("slug", ["24seven", "a" * 63])
def test_a_volume_whose_name_would_be_refused_is_refused_before_the_start(slug: str) -> None:
    deployment = subscribed(slug)
    template = published_template()
    with pytest.raises(InvalidInput, match=r"volume data of kiosk: .* is no volume's name"):
        start("provision_deployment", deployment_id=deployment.pk, template_code=template.code)
    seed_templates(at=timezone.now())
    order: dict[str, Any] = {"deployment_id": deployment.pk, "template_code": "web-and-database"}
    if len(slug) < 60:
        assert start("provision_deployment", **order).status == "pending"


@pytest.mark.parametrize("state", ["cancelled", "archived"])
def test_no_droplet_is_made_for_a_deployment_that_is_over(state: str) -> None:
    deployment = create_deployment(tenant_id="acme", slug="kiosk", actor="jo", at=timezone.now())
    Deployment.objects.filter(pk=deployment.pk).update(state=state)
    with pytest.raises(WrongState, match=f"acme/kiosk is {state}"):
        start(
            "provision_droplet",
            name="new-01",
            region="fra1",
            size="s-1vcpu-1gb",
            image="debian-12-x64",
            project="acme",
            deployment_id=deployment.pk,
        )
