"""Subscriptions at their edges: downgrades that are withdrawn or in a trial, absurd dates and prices."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from catalog.models import Addon, PlanVersion
from deployments.errors import InvalidDiscount
from deployments.models import SubscriptionDiscount
from deployments.services import change_plan_version, give_discount
from tests.deployments.rows import BY, noon, on_sale, quoted, subscribed, total

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _catalog() -> None:
    for code, price_cents in (("starter", 2000), ("studio", 5000), ("pro", 12000)):
        on_sale(code, price_cents)


@pytest.mark.parametrize("offered", [True, False])
def test_a_downgrade_to_come_is_withdrawn_whatever_the_present_plan_costs_by_now(offered: bool) -> None:
    subscription = subscribed("studio")
    change: dict[str, Any] = {"deployment_pk": subscription.deployment_id, "actor": BY, "at": noon(5)}
    assert change_plan_version(plan_code="starter", **change).next_plan_version is not None
    if offered:
        on_sale("studio", 6000)
    else:
        PlanVersion.objects.filter(plan__code="studio").update(status="retired")
    stays = change_plan_version(plan_code="studio", **change)
    assert (str(stays.plan_version), stays.next_plan_version) == ("studio/1", None)
    if offered:
        assert str(change_plan_version(plan_code="studio", **change).plan_version) == "studio/2"


def test_in_a_trial_a_downgrade_is_at_once_for_nothing_was_due() -> None:
    subscription = subscribed("pro", trial=True)  # until the 15th, at noon
    change: dict[str, Any] = {
        "deployment_pk": subscription.deployment_id,
        "plan_code": "starter",
        "actor": BY,
    }
    changed = change_plan_version(at=noon(5), **change)
    assert (str(changed.plan_version), changed.next_plan_version) == ("starter/1", None)
    assert str(total(subscription)) == str(total(subscribed("starter", slug="other")))


def test_on_the_first_day_that_is_due_a_downgrade_waits() -> None:
    subscription = subscribed("pro", trial=True)
    change: dict[str, Any] = {
        "deployment_pk": subscription.deployment_id,
        "plan_code": "starter",
        "actor": BY,
    }
    changed = change_plan_version(at=noon(16), **change)
    assert (str(changed.plan_version), str(changed.next_plan_version)) == ("pro/1", "starter/1")


def test_a_discount_from_the_last_day_that_there_is_on_is_refused() -> None:
    subscription = subscribed("studio")
    with pytest.raises(InvalidDiscount, match="has no day"):
        give_discount(
            deployment_pk=subscription.deployment_id,
            percent=Decimal(10),
            valid_from=date.max,
            reason="never",
            actor=BY,
            at=noon(2),
        )


def test_a_discount_from_the_last_day_that_was_given_before_takes_nothing_off() -> None:
    subscription = subscribed("studio")
    SubscriptionDiscount.objects.create(
        subscription=subscription,
        percent=10,
        valid_from=date.max,
        reason="never",
        given_by=BY,
        given_at=noon(2),
    )
    assert [line.type.value for line in quoted(subscription).lines] == ["base_fee"]


@pytest.mark.parametrize("price_cents", [10**14, 10**17])
def test_an_addon_of_a_price_that_no_quote_takes_is_refused(price_cents: int) -> None:
    with pytest.raises(ValidationError, match="make no price"):
        Addon(
            code="x", name="x", resource_kind="spaces_gb_month", qty=Decimal(1), price_cents=price_cents
        ).full_clean()
