"""The daily tasks: trials end and periods roll, after days of absence too, and one bad row stops none."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.periods import month_of
from arcadia_cloud.kernel.queue.schedule.registry import registered_schedule
from deployments import registry
from deployments.models import Deployment, DeploymentEvent, Subscription
from deployments.renewal import RollCounts
from deployments.services import (
    change_plan_version,
    end_trials,
    roll_periods,
    transition,
    update_deployment,
)
from deployments.tasks import end_trials as end_trials_task
from deployments.tasks import roll_periods as roll_periods_task
from deployments.trials import TrialCounts
from tests.deployments.rows import BY, JULY, days_of, deployed, noon, on_sale, subscribed, told, total

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _catalog() -> None:
    on_sale("studio", 5000)
    on_sale("starter", 2000)


def state_of(slug: str) -> str:
    return Deployment.objects.get(slug=slug).state


def refuse_events_of(deployment: Deployment) -> None:
    """Have the database refuse every event of one deployment: a row that can't be done."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is pending keeps a table from being altered
        cursor.execute(
            "ALTER TABLE cloud_deployment_events ADD CONSTRAINT bad_row "
            f"CHECK (deployment_id <> {deployment.pk} OR actor NOT LIKE 'system%')"
        )


@pytest.mark.parametrize("at", [noon(16), noon(20)], ids=["the day after", "after five days of absence"])
def test_a_trial_ends_active_where_it_subscribed_and_suspended_where_it_never_did(at: datetime) -> None:
    subscribed("studio", slug="buyer", trial=True)
    subscribed("studio", slug="guest", trial=True, trial_days=30)
    deployed("looker", trial=True)
    deployed("newcomer", trial=True, at=noon(15))
    deployed("customer")

    assert end_trials(at=at) == TrialCounts(activated=1, suspended=1)
    assert end_trials(at=at) == TrialCounts()

    assert [state_of(slug) for slug in ("buyer", "guest", "looker", "newcomer", "customer")] == [
        "active", "trial", "suspended", "trial", "active",
    ]  # fmt: skip
    event = DeploymentEvent.objects.get(deployment__slug="looker", event_type="transitioned")
    assert (event.actor, event.reason) == (
        "system: end trials",
        "the trial is over, and there is no subscription",
    )


def test_a_trial_is_not_ended_before_its_time() -> None:
    subscribed("studio", trial=True)
    assert end_trials(at=noon(14)) == TrialCounts()
    assert end_trials(at=noon(15)) == TrialCounts(activated=1)


def test_an_exempted_trial_is_left_alone() -> None:
    deployment = deployed(trial=True)
    update_deployment(
        deployment_pk=deployment.pk, changes={"billing_action_suspended": True}, actor=BY, at=noon(2)
    )
    assert end_trials(at=noon(20)) == TrialCounts()
    assert state_of("shop") == "trial"


def test_one_trial_that_fails_is_an_alert_and_holds_up_none_of_the_others() -> None:
    bad = deployed("bad", trial=True)
    deployed("good", trial=True)
    refuse_events_of(bad)

    assert end_trials(at=noon(20)) == TrialCounts(suspended=1, failed=1)

    assert (state_of("bad"), state_of("good")) == ("trial", "suspended")
    alert = Alert.objects.get(resolved_at=None)
    assert (alert.code, alert.subject) == ("trial_not_ended", f"deployment:{bad.pk}")
    assert "bad_row" in alert.message
    transition(deployment_pk=bad.pk, to="active", actor=BY, at=noon(20))
    assert end_trials(at=noon(21)) == TrialCounts()
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_a_trial_with_machines_is_suspended_by_its_saga(monkeypatch: Any) -> None:
    monkeypatch.setattr(registry, "_transition_sagas", {"a test": lambda _order: 12})
    deployed(trial=True)
    assert end_trials(at=noon(20)) == TrialCounts(suspended=1)
    assert (state_of("shop"), told(Deployment.objects.get())[-1]) == (
        "trial",
        ("transition_started", "trial", "suspended"),
    )


def test_a_period_rolls_to_the_month_of_today_once() -> None:
    subscription = subscribed()
    assert roll_periods(at=noon(30)) == RollCounts()
    assert roll_periods(at=noon(1, 7)) == RollCounts(rolled=1)
    assert roll_periods(at=noon(1, 7)) == RollCounts()
    subscription.refresh_from_db()
    assert subscription.current_period == JULY
    assert told(subscription.deployment)[-1] == ("period_rolled", "2026-06-01", "2026-07-01")


def test_after_months_of_absence_it_rolls_to_the_running_month_and_the_change_counts_from_its_day() -> None:
    subscription = subscribed()
    change_plan_version(deployment_pk=subscription.deployment_id, plan_code="starter", actor=BY, at=noon(20))
    assert total(subscription, JULY) == "20.00"  # before it rolled too

    assert roll_periods(at=noon(6, 9)) == RollCounts(rolled=1)

    subscription.refresh_from_db()
    assert subscription.current_period == month_of(noon(6, 9))
    assert (str(subscription.plan_version), subscription.next_plan_version) == ("starter/1", None)
    assert days_of(subscription) == [("studio", "2026-06-01", "2026-07-01"), ("starter", "2026-07-01", None)]
    assert [total(subscription, month) for month in (month_of(noon(1)), JULY)] == ["50.00", "20.00"]


def test_a_change_at_once_finds_the_period_of_today_though_the_task_was_away() -> None:
    subscription = subscribed()
    for plan, at in (("starter", noon(20)), ("studio", noon(5, 7))):
        change_plan_version(deployment_pk=subscription.deployment_id, plan_code=plan, actor=BY, at=at)
    subscription.refresh_from_db()
    assert subscription.current_period == JULY
    assert days_of(subscription) == [
        ("studio", "2026-06-01", "2026-07-01"),
        ("starter", "2026-07-01", "2026-07-05"),
        ("studio", "2026-07-05", None),
    ]


def test_paused_subscriptions_roll_and_ended_ones_do_not() -> None:
    paused, ended = subscribed(slug="paused"), subscribed(slug="ended")
    transition(deployment_pk=paused.deployment_id, to="paused", actor=BY, at=noon(5))
    transition(deployment_pk=ended.deployment_id, to="cancelled", actor=BY, at=noon(5))
    assert roll_periods(at=noon(1, 7)) == RollCounts(rolled=1)
    assert Subscription.objects.get(pk=ended.pk).current_period == month_of(noon(1))


def test_one_subscription_that_fails_is_an_alert_and_holds_up_none_of_the_others() -> None:
    bad, good = subscribed(slug="bad"), subscribed(slug="good")
    refuse_events_of(bad.deployment)
    assert roll_periods(at=noon(6, 7)) == RollCounts(rolled=1, failed=1)
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.current_period, bad.current_period) == (JULY, month_of(noon(1)))
    assert Alert.objects.get(resolved_at=None).code == "subscription_not_rolled"
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cloud_deployment_events DROP CONSTRAINT bad_row")
    assert roll_periods(at=noon(7, 7)) == RollCounts(rolled=1)
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_the_tasks_return_what_they_did_and_are_on_the_schedule() -> None:
    deployed(trial=True)
    subscribed(slug="blog")
    assert end_trials_task() == {"activated": 0, "suspended": 1, "failed": 0}
    assert roll_periods_task() == {"rolled": 1, "failed": 0}
    entries = {entry.task: (entry.crontab, entry.queue) for entry in registered_schedule()}
    assert entries["deployments.end_trials"] == ("5 0 * * *", "cloud_billing")
    assert entries["deployments.roll_periods"] == ("10 0 * * *", "cloud_billing")
