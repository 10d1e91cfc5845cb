"""A token that is refused, or missing, for a while: sagas wait for a good one, forward and backward."""

from datetime import timedelta

import pytest
from django.db.models import F

from arcadia_cloud.kernel.models import Alert
from provisioning.engine.runner import run
from provisioning.models import SagaRun
from provisioning.services import cancel_saga, sweep
from provisioning.steps import cloud as cloud_steps
from tests.provisioning.sagas import run_to_end, start
from tests.provisioning.workflows.cloud import ORDER, Cloud
from tests.provisioning.workflows.outcomes import assert_made_once, assert_nothing_left


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_steps, "_TOKEN_POLL_SECONDS", 0.02)


def open_alerts() -> list[tuple[str, str]]:
    return list(Alert.objects.filter(resolved_at=None).values_list("code", "subject"))


def revoke(cloud: Cloud) -> None:
    cloud.simulator.control("DELETE", f"tokens/{cloud.simulator.token}")


def restore(cloud: Cloud) -> None:
    cloud.simulator.control("POST", "tokens", token=cloud.simulator.token, team="arcadia")


def run_often(saga: SagaRun, times: int) -> SagaRun:
    for _ in range(times):
        SagaRun.objects.filter(pk=saga.pk).update(wake_at=None)
        run(saga.pk)
    saga.refresh_from_db()
    return saga


def test_a_saga_outlives_a_token_that_is_refused(cloud: Cloud) -> None:
    saga = start("provision_droplet", **ORDER)
    while "project_id" not in saga.context:
        run(saga.pk)
        saga.refresh_from_db()
    revoke(cloud)
    run_often(saga, 2 * cloud_steps.RETRIES)
    assert (saga.status, saga.wait_reason) == ("waiting", "the token is refused")
    assert open_alerts() == [("token_refused", "token:PROVISIONING")]
    assert "for PROVISIONING" in Alert.objects.get().message
    restore(cloud)
    assert_made_once(cloud, run_to_end(saga))
    Alert.objects.update(last_raised_at=F("last_raised_at") - timedelta(minutes=6))
    sweep()
    assert open_alerts() == []


def test_so_does_a_compensation(cloud: Cloud) -> None:
    saga = start("provision_droplet", **ORDER)
    while "droplet_id" not in saga.context or saga.status != "waiting":
        run(saga.pk)
        saga.refresh_from_db()
    revoke(cloud)
    cancel_saga(saga_id=saga.pk, actor="a test")
    run_often(saga, 2 * cloud_steps.COMPENSATION_RETRIES)
    assert saga.status == "compensating"
    assert open_alerts() == [("token_refused", "token:PROVISIONING")]
    restore(cloud)
    assert_nothing_left(cloud, run_to_end(saga))


def test_a_token_that_is_missing_is_waited_for(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file is replaced: for a moment there is none."""
    saga = start("provision_droplet", **ORDER)
    monkeypatch.delenv("DO_API_TOKEN")
    run_often(saga, 2 * cloud_steps.RETRIES)
    assert (saga.status, saga.wait_reason) == ("waiting", "the token is refused")
    monkeypatch.setenv("DO_API_TOKEN", cloud.simulator.token)
    assert_made_once(cloud, run_to_end(saga))
