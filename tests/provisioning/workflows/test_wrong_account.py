"""Sagas whose token belongs to another account: nothing is made there, nothing is taken for gone here."""

from typing import Any

import pytest

from arcadia_cloud.kernel.models import Alert
from inventory.models import Resource
from provisioning.engine.runner import run
from provisioning.models import SagaRun
from provisioning.steps import cloud as cloud_steps
from tests.provisioning.sagas import run_to_end, start
from tests.provisioning.workflows.cloud import ORDER, SHOP_WEB, Cloud

OTHER_TOKEN = "dop_v1_" + "ab" * 32


@pytest.fixture
def other_account(cloud: Cloud) -> str:
    cloud.simulator.control("POST", "tokens", token=OTHER_TOKEN, team="others")
    return OTHER_TOKEN


def asked_with_it(cloud: Cloud) -> set[str]:
    return {each["path"] for each in cloud.simulator.requests() if each["team"] == "others"}


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("provision_droplet", ORDER),
        ("destroy_droplet", {"droplet_id": SHOP_WEB}),
        ("snapshot_droplet", {"droplet_id": SHOP_WEB}),
    ],
)
def test_a_saga_with_another_accounts_token_does_nothing(
    cloud: Cloud, other_account: str, monkeypatch: pytest.MonkeyPatch, kind: str, inputs: dict[str, Any]
) -> None:
    monkeypatch.setattr(cloud_steps, "_TOKEN_POLL_SECONDS", 0.02)
    monkeypatch.setenv("DO_API_TOKEN_PROVISIONING", other_account)
    saga = start(kind, **inputs)
    for _ in range(2 * cloud_steps.RETRIES):
        SagaRun.objects.filter(pk=saga.pk).update(wake_at=None)
        run(saga.pk)
    saga.refresh_from_db()
    assert saga.status == "waiting", "it is as good as no token: the right one may be put there any time"
    assert asked_with_it(cloud) == {"/v2/account"}
    assert cloud.everything() == cloud.before
    alert = Alert.objects.get()
    assert (alert.code, alert.subject) == ("token_refused", "token:PROVISIONING")
    assert "belongs to account" in alert.message
    monkeypatch.delenv("DO_API_TOKEN_PROVISIONING")
    assert run_to_end(saga).status == "completed"


def test_a_token_that_is_swapped_while_a_droplet_is_destroyed_tombstones_nothing(
    cloud: Cloud, other_account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    saga = start("destroy_droplet", droplet_id=SHOP_WEB)
    run(saga.pk)  # up to the first wait: the droplet is being shut down
    monkeypatch.setenv("DO_API_TOKEN_PROVISIONING", other_account)
    run(saga.pk)
    assert asked_with_it(cloud) <= {"/v2/account"}
    monkeypatch.delenv("DO_API_TOKEN_PROVISIONING")
    assert Resource.objects.get(kind="droplet", provider_id=SHOP_WEB).deleted_at is None
    assert run_to_end(saga).status == "completed"
