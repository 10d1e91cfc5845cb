"""Plans: what a start would do, and what would hold it, without starting anything."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from arcadia_cloud.kernel.errors import InvalidInput
from deployments.models import Deployment
from provisioning.contract import Effects
from provisioning.models import SagaCreate, SagaRun, SagaSubject
from provisioning.queries import Plan, plan_saga
from provisioning.services import pause, protect
from tests.access import bearer, token_of
from tests.provisioning.offers import offer
from tests.provisioning.sagas import droplet_row, start
from tests.provisioning.test_command import saga_command

pytestmark = pytest.mark.django_db
ORDER = {
    "name": "new-01",
    "region": "fra1",
    "size": "s-1vcpu-1gb",
    "image": "debian-12-x64",
    "project": "acme",
}


def plan(kind: str, **inputs: Any) -> Plan:
    return plan_saga(kind=kind, inputs=inputs)


def words(effects: Effects) -> dict[str, list[str]]:
    return {
        name: [str(effect) for effect in getattr(effects, name)]
        for name in ("creates", "changes", "destroys")
        if getattr(effects, name)
    }


def held(planned: Plan) -> list[tuple[str, str]]:
    return [(brake.code, str(brake.outcome)) for brake in planned.brakes]


@pytest.mark.parametrize(
    ("kind", "inputs", "effects", "off", "cents"),
    [
        (
            "resize_droplet",
            {"size": "s-2vcpu-4gb"},
            {"changes": ["droplet web-1 (1): size s-1vcpu-1gb to s-2vcpu-4gb"]},
            ["web-1 is off while it is resized"],
            1800,
        ),
        (
            "destroy_droplet",
            {"keep_snapshot": False},
            {"destroys": ["droplet web-1 (1): for good; its volumes and snapshots stay"]},
            ["web-1 is shut down, and then destroyed"],
            -600,
        ),
        (
            "power_off_droplet",
            {},
            {"changes": ["droplet web-1 (1): active to off"]},
            ["web-1 is off until it is powered on again"],
            0,
        ),
        ("power_on_droplet", {}, {"changes": ["droplet web-1 (1): active to active"]}, [], 0),
        (
            "snapshot_droplet",
            {},
            {"creates": ["snapshot of web-1: costs by its size, which is known once it is taken"]},
            [],
            None,
        ),
    ],
)
def test_a_plan_says_what_becomes_of_a_droplet(
    kind: str, inputs: Any, effects: Any, off: list[str], cents: int | None
) -> None:
    droplet_row()
    offer()
    planned = plan(kind, droplet_id=1, **inputs)
    assert words(planned.effects) == effects
    assert list(planned.effects.powered_off) == off
    change = planned.effects.price_change
    assert (None if change is None else change.cents) == cents
    assert (planned.subjects, list(planned.brakes), planned.is_startable) == (["droplet:1"], [], True)
    assert planned.steps[0].name == "look_at_droplet"
    assert planned.steps[0].description.startswith("Store the droplet's state")
    # Names of outputs are for engineers: a description is one sentence.
    assert all("`" not in step.description and "\n" not in step.description for step in planned.steps)
    assert not SagaRun.objects.exists()
    assert not SagaSubject.objects.exists()


def test_a_plan_of_a_new_droplet_names_all_that_it_makes_and_its_price() -> None:
    offer()
    deployment = Deployment.objects.create(tenant_id="acme", slug="shop")
    record = {"domain": "acme.example", "record_name": "new"}
    planned = plan("provision_droplet", **ORDER, **record, deployment_id=deployment.pk, backups=True)
    assert words(planned.effects) == {
        "creates": [
            "droplet new-01: s-1vcpu-1gb in fra1, of image debian-12-x64",
            "project acme",
            "dns record new.acme.example",
        ]
    }
    assert planned.effects.price_change is not None
    assert planned.effects.price_change.cents == 600
    assert planned.effects.price_note == "without the price of its backups"
    assert (planned.tenant_id, planned.deployment_id) == ("acme", deployment.pk)


def test_inputs_that_could_never_be_started_are_refused() -> None:
    with pytest.raises(InvalidInput, match="the inventory has no droplet 1"):
        plan("power_off_droplet", droplet_id=1)
    with pytest.raises(InvalidInput, match="there is no workflow"):
        plan("teleport")


def test_a_plan_names_what_would_hold_it(settings: Settings) -> None:
    settings.ARCADIA_CREATES_PER_HOUR = 0
    row = droplet_row()
    offer()
    protect(resource_pk=row.pk, actor="jo")
    saga = start("snapshot_droplet", droplet_id=1)
    pause(actor="jo", reason="a storm")
    assert held(plan("power_off_droplet", droplet_id=1)) == [
        ("resource_protected", "refused"),
        ("saga_subject_busy", "refused"),
        ("paused", "waits"),
    ]
    snapshot = plan("snapshot_droplet", droplet_id=1)
    assert held(snapshot) == [
        ("saga_subject_busy", "refused"),
        ("creates_capped", "waits"),
        ("paused", "waits"),
    ]
    assert not snapshot.is_startable
    assert [brake.message for brake in snapshot.brakes] == [
        f"saga {saga.pk} is working on droplet:1",
        "0 creates within an hour, 0 allowed",
        "provisioning is paused by jo: a storm",
    ]
    assert not SagaCreate.objects.exists()


@pytest.fixture
def operator() -> Client:
    return Client(headers=bearer(token_of("platform_admin", subject="operator-1")))


def test_the_api_answers_with_the_plan_and_starts_nothing(operator: Client) -> None:
    droplet_row()
    offer()
    body = {"kind": "resize_droplet", "inputs": {"droplet_id": 1, "size": "s-2vcpu-4gb"}}
    answer = operator.post("/api/v1/sagas/plan", json.dumps(body), content_type="application/json")
    assert answer.status_code == 200
    planned = answer.json()
    assert planned["changes"] == [
        {"kind": "droplet", "name": "web-1 (1)", "detail": "size s-1vcpu-1gb to s-2vcpu-4gb"}
    ]
    assert (planned["monthly_price_change_cents"], planned["currency"]) == (1800, "USD")
    assert (planned["is_startable"], planned["brakes"], planned["unchecked"]) == (True, [], "")
    assert not SagaRun.objects.exists()
    bad = operator.post(
        "/api/v1/sagas/plan", json.dumps({"kind": "resize_droplet"}), content_type="application/json"
    )
    assert (bad.status_code, list(bad.json()["errors"])) == (400, ["inputs.droplet_id"])


def test_the_command_prints_the_plan() -> None:
    droplet_row()
    offer()
    text = saga_command("plan", "resize_droplet", "--inputs", '{"droplet_id": 1, "size": "s-2vcpu-4gb"}')
    assert "changes: droplet web-1 (1): size s-1vcpu-1gb to s-2vcpu-4gb\n" in text
    assert "a month: +$18.00\n" in text
    assert "off: web-1 is off while it is resized\n" in text
    assert not SagaRun.objects.exists()
