"""The global pause."""

import io

import pytest
from django.core.management import call_command

from provisioning.engine.runner import run
from provisioning.models import ProvisioningBrake
from provisioning.services import cancel_saga, pause, unpause
from provisioning.states import AdvanceOutcome
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import ledger, start

pytestmark = pytest.mark.django_db(transaction=True)


def test_while_paused_nothing_starts() -> None:
    pause(actor="jo", reason="a storm")
    saga = start(message="hello")
    assert run(saga.pk) == AdvanceOutcome.NOT_DUE
    saga.refresh_from_db()
    assert saga.status == "pending"
    unpause(actor="jo")
    assert run(saga.pk) == AdvanceOutcome.COMPLETED


def test_a_running_saga_stops_at_its_next_step_and_goes_on_from_there(scripts: Scripts) -> None:
    saga = scripts("act", "act", do_0=["pause"])
    assert run(saga.pk) == AdvanceOutcome.PAUSED
    saga.refresh_from_db()
    assert (saga.status, saga.wait_reason, saga.current_step_idx) == ("waiting", "paused", 1)
    assert ledger(saga) == [("act", "completed")], "the next step was not begun"
    assert run(saga.pk) == AdvanceOutcome.NOT_DUE
    unpause(actor="jo")
    assert run(saga.pk) == AdvanceOutcome.COMPLETED
    assert scripts.calls(saga) == ["do:0", "do:1"]


def test_compensation_stops_too(scripts: Scripts) -> None:
    saga = scripts("act", "act", "act", do_2=["fail"], undo_1=["pause"])
    assert run(saga.pk) == AdvanceOutcome.PAUSED
    saga.refresh_from_db()
    assert (saga.status, saga.wait_reason, saga.current_step_idx) == ("compensating", "paused", 0)
    assert ledger(saga)[0] == ("act", "completed")
    unpause(actor="jo")
    assert run(saga.pk) == AdvanceOutcome.ROLLED_BACK
    assert ledger(saga)[0] == ("act", "compensated")


def test_a_step_that_fails_while_paused_is_not_compensated_until_later(scripts: Scripts) -> None:
    saga = scripts("act", "act", do_0=["pause"])
    run(saga.pk)
    unpause(actor="jo")
    pause(actor="jo")
    cancel_saga(saga_id=saga.pk, actor="jo")
    assert run(saga.pk) == AdvanceOutcome.NOT_DUE
    unpause(actor="jo")
    assert run(saga.pk) == AdvanceOutcome.ROLLED_BACK
    assert scripts.calls(saga) == ["do:0", "undo:0"]


def test_after_a_restore_everything_is_paused() -> None:
    call_command("restored_from_backup", stdout=io.StringIO())
    row = ProvisioningBrake.objects.get()
    assert (row.paused, row.reason) == (True, "restored from a backup")
    assert row.changed_by == "manage.py restored_from_backup"
