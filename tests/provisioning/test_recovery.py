"""The sweep that recovers sagas."""

from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.db import OperationalError, connection

from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.queue.broker import BrokerAway
from arcadia_cloud.kernel.queue.nudge import publish_now
from provisioning import recovery
from provisioning.engine.runner import run
from provisioning.models import SagaRun
from provisioning.services import pause, sweep, unpause
from tests.kernel.threads import at_once
from tests.processes import Workers
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import start, start_and_run, wait_until_ended
from tests.provisioning.scripted_workflow import lose_lease

pytestmark = pytest.mark.django_db(transaction=True)


def age(seconds: int = 31) -> None:
    """Let so much time pass for every saga."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE saga_runs SET nudged_at = nudged_at - make_interval(secs => %(s)s),"
            " created_at = created_at - make_interval(secs => %(s)s),"
            " wake_at = wake_at - make_interval(secs => %(s)s)",
            {"s": seconds},
        )


@pytest.fixture
def queued(valkey_client: redis.Redis) -> Callable[[], int]:
    """Count the messages that wait for the workers, and delete them."""

    def count() -> int:
        messages = int(valkey_client.llen("provisioning"))
        valkey_client.flushdb()
        return messages

    return count


def test_a_lost_nudge_is_made_good_and_not_repeated_for_half_a_minute(queued: Any) -> None:
    start(message="hello")
    assert queued() == 1
    assert sweep()["nudged"] == 0, "it was nudged for a moment ago"
    age()
    assert sweep()["nudged"] == 1
    assert queued() == 1
    assert sweep()["nudged"] == 0
    age()
    assert sweep()["nudged"] == 1


def test_it_finds_what_is_due_in_both_directions_and_nothing_else(scripts: Scripts) -> None:
    orphaned = scripts("act", do_0=["lose"])
    waiting = scripts("act", do_0=["wait=20"])
    going_back = scripts("act", "act", do_1=["fail"], undo_0=["lose"])
    not_due = scripts("act", do_0=["wait=3600"])
    for saga in (orphaned, waiting, going_back, not_due):
        run(saga.pk)
    start_and_run(message="hello")
    due = {orphaned.pk, going_back.pk}
    assert sweep()["nudged"] == 2
    assert set(SagaRun.objects.filter(nudged_at__isnull=False).live().values_list("pk", flat=True)) == due
    age()
    assert sweep()["nudged"] == 3


def test_a_saga_that_is_being_advanced_is_left_alone(scripts: Scripts) -> None:
    held = scripts("act", do_0=["lose"])
    run(held.pk)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE saga_runs SET lease_expires_at = clock_timestamp() + interval '1 minute'")
    age()
    assert sweep()["nudged"] == 0
    lose_lease(held.pk)
    assert sweep()["nudged"] == 1


def test_one_that_cannot_be_sent_holds_up_no_other(monkeypatch: pytest.MonkeyPatch, queued: Any) -> None:
    sagas = [start(message="hello") for _ in range(5)]
    queued()
    age()

    def refusing_the_first(task: str, *, queue: str, saga_id: int) -> None:
        if saga_id == sagas[0].pk:
            raise BrokerAway
        publish_now(task, queue=queue, saga_id=saga_id)

    monkeypatch.setattr(recovery, "publish_now", refusing_the_first)
    assert sweep()["nudged"] == 4
    assert queued() == 4
    monkeypatch.setattr(recovery, "publish_now", publish_now)
    assert sweep()["nudged"] == 1, "the next sweep tries it again"


def test_a_broker_that_is_away_is_asked_three_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(10):
        start(message="hello")
    age()
    asked: list[int] = []

    def refusing(_task: str, *, queue: str, saga_id: int) -> None:
        asked.append(saga_id)
        raise BrokerAway

    monkeypatch.setattr(recovery, "publish_now", refusing)
    assert sweep()["nudged"] == 0
    assert len(asked) == 3
    monkeypatch.setattr(recovery, "publish_now", publish_now)
    assert sweep()["nudged"] == 10


def test_a_database_that_goes_away_in_the_middle_strands_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        start(message="hello")
    age()

    def terminated(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("terminating connection due to administrator command")

    monkeypatch.setattr(recovery, "publish_now", terminated)
    with pytest.raises(OperationalError):
        sweep()
    monkeypatch.setattr(recovery, "publish_now", publish_now)
    age()
    assert sweep()["nudged"] == 3


def test_a_batch_is_bounded_and_stuck_ones_starve_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recovery, "MOST_AT_ONCE", 4)
    for _ in range(10):
        start(message="hello")
    SagaRun.objects.update(nudged_at=None)
    seen: list[int] = []
    monkeypatch.setattr(recovery, "publish_now", lambda _task, **named: seen.append(named["saga_id"]))
    for _ in range(3):
        assert sweep()["nudged"] == 4
        age()
    assert set(seen[:12]) == set(SagaRun.objects.values_list("pk", flat=True))


def test_two_sweeps_at_once_nudge_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(20):
        start(message="hello")
    age()
    assert sum(result["nudged"] for result in at_once(2, sweep)) == 20


def test_while_everything_is_paused_none_is_nudged(queued: Any) -> None:
    start(message="hello")
    age()
    pause(actor="jo")
    assert sweep()["nudged"] == 0
    queued()
    unpause(actor="jo")
    assert queued() == 1, "a sweep is asked for at once"
    assert sweep()["nudged"] == 1


def test_a_saga_older_than_its_workflows_deadline_is_reported_once(scripts: Scripts) -> None:
    saga = scripts("act", do_0=["wait=7200"])
    run(saga.pk)
    assert sweep()["alerted"] == 0
    age(3600)
    assert (sweep()["alerted"], sweep()["alerted"]) == (1, 0)
    alert = Alert.objects.get()
    assert (alert.code, alert.subject, alert.times_raised) == ("saga_overdue", f"saga:{saga.pk}", 1)
    assert alert.message == (
        f"Saga {saga.pk} (scripted) is waiting after more than 3600 s. the script says so"
    )
    age(3600)
    run(saga.pk)
    sweep()
    alert.refresh_from_db()
    assert alert.resolved_at is not None, "it ended"


def test_ten_thousand_waiting_sagas_are_not_even_looked_at(scripts: Scripts) -> None:
    saga = scripts("act", do_0=["wait=3600"])
    run(saga.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO saga_runs (kind, status, direction, step_modules, inputs, context, current_step_idx,"
            " cancel_requested, cancel_requested_by, compensation_failures, recoveries, subjects,"
            " requested_by, lease_holder, wait_reason, wake_at)"
            " SELECT kind, status, direction, step_modules, inputs, context, current_step_idx,"
            " cancel_requested, cancel_requested_by, compensation_failures, recoveries, subjects,"
            " requested_by, lease_holder, wait_reason, wake_at FROM saga_runs, generate_series(1, 10000)"
        )
        cursor.execute("ANALYZE saga_runs")
        due = recovery._MARK_DUE_AS_NUDGED.text.replace("%(again_after_seconds)s", "30").replace(
            "%(most)s", "500"
        )
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {due}")
        plan = str(cursor.fetchone()[0])
    assert "'Index Name': 'saga_due'" in plan
    assert sweep()["nudged"] == 0


@pytest.mark.processes
def test_a_worker_that_gets_a_sweep_brings_forgotten_sagas_to_their_end(
    worker: Workers, valkey_client: redis.Redis
) -> None:
    sagas = [start(message="hello") for _ in range(5)]
    valkey_client.flushdb()
    age()
    worker("provisioning")
    publish_now("provisioning.sweep", queue="provisioning")
    assert [wait_until_ended(saga).status for saga in sagas] == ["completed"] * 5
