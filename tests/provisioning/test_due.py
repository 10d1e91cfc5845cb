"""Advancing all that is due, as a woken worker does."""

from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.db import connection, transaction
from structlog.testing import capture_logs

from provisioning.engine import runner
from provisioning.engine.runner import run, run_due
from provisioning.models import SagaRun
from provisioning.services import pause, unpause
from provisioning.states import AdvanceOutcome
from tests.kernel.threads import at_once
from tests.processes import Workers
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import start, wait_until_ended
from tests.provisioning.scripted_workflow import lose_lease
from tests.provisioning.test_fencing import SCRIPTED

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 60.0


@pytest.fixture
def messages(valkey_client: redis.Redis) -> Callable[[], int]:
    """Count the messages that wait for the workers."""
    return lambda: int(valkey_client.llen("provisioning"))


def statuses(*sagas: SagaRun) -> list[str]:
    return [SagaRun.objects.get(pk=saga.pk).status for saga in sagas]


def test_many_starts_wake_one_worker_which_advances_them_all(
    patient_broker: None, messages: Callable[[], int]
) -> None:
    sagas = [start(message="hello") for _ in range(20)]
    assert messages() == 1
    assert run_due(seconds=LONG) == 20
    assert statuses(*sagas) == ["completed"] * 20
    assert run_due(seconds=LONG) == 0
    start(message="hello")
    assert messages() == 2, "whoever starts one after it looked wakes another"


def test_the_one_that_has_been_due_the_longest_comes_first(scripts: Scripts) -> None:
    orphaned = scripts("act", do_0=["lose"])
    run(orphaned.pk)
    sagas = [scripts("act") for _ in range(3)]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE saga_runs SET created_at = created_at - interval '1 hour' WHERE id = %s", [sagas[2].pk]
        )
    assert run_due(seconds=LONG) == 4
    ended = SagaRun.objects.order_by("finished_at").values_list("pk", flat=True)
    assert list(ended) == [saga.pk for saga in (sagas[2], orphaned, sagas[0], sagas[1])]


def test_what_is_not_due_is_left_alone(scripts: Scripts) -> None:
    waiting, held = scripts("act", do_0=["wait=3600"]), scripts("act", do_0=["lose"])
    for saga in (waiting, held):
        run(saga.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE saga_runs SET lease_expires_at = clock_timestamp() + interval '1 minute' WHERE id = %s",
            [held.pk],
        )
    assert run_due(seconds=LONG) == 0
    lose_lease(held.pk)
    assert run_due(seconds=LONG) == 1
    assert statuses(waiting, held) == ["waiting", "completed"]
    assert SagaRun.objects.get(pk=held.pk).recoveries == 1


def test_while_everything_is_paused_nothing_is_advanced(patient_broker: None) -> None:
    saga = start(message="hello")
    pause(actor="jo")
    assert run_due(seconds=LONG) == 0
    assert statuses(saga) == ["pending"]
    unpause(actor="jo")
    assert run_due(seconds=LONG) == 1


def test_two_at_once_advance_each_saga_once(scripts: Scripts) -> None:
    sagas = [scripts("act", "act") for _ in range(40)]
    assert sum(at_once(2, lambda: run_due(seconds=LONG))) == 40
    assert [scripts.calls(saga) for saga in sagas] == [["do:0", "do:1"]] * 40
    assert set(SagaRun.objects.values_list("recoveries", flat=True)) == {0}


def test_when_its_turn_is_over_it_wakes_another_worker_for_the_rest(
    patient_broker: None, messages: Callable[[], int], valkey_client: redis.Redis
) -> None:
    sagas = [start(message="hello") for _ in range(3)]
    valkey_client.flushdb()
    assert run_due(seconds=0) == 0
    assert (messages(), statuses(*sagas)) == (1, ["pending"] * 3)
    assert run_due(seconds=LONG) == 3
    assert messages() == 1, "nothing is left to wake anybody for"


def test_one_that_is_interrupted_ends_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a database that is away: it would be asked again and again, as fast as it can refuse."""
    for _ in range(3):
        start(message="hello")
    asked: list[Any] = []

    def letting_go(saga_id: int | None) -> AdvanceOutcome:
        asked.append(saga_id)
        return AdvanceOutcome.INTERRUPTED

    monkeypatch.setattr(runner, "_run", letting_go)
    assert run_due(seconds=LONG) == 1
    assert asked == [None]


def test_one_whose_steps_may_take_long_holds_up_none_of_those_that_are_due_with_it(
    scripts: Scripts, patient_broker: None, messages: Callable[[], int]
) -> None:
    """Started at once they wake one worker; while it talks to the provider, another takes the next."""
    for _ in range(3):
        scripts("act")
    assert messages() == 1
    assert run_due(seconds=LONG) == 3
    assert messages() == 2, "whoever takes such a one wakes another for the rest"


@pytest.mark.processes
def test_sagas_that_are_started_at_once_are_advanced_by_all_who_are_free(
    scripts: Scripts, worker: Workers, patient_broker: None
) -> None:
    worker("provisioning", options=("--concurrency", "3", *SCRIPTED[2:]))
    with transaction.atomic():
        sagas = [scripts("act", do_0=["sleep=6"]) for _ in range(3)]
    ended = [wait_until_ended(saga) for saga in sagas]
    began = [saga.started_at for saga in ended if saga.started_at is not None]
    assert (max(began) - min(began)).total_seconds() < 6


def test_a_lease_that_is_lost_is_logged_with_its_saga(scripts: Scripts) -> None:
    saga = scripts("act", do_0=["lose"])
    with capture_logs() as lines:
        assert run_due(seconds=LONG) == 1
    assert [line["saga"] for line in lines if line["event"] == "saga_interrupted"] == [saga.pk]


def test_ten_thousand_waiting_sagas_are_not_even_looked_at(scripts: Scripts) -> None:
    saga = scripts("act", do_0=["wait=3600"])
    run(saga.pk)
    copied = (
        "kind, status, direction, step_modules, inputs, context, current_step_idx, cancel_requested,"
        " cancel_requested_by, compensation_failures, recoveries, subjects, requested_by, lease_holder,"
        " wait_reason, wake_at"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO saga_runs ({copied})"  # noqa: S608 - the columns above
            f" SELECT {copied} FROM saga_runs, generate_series(1, 10000)"
        )
        cursor.execute("ANALYZE saga_runs")
    scripts("act")
    before = rows_read()
    assert run_due(seconds=LONG) == 1
    assert rows_read() - before < 100


def rows_read() -> int:
    """Rows of sagas that were read, by whichever way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'saga_runs'"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.processes
def test_a_worker_that_is_woken_once_brings_all_to_their_end(worker: Workers, patient_broker: None) -> None:
    sagas = [start(message="hello") for _ in range(50)]
    worker("provisioning")
    assert [wait_until_ended(saga).status for saga in sagas] == ["completed"] * 50
