"""The workflows of deployments: what they do to machines, state and subscription, and how they are undone."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.utils import timezone

from arcadia_cloud.kernel.errors import InvalidInput
from deployments.models import DeploymentEvent
from deployments.services import create_deployment, transition
from inventory.models import Resource
from provisioning import registry
from provisioning.errors import HasResources, Protected, SubjectBusy, WrongState
from provisioning.models import Provisioned, SagaRun
from provisioning.orphans import report_orphans
from provisioning.queries import plan_saga
from provisioning.services import protect
from provisioning.steps import health
from tests.http_servers import QuickHandler, serve_handler
from tests.provisioning.sagas import run_to_end, start, start_and_run
from tests.provisioning.workflows.cloud import Cloud
from tests.provisioning.workflows.conftest import FailAfter
from tests.provisioning.workflows.deployment_cases import (
    IMAGE,
    NEW_IMAGE,
    Ended,
    ended,
    published_template,
    reason,
    running,
    subscribed,
    suspended,
)

ON = [("kiosk-1", "active", IMAGE), ("kiosk-2", "active", IMAGE)]
OFF = [("kiosk-1", "off", IMAGE), ("kiosk-2", "off", IMAGE)]
RUNNING = Ended("active", ["active"], ON, [], 1, 0, 0)
SUSPENDED = Ended("suspended", ["active"], OFF, [], 1, 0, 0)
ARCHIVED = Ended("archived", [], [], [], 0, 0, 2)
NOT_MADE = Ended("paused", ["paused"], [], [], 0, 0, 0)
MADE = Ended(
    "active",
    ["active"],
    [("kiosk-db", "active", IMAGE), ("kiosk-web", "active", IMAGE)],
    [("kiosk-data", True)],
    1,
    1,
    0,
)


@pytest.fixture
def answering() -> Iterator[list[int]]:
    """A health check's address: the list has the status that it answers, and then the port."""
    answer = [200]

    class Handler(QuickHandler):
        def do_GET(self) -> None:
            self.send_response(answer[0])
            self.end_headers()

    with serve_handler(Handler) as url:
        answer.append(int(url.rpartition(":")[2]))
        yield answer


def test_a_deployment_with_machines_is_archived_by_its_offboarding_alone(cloud: Cloud) -> None:
    deployment = running(cloud, "kiosk")
    transition(deployment_pk=deployment.pk, to="cancelled", actor="test", at=timezone.now())

    with pytest.raises(HasResources, match=r"has [1-9][0-9]* live resources"):
        transition(deployment_pk=deployment.pk, to="archived", actor="test", at=timezone.now())
    assert start_and_run("offboard_deployment", deployment_id=deployment.pk).status == "completed"
    deployment.refresh_from_db()
    assert deployment.state == "archived"


def test_a_suspension_powers_its_droplets_off_and_a_resumption_on_again(cloud: Cloud) -> None:
    deployment = running(cloud, "kiosk")
    saga = start_and_run("suspend_deployment", deployment_id=deployment.pk, reason="unpaid")
    assert saga.status == "completed", saga.error
    assert ended(cloud, deployment) == SUSPENDED
    event = DeploymentEvent.objects.get(event_type="transitioned", to_value="suspended")
    assert (event.reason, event.actor, event.saga_id) == ("unpaid", "a test", saga.pk)
    assert (saga.tenant_id, saga.deployment_id) == ("acme", deployment.pk)
    back = start_and_run("resume_deployment", deployment_id=deployment.pk)
    assert back.status == "completed", back.error
    assert ended(cloud, deployment) == RUNNING


def test_a_droplet_that_was_off_before_stays_off(cloud: Cloud) -> None:
    deployment = running(cloud, "kiosk")
    (first,) = cloud.named("kiosk-1")
    assert start_and_run("power_off_droplet", droplet_id=first["id"]).status == "completed"
    start_and_run("suspend_deployment", deployment_id=deployment.pk, to="paused")
    start_and_run("resume_deployment", deployment_id=deployment.pk)
    assert ended(cloud, deployment).droplets == [("kiosk-1", "off", IMAGE), ("kiosk-2", "active", IMAGE)]


def test_a_transition_of_a_deployment_with_machines_is_made_by_its_saga(cloud: Cloud) -> None:
    deployment = running(cloud, "kiosk")
    result = transition(deployment_pk=deployment.pk, to="paused", actor="jo", at=timezone.now())
    assert result.saga_id is not None
    saga = SagaRun.objects.get(pk=result.saga_id)
    assert (saga.kind, saga.requested_by) == ("suspend_deployment", "jo")
    deployment.refresh_from_db()
    assert deployment.state == "active", "it changes when the saga completes"
    with pytest.raises(SubjectBusy):
        transition(deployment_pk=deployment.pk, to="suspended", actor="jo", at=timezone.now())
    run_to_end(saga)
    assert ended(cloud, deployment) == Ended("paused", ["paused"], OFF, [], 1, 0, 0)
    back = transition(deployment_pk=deployment.pk, to="active", actor="jo", at=timezone.now())
    assert back.saga_id is not None
    run_to_end(SagaRun.objects.get(pk=back.saga_id))
    assert ended(cloud, deployment) == RUNNING


def test_without_machines_it_is_immediate(db: None) -> None:
    deployment = subscribed("kiosk")
    result = transition(deployment_pk=deployment.pk, to="paused", actor="jo", at=timezone.now())
    assert (result.saga_id, result.deployment.state) == (None, "paused")
    assert not SagaRun.objects.exists()


@pytest.mark.parametrize("done", [4, 9])
def test_a_suspension_is_compensated_from_wherever_it_fails(
    cloud: Cloud, fail_after: FailAfter, done: int
) -> None:
    deployment = running(cloud, "kiosk")
    saga = start_and_run(fail_after("suspend_deployment", done), deployment_id=deployment.pk)
    assert (saga.status, saga.compensation_failures) == ("rolled_back", 0)
    assert ended(cloud, deployment) == RUNNING


@pytest.mark.parametrize("done", [9])
def test_a_resumption_is_compensated_from_wherever_it_fails(
    cloud: Cloud, fail_after: FailAfter, done: int
) -> None:
    deployment = suspended(cloud, "kiosk")
    saga = start_and_run(fail_after("resume_deployment", done), deployment_id=deployment.pk)
    assert (saga.status, saga.compensation_failures) == ("rolled_back", 0)
    assert ended(cloud, deployment) == SUSPENDED


def test_a_protected_droplet_keeps_its_deployment_from_being_suspended_or_offboarded(cloud: Cloud) -> None:
    deployment = running(cloud, "kiosk")
    protect(resource_pk=Resource.objects.get(name="kiosk-1").pk, actor="jo")
    for kind in ("suspend_deployment", "offboard_deployment"):
        with pytest.raises(Protected):
            start(kind, deployment_id=deployment.pk)
    assert not SagaRun.objects.exists()


def test_a_deployment_is_made_from_its_template(cloud: Cloud) -> None:
    deployment, template = subscribed("kiosk"), published_template()
    plan = plan_saga(
        kind="provision_deployment", inputs={"deployment_id": deployment.pk, "template_code": template.code}
    )
    assert [str(each) for each in plan.effects.creates] == [
        f"droplet kiosk-db: s-1vcpu-1gb in fra1, of image {IMAGE}",
        "project kiosk",
        f"droplet kiosk-web: s-1vcpu-1gb in fra1, of image {IMAGE}",
        "dns record kiosk.acme-wiki.example",
        "volume kiosk-data: 10 GB, attached to droplet db",
    ]
    saga = start_and_run("provision_deployment", deployment_id=deployment.pk, template_code="kiosk")
    assert saga.status == "completed", saga.error
    assert ended(cloud, deployment) == MADE
    assert (deployment.template_code, deployment.template_version) == ("kiosk", 1)
    owned = Resource.objects.filter(deployment=deployment).order_by("kind", "name")
    assert [(each.kind, each.name, each.tenant_id) for each in owned] == [
        ("droplet", "kiosk-db", "acme"),
        ("droplet", "kiosk-web", "acme"),
        ("volume", "kiosk-data", "acme"),
    ]
    assert Provisioned.objects.filter(saga=saga).count() == 2
    assert report_orphans() == 0, "the saga accounts for every part that it made"


def test_nothing_is_made_that_is_not_subscribed(cloud: Cloud) -> None:
    published_template()
    order = {"template_code": "kiosk"}
    bare = create_deployment(tenant_id="acme", slug="bare", region="fra1", actor="jo", at=timezone.now())
    with pytest.raises(WrongState, match="acme/bare has no live subscription"):
        start("provision_deployment", deployment_id=bare.pk, **order)
    deployment = subscribed("kiosk")
    with pytest.raises(InvalidInput, match="no published deployment template other"):
        start("provision_deployment", deployment_id=deployment.pk, template_code="other")
    saga = start("provision_deployment", deployment_id=deployment.pk, **order)
    transition(deployment_pk=deployment.pk, to="cancelled", actor="jo", at=timezone.now())
    run_to_end(saga)
    assert reason(saga) == "step_failed:check_subscription"
    assert ended(cloud, deployment) == Ended("cancelled", [], [], [], 0, 0, 0)
    full = running(cloud, "full", droplets=1, record=False)
    with pytest.raises(WrongState, match="has droplet full-1 already"):
        start("provision_deployment", deployment_id=full.pk, **order)


@pytest.mark.parametrize("done", [1, 4, 11, 18])
def test_a_provision_that_fails_leaves_a_deployment_that_is_neither_billed_nor_half_there(
    cloud: Cloud, fail_after: FailAfter, done: int
) -> None:
    deployment = subscribed("kiosk")
    published_template()
    saga = start_and_run(
        fail_after("provision_deployment", done), deployment_id=deployment.pk, template_code="kiosk"
    )
    assert (saga.status, saga.compensation_failures) == ("rolled_back", 0)
    assert ended(cloud, deployment) == NOT_MADE
    assert not Provisioned.objects.exists()
    assert not Resource.objects.live().filter(deployment=deployment).exists()


def test_it_may_be_provisioned_again_and_is_billed_from_then_on(cloud: Cloud, fail_after: FailAfter) -> None:
    deployment = subscribed("kiosk")
    published_template()
    start_and_run(fail_after("provision_deployment", 3), deployment_id=deployment.pk, template_code="kiosk")
    assert ended(cloud, deployment) == NOT_MADE
    start_and_run("provision_deployment", deployment_id=deployment.pk, template_code="kiosk")
    assert ended(cloud, deployment) == MADE


def test_an_offboarding_leaves_snapshots_and_nothing_else(cloud: Cloud) -> None:
    deployment = running(cloud, "kiosk")
    saga = start_and_run("offboard_deployment", deployment_id=deployment.pk, reason="they left")
    assert saga.status == "completed", saga.error
    assert ended(cloud, deployment) == ARCHIVED
    moves = DeploymentEvent.objects.filter(event_type="transitioned").order_by("pk")
    assert list(moves.values_list("to_value", flat=True)) == ["cancelled", "archived"]


@pytest.mark.parametrize("done", [9])
def test_before_its_machines_are_destroyed_an_offboarding_is_compensated(
    cloud: Cloud, fail_after: FailAfter, done: int
) -> None:
    deployment = running(cloud, "kiosk")
    saga = start_and_run(fail_after("offboard_deployment", done), deployment_id=deployment.pk)
    assert (saga.status, saga.compensation_failures) == ("rolled_back", 0)
    assert ended(cloud, deployment) == RUNNING


def test_after_that_no_subscription_is_left_whatever_fails(cloud: Cloud, fail_after: FailAfter) -> None:
    deployment = running(cloud, "kiosk")
    saga = start_and_run(fail_after("offboard_deployment", 10), deployment_id=deployment.pk)
    assert saga.status == "rolled_back"
    assert ended(cloud, deployment) == Ended("cancelled", [], [], [], 0, 0, 2)
    assert saga.compensation_failures == 1, "an operator sees that something is left to do"


def test_half_a_destruction_ends_the_subscription_too(cloud: Cloud) -> None:
    deployment = running(cloud, "kiosk")
    cloud.fault("forbidden", method="DELETE", path="/v2/droplets/", after=1, count=0)
    saga = start_and_run("offboard_deployment", deployment_id=deployment.pk)
    cloud.simulator.control("DELETE", "faults")
    assert reason(saga) == "step_failed:destroy_deployment"
    found = ended(cloud, deployment)
    assert (found.state, found.subscriptions, len(found.droplets)) == ("cancelled", [], 1)
    again = start_and_run("offboard_deployment", deployment_id=deployment.pk)
    assert again.status == "completed", again.error
    assert ended(cloud, deployment).state == "archived"


def test_an_update_that_is_healthy_stays_with_its_snapshots(cloud: Cloud, answering: list[int]) -> None:
    deployment = running(cloud, "kiosk")
    url = f"http://127.0.0.1:{answering[1]}/health"
    saga = start_and_run(
        "update_deployment", deployment_id=deployment.pk, image=NEW_IMAGE, health_check_url=url
    )
    assert saga.status == "completed", saga.error
    new = [("kiosk-1", "active", NEW_IMAGE), ("kiosk-2", "active", NEW_IMAGE)]
    assert ended(cloud, deployment) == Ended("active", ["active"], new, [], 1, 0, 2)


def test_an_update_that_is_not_healthy_is_restored_from_its_snapshots(
    cloud: Cloud, answering: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = running(cloud, "kiosk")
    answering[0] = 503
    (step,) = health.STEPS
    monkeypatch.setitem(registry._steps, step.name, replace(step, deadline_seconds=1.0))
    url = f"http://127.0.0.1:{answering[1]}/health"
    saga = start("update_deployment", deployment_id=deployment.pk, image=NEW_IMAGE, health_check_url=url)
    run_to_end(saga)
    assert reason(saga) == "step_failed:check_health"
    assert saga.compensation_failures == 0
    assert ended(cloud, deployment) == RUNNING
