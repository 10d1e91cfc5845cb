"""A restored database: paused, and, beside its original, without the sagas that are the original's."""

import io

import pytest
from django.core.management import call_command

from arcadia_cloud.kernel.models import Alert
from provisioning.engine.claim import MOST_RECOVERIES
from provisioning.engine.runner import run
from provisioning.errors import WrongState
from provisioning.models import ProvisioningBrake, SagaRun, SagaSubject
from provisioning.services import cancel_saga, retry_saga, unpause
from provisioning.states import AdvanceOutcome
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import ledger, run_to_end, start

pytestmark = pytest.mark.django_db(transaction=True)


def restored(*arguments: str) -> str:
    written = io.StringIO()
    call_command("restored_from_backup", *arguments, stdout=written)
    return written.getvalue()


def sagas_in_every_state(scripts: Scripts) -> dict[str, SagaRun]:
    """A saga of each status, each with a subject of its own."""
    sagas = {
        "pending": scripts("act", subjects=["a:1"]),
        "waiting": scripts("act", "act", do_1=["wait=3600"], subjects=["a:2"]),
        "compensating": scripts("act", "act", do_1=["fail"], undo_0=["wait=3600"], subjects=["a:3"]),
        "failed": scripts("act", do_0=["lose"] * (MOST_RECOVERIES + 1), subjects=["a:4"]),
        "running": scripts("act", do_0=["lose"], subjects=["a:5"]),
        "completed": scripts("act"),
        "rolled_back": scripts("act", do_0=["fail"]),
    }
    for name in ("waiting", "compensating", "completed", "rolled_back"):
        run(sagas[name].pk)
    for _ in range(MOST_RECOVERIES + 2):
        run(sagas["failed"].pk)
        SagaRun.objects.filter(pk=sagas["failed"].pk, lease_token__isnull=False).update(
            lease_expires_at="2026-01-01T00:00Z"
        )
    run(sagas["running"].pk)
    for name, saga in sagas.items():
        saga.refresh_from_db()
        assert saga.status == name
    return sagas


def test_a_restored_database_keeps_its_live_sagas_for_when_the_pause_is_lifted(scripts: Scripts) -> None:
    saga = scripts("act", "act", do_0=["wait=0"])
    run(saga.pk)
    restored()
    assert run(saga.pk) == AdvanceOutcome.NOT_DUE
    unpause(actor="jo")
    assert run_to_end(saga).status == "completed"


def test_beside_its_original_every_saga_that_is_not_over_ends_and_nothing_is_undone(scripts: Scripts) -> None:
    sagas = sagas_in_every_state(scripts)
    before = {name: scripts.calls(saga) for name, saga in sagas.items()}
    assert "5 sagas are left to the original" in restored("--copy")
    assert ProvisioningBrake.objects.get().paused
    unpause(actor="jo")
    for name, saga in sagas.items():
        assert run(saga.pk) == AdvanceOutcome.NOT_DUE
        saga.refresh_from_db()
        assert saga.status == ("completed" if name == "completed" else "rolled_back")
        assert scripts.calls(saga) == before[name]
        if name not in {"completed", "rolled_back"}:
            assert saga.error == {"reason": "left_to_the_original", "compensate_from_idx": None}
            assert {status for _, status in ledger(saga)} <= {"completed", "failed"}
            with pytest.raises(WrongState):
                cancel_saga(saga_id=saga.pk, actor="jo")
    assert not SagaSubject.objects.exists()
    assert not Alert.objects.filter(code="saga_dead_letter", resolved_at=None).exists()
    assert "0 sagas are left" in restored("--copy")


def test_a_retry_of_what_was_left_to_the_original_is_a_saga_of_our_own(scripts: Scripts) -> None:
    saga = scripts("act", subjects=["a:1"])
    restored("--copy")
    unpause(actor="jo")
    again = retry_saga(saga_id=saga.pk, actor="jo")
    assert (again.pk > saga.pk + 1_000_000, again.nonce != saga.nonce) == (True, True)
    assert run_to_end(again).status == "completed"
    assert start(message="hello").pk > again.pk
