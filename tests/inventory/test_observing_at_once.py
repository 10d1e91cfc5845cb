"""Several observers of the same resources at the same time."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone

from inventory.attribution.assign import assign, clear_assignment, reattribute
from inventory.models import Project, Resource, ResourceEvent, ResourceSpan
from inventory.observation.observe import ObservationCounts
from tests.inventory.observations import a_project, minute, observed, seen, tombstone, tombstone_rows

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 8
IDS = [str(number) for number in range(200)]


def at_once(*works: Callable[[], None]) -> None:
    """Each in a thread with a connection of its own, all let go at one moment. Raises what they raise."""
    gate = threading.Barrier(len(works))

    def work(each: Callable[[], None]) -> None:
        try:
            with connection.cursor() as cursor:  # connected before the gate opens
                cursor.execute("SELECT 1")
            gate.wait(timeout=30)
            each()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work, each) for each in works]:
            done.result(timeout=60)


def overlapping(number: int, rounds: int = 5) -> Callable[[], None]:
    """Batches that share most of their resources with every other thread's, in another order."""

    def work() -> None:
        for turn in range(rounds):
            ids = IDS[number * 10 :] if turn % 2 else IDS[: len(IDS) - number * 10]
            ordered = ids if number % 2 else ids[::-1]
            observed(*(seen(each) for each in ordered), at=minute(turn), source=f"run:{number}")

    return work


def test_overlapping_batches_leave_one_row_and_one_event_each() -> None:
    at_once(*(overlapping(number) for number in range(THREADS)))
    assert sorted(Resource.objects.values_list("provider_id", flat=True)) == sorted(IDS)
    assert Counter(ResourceEvent.objects.values_list("event_type", flat=True)) == {"discovered": len(IDS)}
    assert ResourceSpan.objects.count() == len(IDS)


def test_a_change_that_all_see_at_once_is_told_once() -> None:
    observed(*(seen(each) for each in IDS))

    def see_them_off() -> None:
        observed(*(seen(each, status="off", active=False) for each in IDS), at=minute(5))

    at_once(*[see_them_off] * THREADS)
    recorded = Counter(ResourceEvent.objects.values_list("event_type", flat=True))
    assert recorded == {"discovered": len(IDS), "updated": len(IDS)}
    assert ResourceSpan.objects.count() == 2 * len(IDS)


def test_a_return_that_all_see_at_once_is_told_once() -> None:
    observed(*(seen(each) for each in IDS))
    tombstone(IDS, at=minute(1))

    def see_them_back() -> None:
        observed(*(seen(each) for each in IDS), at=minute(5))

    at_once(*[see_them_back] * THREADS)
    assert ResourceEvent.objects.filter(event_type="restored").count() == len(IDS)
    assert ResourceSpan.objects.filter(during__endswith=None).count() == len(IDS)


def test_two_who_disagree_about_what_changed_never_wait_for_each_other_in_a_ring() -> None:
    """One finds unchanged what the other finds changed: both must lock in one order all the same."""
    observed(*(seen(each) for each in IDS))

    def see(view: int) -> None:
        for turn in range(1, 20):
            looks = (seen(each, status="off" if int(each) >> view & 1 else "active") for each in IDS)
            observed(*looks, at=minute(turn))

    at_once(*(partial(see, number % 4) for number in range(THREADS)))
    assert set(Resource.objects.values_list("last_seen_at", flat=True)) == {minute(19)}


def test_an_unchanged_resource_that_was_being_struck_meanwhile_is_bumped_after_it() -> None:
    observed(seen())
    struck = threading.Event()

    def strike() -> None:
        with transaction.atomic():
            Resource.objects.update(stale_strike_count=1)
            struck.set()
            wait_until_somebody_waits()

    def look() -> None:
        assert struck.wait(timeout=30)
        assert observed(seen(), at=minute(5)) == ObservationCounts(seen=1)

    at_once(strike, look)
    row = Resource.objects.get()
    assert (row.stale_strike_count, row.last_seen_at) == (0, minute(5))


def test_a_resource_that_was_being_changed_meanwhile_is_not_taken_for_unchanged() -> None:
    observed(seen())
    renamed = threading.Event()

    def rename() -> None:
        with transaction.atomic():
            observed(seen(name="db-1"), at=minute(4))
            renamed.set()
            wait_until_somebody_waits()

    def look() -> None:
        assert renamed.wait(timeout=30)
        assert observed(seen(), at=minute(5)) == ObservationCounts(seen=1, updated=1)

    at_once(rename, look)
    assert Resource.objects.get().name == "web-1"
    assert [event.changes.get("name") for event in ResourceEvent.objects.order_by("pk")] == [
        None,
        ["web-1", "db-1"],
        ["db-1", "web-1"],
    ]


def test_a_resource_that_was_being_assigned_while_it_was_buried_has_no_life_left_open() -> None:
    observed(seen())
    pk = Resource.objects.get().pk
    Resource.objects.update(stale_strike_count=3)
    assigned = threading.Event()

    def give_away() -> None:
        with transaction.atomic():
            assign(resource_pks=[pk], tenant_id="acme", deployment_pk=None, actor="a", source="s")
            assigned.set()
            wait_until_somebody_waits()

    def dig() -> None:
        assert assigned.wait(timeout=30)
        tombstone_rows([pk], at=minute(5))

    at_once(give_away, dig)
    assert Resource.objects.get().deleted_at == minute(5)
    assert [(span.tenant_id, span.during.upper) for span in ResourceSpan.objects.all()] == [(None, minute(0))]


@pytest.mark.parametrize("cleared", [True, False])
def test_who_cannot_decide_leaves_the_owner_that_is_being_decided_meanwhile(cleared: bool) -> None:
    """A batch with something new looks at the others' owners before it holds their rows."""
    acme = a_project("Acme", "acme")
    observed(seen("1", project_id=acme.pk))
    pk = Resource.objects.get().pk
    if cleared:
        assign(resource_pks=[pk], tenant_id="initech", deployment_pk=None, actor="a", source="s")
    decided = threading.Event()

    def decide() -> None:
        with transaction.atomic():
            if cleared:
                clear_assignment(resource_pks=[pk], actor="a", source="s")
            else:
                Project.objects.update(tenant_id="globex")
                reattribute(resource_pks=[pk], actor="a", source="s")
            decided.set()
            wait_until_somebody_waits()

    def look() -> None:
        assert decided.wait(timeout=30)
        observed(seen("1"), seen("2"), at=timezone.now())

    at_once(decide, look)
    row = Resource.objects.get(pk=pk)
    assert (row.tenant_id, row.attributed_by) == ("acme" if cleared else "globex", "project")
    assert row.spans.get(during__endswith=None).tenant_id == row.tenant_id


def test_who_cannot_decide_leaves_the_owner_of_a_row_that_is_being_inserted() -> None:
    acme = a_project("Acme", "acme")
    inserted = threading.Event()

    def insert() -> None:
        with transaction.atomic():
            observed(seen("1", tags=[], project_id=acme.pk))
            inserted.set()
            wait_until_somebody_waits()

    def observe_without_project() -> None:
        assert inserted.wait(timeout=30)
        observed(seen("1", tags=[]), at=minute(1), bump_unchanged=False)

    at_once(insert, observe_without_project)
    row = Resource.objects.get()
    assert (row.tenant_id, row.attributed_by) == ("acme", "project")
    assert row.spans.get().tenant_id == "acme"


def wait_until_somebody_waits() -> None:
    """Until another connection to this database waits for a lock."""
    ends_at = time.monotonic() + 30
    while time.monotonic() < ends_at:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waited")


def test_the_harness_sees_the_race_of_looking_before_writing() -> None:
    """The control: reading first and writing then records things twice, or breaks on the constraint."""

    def look_then_write() -> None:
        for each in IDS:
            with transaction.atomic():
                is_new = not Resource.objects.filter(provider_id=each).exists()
                row, _ = Resource.objects.update_or_create(
                    kind="droplet",
                    provider_id=each,
                    defaults={"first_seen_at": minute(0), "last_seen_at": minute(0)},
                )
                if is_new:
                    ResourceEvent.objects.create(
                        resource=row, event_type="discovered", at=minute(0), actor=""
                    )

    at_once(*[look_then_write] * THREADS)
    assert ResourceEvent.objects.count() > len(IDS)
