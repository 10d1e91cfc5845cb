"""The brakes, and what is recorded of what was made."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django.fixtures import Settings

from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.models import Alert
from inventory.models import Resource
from provisioning.brakes import refuse_if_protected, reserve_create
from provisioning.contract import Wait
from provisioning.desired_state import record_provisioned
from provisioning.engine.runner import run
from provisioning.errors import Protected
from provisioning.models import Provisioned, ProvisioningBrake, SagaCreate, SagaRun
from provisioning.services import cancel_saga, pause, protect, unpause, unprotect
from provisioning.states import AdvanceOutcome
from tests.inventory.observations import observed, seen
from tests.kernel.threads import at_once
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import ledger, started, walk_to_its_end

pytestmark = pytest.mark.django_db(transaction=True)


def test_while_paused_nothing_starts() -> None:
    pause(by="jo", reason="a storm")
    saga = started(message="hello")
    assert run(saga.pk) == AdvanceOutcome.NOT_DUE
    saga.refresh_from_db()
    assert saga.status == "pending"
    unpause(by="jo")
    assert run(saga.pk) == AdvanceOutcome.COMPLETED


def test_a_running_saga_stops_at_its_next_step_and_goes_on_from_there(scripts: Scripts) -> None:
    saga = scripts("act", "act", do_0=["pause"])
    assert run(saga.pk) == AdvanceOutcome.PAUSED
    saga.refresh_from_db()
    assert (saga.status, saga.wait_reason, saga.current_step_idx) == ("waiting", "paused", 1)
    assert ledger(saga) == [("act", "completed")], "the next step was not begun"
    assert run(saga.pk) == AdvanceOutcome.NOT_DUE
    unpause(by="jo")
    assert run(saga.pk) == AdvanceOutcome.COMPLETED
    assert scripts.calls(saga) == ["do:0", "do:1"]


def test_the_way_back_stops_too(scripts: Scripts) -> None:
    saga = scripts("act", "act", "act", do_2=["fail"], undo_1=["pause"])
    assert run(saga.pk) == AdvanceOutcome.PAUSED
    saga.refresh_from_db()
    assert (saga.status, saga.wait_reason, saga.current_step_idx) == ("compensating", "paused", 0)
    assert ledger(saga)[0] == ("act", "completed")
    unpause(by="jo")
    assert run(saga.pk) == AdvanceOutcome.ROLLED_BACK
    assert ledger(saga)[0] == ("act", "compensated")


def test_a_step_that_fails_while_paused_is_not_undone_until_later(scripts: Scripts) -> None:
    saga = scripts("act", "act", do_0=["pause"])
    run(saga.pk)
    unpause(by="jo")
    pause(by="jo")
    cancel_saga(saga_id=saga.pk, requested_by="jo")
    assert run(saga.pk) == AdvanceOutcome.NOT_DUE
    unpause(by="jo")
    assert run(saga.pk) == AdvanceOutcome.ROLLED_BACK
    assert scripts.calls(saga) == ["do:0", "undo:0"]


def test_after_a_restore_everything_is_paused() -> None:
    call_command("restored_from_backup", stdout=io.StringIO())
    row = ProvisioningBrake.objects.get()
    assert (row.paused, row.reason) == (True, "restored from a backup")
    assert row.changed_by == "manage.py restored_from_backup"


def droplet(**facts: Any) -> Resource:
    observed(seen(**facts))
    return Resource.objects.get()


def test_a_marked_resource_is_protected_until_the_mark_is_taken_away() -> None:
    resource = droplet()
    refuse_if_protected(kind="droplet", provider_id=resource.provider_id)
    protect(resource_pk=resource.pk, by="jo", note="the demo")
    protect(resource_pk=resource.pk, by="jo")
    with pytest.raises(Protected, match=f"droplet {resource.provider_id} is protected"):
        refuse_if_protected(kind="droplet", provider_id=resource.provider_id)
    assert (unprotect(resource_pk=resource.pk), unprotect(resource_pk=resource.pk)) == (True, False)
    refuse_if_protected(kind="droplet", provider_id=resource.provider_id)
    with pytest.raises(NotFound):
        protect(resource_pk=resource.pk + 1, by="jo")


def test_the_tag_protects_as_the_inventory_knows_it_and_as_the_provider_tells_it() -> None:
    resource = droplet(tags=["protected"])
    with pytest.raises(Protected):
        refuse_if_protected(kind="droplet", provider_id=resource.provider_id)
    with pytest.raises(Protected):
        refuse_if_protected(kind="droplet", provider_id="never seen", tags=["a", "protected"])
    refuse_if_protected(kind="droplet", provider_id="never seen", tags=["unprotected"])


def reserve(saga: SagaRun, step_idx: int = 0, tenant: str | None = None) -> Wait | None:
    state: Any = SimpleNamespace(saga_id=saga.pk, step_idx=step_idx, tenant_id=tenant)
    return reserve_create(state)


def test_creates_are_capped_per_hour(settings: Settings) -> None:
    settings.ARCADIA_CREATES_PER_HOUR = 2
    saga = started(message="hello")
    assert [reserve(saga, 0), reserve(saga, 1), reserve(saga, 0)] == [None, None, None]
    waiting = reserve(saga, 2)
    assert waiting is not None
    assert (waiting.seconds, waiting.reason) == (60, "2 creates within an hour, 2 allowed")
    alert = Alert.objects.get()
    assert (alert.code, alert.subject) == ("creates_capped", "creates:all")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE saga_creates SET at = at - interval '61 minutes' WHERE step_idx = 0")
    assert reserve(saga, 2) is None


def test_creates_are_capped_per_tenant(settings: Settings) -> None:
    settings.ARCADIA_CREATES_PER_TENANT_PER_HOUR = 1
    saga = started(message="hello")
    assert reserve(saga, 0, "acme") is None
    waiting = reserve(saga, 1, "acme")
    assert waiting is not None
    assert waiting.reason == "1 creates for tenant acme within an hour, 1 allowed"
    assert Alert.objects.get().subject == "tenant:acme"
    assert [reserve(saga, 2, "globex"), reserve(saga, 3), reserve(saga, 4)] == [None, None, None]


def test_many_at_once_never_pass_the_cap(settings: Settings) -> None:
    settings.ARCADIA_CREATES_PER_HOUR = 3
    sagas = [started(message="hello") for _ in range(6)]
    waiting = iter(sagas)
    results = at_once(6, lambda: reserve(next(waiting)))
    assert sum(result is None for result in results) == 3
    assert SagaCreate.objects.count() == 3


def test_a_desired_state_is_recorded_once_per_saga_and_versioned() -> None:
    resource = droplet()
    first, second = started(message="a"), started(message="b")

    def record(saga: SagaRun, size: str) -> int:
        return record_provisioned(resource_pk=resource.pk, spec={"size": size}, saga_id=saga.pk)

    assert [record(first, "s"), record(first, "s"), record(first, "m"), record(second, "m")] == [1, 1, 2, 3]
    row = Provisioned.objects.get()
    assert (row.resource_id, row.spec, row.spec_version, row.saga_id) == (
        resource.pk,
        {"size": "m"},
        3,
        second.pk,
    )


def saga_command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("saga", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_starts_lists_shows_and_lends_a_hand(scripts: Scripts) -> None:
    words = saga_command("start", "echo", "--inputs", '{"message": "hello"}', "--idempotency-key", "k")
    saga = SagaRun.objects.get()
    assert words == f"Saga {saga.pk} (echo) is pending.\n"
    assert f"Saga {saga.pk} (echo) is pending." in saga_command("requeue", str(saga.pk))
    walk_to_its_end(saga)
    assert "completed" in saga_command("list", "--status", "completed", "--kind", "echo")
    shown = saga_command("show", str(saga.pk))
    assert '"echoed_at_step_2": "hello"' in shown
    assert shown.count("echo") > 3
    other = scripts("act")
    assert f"Saga {other.pk} (scripted) is rolled_back." in saga_command("cancel", str(other.pk))
    assert "(scripted) is pending." in saga_command("retry", str(other.pk))
    assert "paused by manage.py saga: a storm" in saga_command("pause", "--reason", "a storm")
    assert "paused by" in saga_command("list")
    assert saga_command("unpause") == "Sagas go on.\n"


def test_the_command_walks_a_saga_here_and_wakes_no_worker(
    patient_broker: None, valkey_client: redis.Redis
) -> None:
    words = saga_command("start", "echo", "--here", "--inputs", '{"message": "hello", "then_fail": true}')
    saga = SagaRun.objects.get()
    assert words == f"Saga {saga.pk} (echo) is rolled_back.\n"
    assert valkey_client.llen("provisioning") == 0


def test_the_command_shows_words_in_brackets_as_they_are() -> None:
    saga = started(message="[/b] and [redacted]", times=1)
    walk_to_its_end(saga)
    assert saga_command("show", str(saga.pk)).count("[/b] and [redacted]") == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["start", "teleport"], r"there is no workflow 'teleport' \(kind: must be one of: echo"),
        (["start", "echo"], "inputs.message: .*missing required field"),
        (["start", "echo", "--inputs", "{"], "--inputs is not JSON"),
        (["show", "999999"], "there is no saga 999999"),
        (["cancel", "999999"], "there is no saga 999999"),
        (["list", "--limit", "0"], "--limit must be from 1 to 1000"),
        (["list", "--status", "lost"], "invalid choice: 'lost'"),
        (["frobnicate"], "invalid choice: 'frobnicate'"),
    ],
)
def test_the_command_refuses_with_words(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        saga_command(*arguments)
