"""The rules that the database keeps for deployments and subscriptions, whatever writes."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from deployments.models import (
    Deployment,
    DeploymentEvent,
    Subscription,
    SubscriptionAddon,
    SubscriptionDiscount,
    SubscriptionVersion,
)
from tests.deployments.rows import noon, on_sale, storage, subscribed

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription() -> Subscription:
    on_sale("studio", 5000)
    storage()
    return subscribed("studio", "storage_50gb")


def discount(subscription: Subscription, **fields: Any) -> SubscriptionDiscount:
    values = {"valid_from": date(2026, 6, 1), "reason": "a friend", "given_by": "x", "given_at": noon(1)}
    return SubscriptionDiscount.objects.create(subscription=subscription, **{**values, **fields})


BROKEN: dict[str, Callable[[Subscription], object]] = {
    "deployment_llm_mode_known": lambda _: Deployment.objects.update(llm_mode="psychic"),
    "deployment_state_known": lambda _: Deployment.objects.update(state="asleep"),
    "deployment_template_has_version": lambda _: Deployment.objects.update(template_code="web"),
    "subscription_one_live_per_deployment": lambda s: Subscription.objects.create(
        deployment=s.deployment,
        plan_version=s.plan_version,
        status="paused",
        current_period_start=date(2026, 6, 1),
        current_period_end=date(2026, 7, 1),
        created_at=noon(1),
    ),
    "subscription_status_known": lambda _: Subscription.objects.update(status="asleep"),
    "subscription_period_forward": lambda _: Subscription.objects.update(current_period_end=date(2026, 6, 1)),
    "subscription_cancelled_at_its_end": lambda _: Subscription.objects.update(status="cancelled"),
    "subscription_version_overlaps_none": lambda s: SubscriptionVersion.objects.create(
        subscription=s, plan_version=s.plan_version, starts_on=date(2026, 6, 20)
    ),
    "subscription_version_forward": lambda _: SubscriptionVersion.objects.update(ends_on=date(2026, 6, 1)),
    "subscription_addon_overlaps_none": lambda s: SubscriptionAddon.objects.create(
        subscription=s,
        addon=s.addons.get().addon,
        resource_kind="spaces_gb_month",
        qty=50,
        price_cents=750,
        attached_on=date(2026, 6, 20),
    ),
    "subscription_addon_forward": lambda _: SubscriptionAddon.objects.update(detached_on=date(2026, 6, 1)),
    "subscription_addon_not_negative": lambda _: SubscriptionAddon.objects.update(price_cents=-1),
    "subscription_addon_kind_known": lambda _: SubscriptionAddon.objects.update(resource_kind="hugs"),
    "subscription_addon_currency_code": lambda _: SubscriptionAddon.objects.update(currency="aud"),
    "subscription_discount_percent_or_amount": discount,
    "subscription_discount_forward": lambda s: discount(s, percent=5, valid_to=date(2026, 5, 1)),
    "subscription_discount_scope_known": lambda s: discount(s, percent=5, scope="hugs"),
    "subscription_discount_reasoned": lambda s: discount(s, percent=5, reason=""),
    "deployment_event_type_known": lambda s: DeploymentEvent.objects.create(
        deployment=s.deployment, event_type="hugged", actor="x", at=noon(1)
    ),
    "deployment_event_has_actor": lambda s: DeploymentEvent.objects.create(
        deployment=s.deployment, event_type="updated", actor="", at=noon(1)
    ),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_the_database_keeps_the_rule(rule: str, subscription: Subscription) -> None:
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        BROKEN[rule](subscription)


@pytest.mark.parametrize(
    ("percent", "amount_cents"), [(5, 500), (0, None), (101, None), (None, 0), (None, -1)]
)
def test_a_discount_is_a_percentage_or_an_amount(
    percent: int | None, amount_cents: int | None, subscription: Subscription
) -> None:
    with pytest.raises(IntegrityError, match="percent_or_amount"), transaction.atomic():
        discount(subscription, percent=percent, amount_cents=amount_cents)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cloud_deployment_events SET reason = 'another'",
        "DELETE FROM cloud_deployment_events",
        "TRUNCATE cloud_deployment_events",
    ],
)
def test_history_can_not_be_rewritten(statement: str, subscription: Subscription) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is pending keeps a table from being emptied
        cursor.execute("SET LOCAL arcadia.rewrite_history = ''")
        with pytest.raises(DatabaseError, match="is append-only"), transaction.atomic():
            cursor.execute(statement)
    assert DeploymentEvent.objects.count() == 3


def test_a_deployment_that_is_written_without_a_time_has_the_databases() -> None:
    deployment = Deployment.objects.create(tenant_id="acme", slug="shop")
    assert deployment.created_at is not None
    assert (deployment.llm_mode, deployment.billing_action_suspended) == ("none", False)
