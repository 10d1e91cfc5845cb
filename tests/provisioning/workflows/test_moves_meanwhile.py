"""Moves of a deployment while a saga works on it: a cancellation is taken, what contradicts it is refused."""

import time

import pytest
from django.utils import timezone

from deployments.models import Deployment, Subscription
from deployments.services import create_subscription, transition
from inventory.models import Resource
from provisioning.engine.runner import run
from provisioning.errors import SubjectBusy
from provisioning.models import SagaRun
from tests.provisioning.sagas import run_to_end, start, start_and_run
from tests.provisioning.workflows.cloud import Cloud
from tests.provisioning.workflows.deployment_cases import (
    Ended,
    ended,
    published_template,
    reason,
    running,
    subscribed,
)


def _run_until_waiting(saga: SagaRun, step: str) -> None:
    deadline = time.monotonic() + 20
    while not saga.steps.filter(name__startswith=step, status="waiting").exists():
        assert time.monotonic() < deadline
        run(saga.pk)
        time.sleep(0.01)


def _cancel_as_tenant(deployment: Deployment) -> None:
    result = transition(
        deployment_pk=deployment.pk, to="cancelled", actor="acme", at=timezone.now(), as_tenant=True
    )
    assert (result.saga_id, result.deployment.state) == (None, "cancelled")


def test_a_deployment_that_is_cancelled_while_it_is_provisioned_gets_no_machines(cloud: Cloud) -> None:
    deployment = subscribed("kiosk")
    published_template()
    saga = start("provision_deployment", deployment_id=deployment.pk, template_code="kiosk")
    _run_until_waiting(saga, "wait_droplet_active")
    with pytest.raises(SubjectBusy, match=f"saga {saga.pk} is working on deployment:{deployment.pk}"):
        transition(deployment_pk=deployment.pk, to="paused", actor="acme", at=timezone.now(), as_tenant=True)
    _cancel_as_tenant(deployment)
    with pytest.raises(SubjectBusy):
        transition(deployment_pk=deployment.pk, to="archived", actor="jo", at=timezone.now())
    run_to_end(saga)
    assert (reason(saga), saga.compensation_failures) == ("step_failed:finish_provision", 0)
    assert ended(cloud, deployment) == Ended("cancelled", [], [], [], 0, 0, 0)


def test_what_only_concerns_the_bill_is_taken_while_it_is_provisioned(cloud: Cloud) -> None:
    deployment = subscribed("kiosk")
    published_template()
    saga = start("provision_deployment", deployment_id=deployment.pk, template_code="kiosk")
    _run_until_waiting(saga, "wait_droplet_active")
    transition(deployment_pk=deployment.pk, to="past_due", actor="jo", at=timezone.now())
    run_to_end(saga)
    assert saga.status == "completed", saga.error
    assert ended(cloud, deployment).state == "past_due"


def test_a_pause_between_the_start_and_the_first_step_is_not_undone(cloud: Cloud) -> None:
    deployment = subscribed("kiosk")
    published_template()
    saga = start("provision_deployment", deployment_id=deployment.pk, template_code="kiosk")
    # A transition that had asked its guards before the saga took the deployment.
    Deployment.objects.filter(pk=deployment.pk).update(state="paused")
    run_to_end(saga)
    assert reason(saga) == "step_failed:check_subscription"
    assert ended(cloud, deployment).state == "paused"


def test_a_cancellation_during_a_suspension_leaves_the_machines_off(cloud: Cloud) -> None:
    deployment = running(cloud, "kiosk", droplets=1)
    saga = start("suspend_deployment", deployment_id=deployment.pk)
    _run_until_waiting(saga, "shut_down_droplet")
    _cancel_as_tenant(deployment)
    run_to_end(saga)
    assert saga.status == "completed", saga.error
    found = ended(cloud, deployment)
    assert (found.state, [status for _, status, _ in found.droplets]) == ("cancelled", ["off"])


def test_machines_of_an_archived_deployment_are_offboarded(cloud: Cloud) -> None:
    deployment = running(cloud, "kiosk", droplets=1)
    Deployment.objects.filter(pk=deployment.pk).update(state="archived")
    saga = start_and_run("offboard_deployment", deployment_id=deployment.pk, keep_snapshots=False)
    assert saga.status == "completed", saga.error
    assert (ended(cloud, deployment).state, ended(cloud, deployment).droplets) == ("archived", [])


@pytest.mark.parametrize("change", ["subscribed", "exempted"])
def test_the_end_of_a_trial_is_given_up_where_its_ground_is_gone(cloud: Cloud, change: str) -> None:
    deployment = running(cloud, "kiosk", droplets=1)
    Deployment.objects.filter(pk=deployment.pk).update(state="trial")
    Subscription.objects.update(status="cancelled", cancelled_at=timezone.now())
    result = transition(
        deployment_pk=deployment.pk, to="suspended", actor="trials", at=timezone.now(), automatic=True
    )
    assert result.saga_id is not None
    saga = SagaRun.objects.get(pk=result.saga_id)
    _run_until_waiting(saga, "shut_down_droplet")
    if change == "subscribed":
        create_subscription(deployment_pk=deployment.pk, plan_code="studio", actor="acme", at=timezone.now())
    else:
        Deployment.objects.filter(pk=deployment.pk).update(billing_action_suspended=True)
    run_to_end(saga)
    assert (reason(saga), saga.compensation_failures) == ("step_failed:transition_deployment", 0)
    found = ended(cloud, deployment)
    assert (found.state, [status for _, status, _ in found.droplets]) == ("trial", ["active"])
    assert Resource.objects.get(name="kiosk-1").status == "active"
