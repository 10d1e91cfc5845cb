"""Operators, sweeps, syncs and sagas at the same moment: one outcome, and the other is refused."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone

from arcadia_cloud.kernel.errors import Conflict
from arcadia_cloud.kernel.leases import LeaseHeld, lease
from drift.detection import sweep_all
from drift.errors import NotAdoptable
from drift.models import Drift
from drift.services import accept_drift, adopt_resource, detect_all, ignore_drift, revert_drift
from drift.states import DriftStatus
from drift.values import DriftCounts
from inventory.models import Resource, ResourceEvent
from inventory.values import EventType
from provisioning.models import Provisioned, SagaRun
from tests.drift.fleet import drifted, hour, make_resource, only_drift, sweep
from tests.inventory.observations import observed, seen
from tests.kernel.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 8


def both(*works: Callable[[], object]) -> list[object]:
    """Return the results of these at the same moment, a refusal as itself."""
    start = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = works[number]()
        except Conflict as refusal:
            results[number] = refusal

    threads = [in_thread(lambda number=number: run(number)) for number in range(len(works))]  # type: ignore[misc]
    for thread in threads:
        thread.join()
    return results


def while_held(first: Callable[[], object], second: Callable[[], object]) -> object:
    """Do `first` in a transaction that commits only once `second` waits for it; return what `second` did."""
    results: list[object] = []

    def run() -> None:
        try:
            results.append(second())
        except Conflict as refusal:
            results.append(refusal)

    with transaction.atomic():
        first()
        thread = in_thread(run)
        deadline = time.monotonic() + 10
        while not _is_waiting() and thread.is_alive():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert thread.is_alive(), f"it didn't wait: {results}"
    thread.join()
    return results[0]


def _is_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        found: int = cursor.fetchone()[0]
    return found > 0


def accept(drift: Drift, actor: str = "ada") -> Drift:
    return accept_drift(drift_pk=drift.pk, actor=actor, at=hour(2))


def revert(drift: Drift) -> Drift:
    return revert_drift(drift_pk=drift.pk, actor="bob", at=hour(2))


def ignore(drift: Drift) -> Drift:
    return ignore_drift(drift_pk=drift.pk, actor="eve", at=hour(2), reason="known")


OUTCOMES: Mapping[Callable[..., Drift], DriftStatus] = {
    accept: DriftStatus.ACCEPTED,
    revert: DriftStatus.OPEN,  # with its saga, until a sweep agrees
    ignore: DriftStatus.IGNORED,
}
ACTIONS: Sequence[Callable[[Drift], Drift]] = (accept, revert, ignore)


@pytest.mark.parametrize("second", ACTIONS)
@pytest.mark.parametrize("first", ACTIONS)
def test_of_two_operators_the_second_is_refused(
    first: Callable[[Drift], Drift], second: Callable[[Drift], Drift]
) -> None:
    drifted()
    drift = only_drift()
    refusal = while_held(lambda: first(drift), lambda: second(drift))
    assert isinstance(refusal, Conflict)
    drift.refresh_from_db()
    assert drift.status == OUTCOMES[first]
    assert SagaRun.objects.count() == (first is revert)
    assert Provisioned.objects.get().spec_version == (2 if first is accept else 1)


def test_two_accepts_at_once_make_one_version() -> None:
    drifted()
    drift = only_drift()
    results = both(lambda: accept(drift, "ada"), lambda: accept(drift, "bob"))
    assert sorted(isinstance(result, Conflict) for result in results) == [False, True]
    assert Provisioned.objects.get().spec_version == 2


def test_of_two_adoptions_at_once_one_adopts() -> None:
    resource = make_resource()
    late = while_held(
        lambda: adopt_resource(resource_pk=resource.pk, actor="ada", at=hour(1)),
        lambda: adopt_resource(resource_pk=resource.pk, actor="bob", at=hour(1)),
    )
    assert isinstance(late, NotAdoptable)
    assert "has a desired state already" in late.detail
    assert Provisioned.objects.count() == 1


@pytest.mark.parametrize("action", ACTIONS)
def test_a_sweep_that_waits_for_an_operator_opens_nothing_again(action: Callable[[Drift], Drift]) -> None:
    drifted()
    drift = only_drift()
    counts = while_held(lambda: action(drift), lambda: sweep(2))
    assert isinstance(counts, DriftCounts)
    assert counts.opened == 0
    assert Drift.objects.count() == 1
    assert ResourceEvent.objects.filter(event_type=EventType.DRIFT_DETECTED).count() == 1
    before = Drift.objects.values_list("status").get()
    sweep(3)
    assert Drift.objects.values_list("status").get() == before


def test_an_operator_who_waits_for_a_sweep_sees_what_it_wrote() -> None:
    resource = drifted()
    drift = only_drift()
    Resource.objects.filter(pk=resource.pk).update(attrs={"size_slug": "s-4vcpu-8gb"})
    refusal = while_held(
        lambda: sweep(2),
        lambda: accept_drift(drift_pk=drift.pk, actor="ada", at=hour(2), cause=drift.cause),
    )
    assert isinstance(refusal, Conflict)
    assert Drift.objects.open().get().actual == "s-4vcpu-8gb"
    assert Provisioned.objects.get().spec_version == 1


def test_two_sweeps_at_once_have_the_outcome_of_one() -> None:
    for number in range(20):
        drifted(str(number))
    both(lambda: sweep_all(at=hour(1)), lambda: sweep_all(at=hour(1)), lambda: sweep_all(at=hour(1)))
    assert Drift.objects.count() == Drift.objects.open().count() == 20
    assert ResourceEvent.objects.count() == 20


def test_a_scheduled_sweep_is_refused_while_another_runs() -> None:
    drifted()
    with lease("drift: sweep"), pytest.raises(LeaseHeld, match="is already running"):
        detect_all(at=hour(1))
    assert not Drift.objects.exists()


def test_a_sync_and_a_sweep_at_once_never_open_two_rows() -> None:
    at = timezone.now()
    observed(seen("1"), at=at)
    resource = Resource.objects.get()
    Provisioned.objects.create(resource=resource, spec={"status": "active", "name": "shop"})
    for number in range(1, ROUNDS + 1):
        look = seen("1", status="off" if number % 2 else "active")
        observe_at = partial(observed, look, at=at + timedelta(minutes=number))
        both(observe_at, lambda: sweep_all(at=timezone.now()))
        assert Drift.objects.open().filter(field="name").count() == 1
        assert Drift.objects.open().filter(field="status").count() <= 1
    sweep_all(at=timezone.now())  # it agrees with the last look by now
    assert Drift.objects.open().count() == 1 + ROUNDS % 2
    events = ResourceEvent.objects.filter(changes__has_key="status", event_type=EventType.DRIFT_DETECTED)
    assert events.count() == Drift.objects.filter(field="status").count()
