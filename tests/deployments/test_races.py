"""Two requests at the same moment: one wins, and the other gets the reason."""

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection, transaction

from arcadia_cloud.kernel.errors import Conflict, DomainError
from arcadia_cloud.kernel.states import StaleState
from deployments.errors import AddonAttached, AlreadySubscribed, SlugTaken
from deployments.models import Deployment, DeploymentEvent, Subscription, SubscriptionAddon
from deployments.renewal import RollCounts
from deployments.services import (
    attach_addon,
    create_deployment,
    create_subscription,
    end_trials,
    roll_periods,
    transition,
    update_deployment,
)
from deployments.trials import TrialCounts
from tests.deployments.rows import BY, deployed, noon, on_sale, storage, subscribed
from tests.kernel.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)
_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def wait_until_blocked(count: int) -> None:
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees one picture of it else
            cursor.execute(_WAITING)
            if cursor.fetchone()[0] == count:
                return
            time.sleep(0.02)
    pytest.fail("they never waited for one another")


def race(deployment: Deployment, *works: Callable[[], object]) -> list[object]:
    """Return the results or refusals of works that all wait for the row before the first goes on."""
    results: list[object] = []

    def run(work: Callable[[], object]) -> None:
        try:
            results.append(work())
        except DomainError as refusal:
            results.append(refusal)

    with transaction.atomic():
        Deployment.objects.select_for_update().get(pk=deployment.pk)
        threads: list[threading.Thread] = [in_thread(partial(run, work)) for work in works]
        wait_until_blocked(len(works))
    for thread in threads:
        thread.join()
    return results


def loser(results: list[object]) -> Conflict:
    """Return the one refusal among two results."""
    [refusal] = [result for result in results if isinstance(result, DomainError)]
    assert isinstance(refusal, Conflict)
    assert refusal.status == 409
    return refusal


@pytest.mark.parametrize("other", ["paused", "suspended", "cancelled"])
def test_of_two_transitions_one_wins(other: str) -> None:
    deployment = deployed()

    def move(to: str) -> object:
        return transition(deployment_pk=deployment.pk, to=to, actor=BY, at=noon(2))

    refusal = loser(race(deployment, lambda: move("paused"), lambda: move(other)))
    assert isinstance(refusal, StaleState)
    assert "no longer active" in refusal.detail
    assert DeploymentEvent.objects.filter(event_type="transitioned").count() == 1


def test_of_two_subscribes_one_wins() -> None:
    on_sale("studio", 5000)
    deployment = deployed()

    def subscribe() -> object:
        return create_subscription(deployment_pk=deployment.pk, plan_code="studio", actor=BY, at=noon(2))

    assert isinstance(loser(race(deployment, subscribe, subscribe)), AlreadySubscribed)
    assert Subscription.objects.count() == 1


def test_of_two_attachments_of_an_addon_one_wins() -> None:
    on_sale("studio", 5000)
    storage()
    deployment = subscribed().deployment

    def attach() -> object:
        return attach_addon(deployment_pk=deployment.pk, code="storage_50gb", actor=BY, at=noon(2))

    assert isinstance(loser(race(deployment, attach, attach)), AddonAttached)
    assert SubscriptionAddon.objects.count() == 1


def test_a_daily_task_leaves_alone_what_changed_after_it_was_found_due() -> None:
    on_sale("studio", 5000)
    subscription, guest = subscribed(), deployed("guest", trial=True)
    counts: list[object] = []
    with transaction.atomic():
        transition(deployment_pk=subscription.deployment_id, to="cancelled", actor=BY, at=noon(20))
        update_deployment(
            deployment_pk=guest.pk, changes={"billing_action_suspended": True}, actor=BY, at=noon(2, 7)
        )
        threads = [
            in_thread(lambda: counts.append(roll_periods(at=noon(2, 7)))),
            in_thread(lambda: counts.append(end_trials(at=noon(2, 7)))),
        ]
        wait_until_blocked(2)  # both have found their row due, as it was
    for thread in threads:
        thread.join()
    assert RollCounts() in counts
    assert TrialCounts() in counts


def test_of_two_deployments_of_one_slug_one_is_made() -> None:
    results: list[object] = []

    def create() -> None:
        try:
            results.append(create_deployment(tenant_id="acme", slug="shop", actor=BY, at=noon(1)))
        except DomainError as refusal:
            results.append(refusal)

    with transaction.atomic():
        # Stands in the way of both: the constraint refuses one, not the look before.
        Deployment.objects.create(tenant_id="acme", slug="shop")
        threads = [in_thread(create) for _ in range(2)]
        wait_until_blocked(2)
        transaction.set_rollback(True)
    for thread in threads:
        thread.join()
    assert isinstance(loser(results), SlugTaken)
    assert Deployment.objects.count() == 1
