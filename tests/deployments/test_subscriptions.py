"""Subscriptions: what they bind to, what changes them, and what they cost by the days of each part."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from arcadia_cloud.kernel.errors import InvalidInput, NotFound
from arcadia_cloud.kernel.periods import Period
from catalog.errors import PlanNotOnSale
from catalog.models import Addon, PlanTenant, PlanVersion
from catalog.services import publish_version
from deployments.errors import (
    AddonAttached,
    AddonNotAttached,
    AddonNotOnSale,
    AlreadySubscribed,
    CurrencyDiffers,
    DowngradeTakesNextPeriod,
    InvalidDiscount,
    InvalidPeriod,
    NotSubscribable,
    NotSubscribed,
    PlanUnchanged,
)
from deployments.models import Deployment, Subscription, SubscriptionAddon
from deployments.queries import (
    count_subscribers,
    get_subscription_for_deployment,
    segments_of,
    subscriptions_for_quotes,
)
from deployments.services import (
    attach_addon,
    change_plan_version,
    create_subscription,
    detach_addon,
    end_discount,
    give_discount,
    transition,
)
from deployments.values import ChangeTime
from tests.catalog.rows import draft, stored_plan
from tests.deployments.rows import (
    BY,
    JULY,
    JUNE,
    days_of,
    deployed,
    noon,
    on_sale,
    quoted,
    storage,
    subscribed,
    told,
    total,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _catalog() -> None:
    for code, price_cents in (("starter", 2000), ("studio", 5000), ("pro", 12000)):
        on_sale(code, price_cents)
        on_sale(f"daily-{code}", price_cents, proration="daily")
    storage()


def change(
    subscription: Subscription, plan: str, when: ChangeTime | None = None, *, day: int = 10
) -> Subscription:
    return change_plan_version(
        deployment_pk=subscription.deployment_id, plan_code=plan, when=when, actor=BY, at=noon(day)
    )


def attach(subscription: Subscription, *, day: int = 10, code: str = "storage_50gb") -> SubscriptionAddon:
    return attach_addon(deployment_pk=subscription.deployment_id, code=code, actor=BY, at=noon(day))


def detach(subscription: Subscription, *, day: int) -> SubscriptionAddon:
    return detach_addon(deployment_pk=subscription.deployment_id, code="storage_50gb", actor=BY, at=noon(day))


def discounted(subscription: Subscription, **terms: Any) -> Any:
    values = {"reason": "a friend", "actor": BY, "at": noon(1), **terms}
    if "percent" in values:
        values["percent"] = Decimal(values["percent"])
    return give_discount(deployment_pk=subscription.deployment_id, **values)


def move(subscription: Subscription, to: str, day: int) -> None:
    transition(deployment_pk=subscription.deployment_id, to=to, actor=BY, at=noon(day))


def test_a_subscription_binds_to_the_active_version_for_the_running_month() -> None:
    subscription = subscribed("studio", "storage_50gb", at=noon(17))
    assert (str(subscription.plan_version), subscription.status) == ("studio/1", "active")
    assert subscription.current_period == JUNE
    assert subscription.trial_ends_at is None
    assert days_of(subscription) == [("studio", "2026-06-17", None)]
    [addon] = subscription.addons.all()
    assert (addon.price_cents, addon.qty, addon.attached_on) == (750, 50, noon(17).date())
    assert told(subscription.deployment) == [
        ("created", "", "active"),
        ("subscribed", "", "studio/1"),
        ("addon_attached", "", "storage_50gb"),
    ]


def test_the_first_period_may_be_given_and_contains_the_day() -> None:
    half = Period(noon(15).date(), noon(15, 7).date())
    assert subscribed(at=noon(20), period=half).current_period == half
    with pytest.raises(InvalidPeriod):
        subscribed(slug="blog", at=noon(10), period=half)


def test_a_deployment_has_one_live_subscription() -> None:
    subscription = subscribed()
    with pytest.raises(AlreadySubscribed):
        create_subscription(deployment_pk=subscription.deployment_id, plan_code="pro", actor=BY, at=noon(2))
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize("state", ["paused", "cancelled", "archived"])
def test_what_is_stopped_or_over_is_not_subscribed(state: str) -> None:
    deployment = Deployment.objects.create(tenant_id="acme", slug="shop", state=state)
    with pytest.raises(NotSubscribable):
        create_subscription(deployment_pk=deployment.pk, plan_code="studio", actor=BY, at=noon(2))


def test_a_plan_for_named_tenants_is_on_sale_to_them_alone() -> None:
    version = on_sale("gold", 9000)
    version.plan.public = False
    version.plan.save()
    with pytest.raises(PlanNotOnSale):
        subscribed("gold")
    assert not Subscription.objects.exists()
    PlanTenant.objects.create(plan=version.plan, tenant_id="acme")
    assert subscribed("gold", slug="blog").plan_version == version


def test_an_addon_that_fails_leaves_no_subscription_behind() -> None:
    with pytest.raises(AddonNotOnSale):
        subscribed("studio", "storage_50gb", "no-such")
    with pytest.raises(InvalidInput, match="only once"):
        subscribed("studio", "storage_50gb", "storage_50gb", slug="blog")
    assert not Subscription.objects.exists()


def test_prices_that_change_later_change_no_subscribers_quote() -> None:
    subscription = subscribed("studio", "storage_50gb")
    before = quoted(subscription)
    Addon.objects.update(price_cents=1500, qty=1, resource_kind="dns_zones")
    on_sale("studio", 99000)
    assert quoted(subscription) == before
    assert f"{before.total.amount:.2f}" == "57.50"


def test_an_addon_counts_from_the_day_it_is_attached_and_a_day_at_least() -> None:
    subscription = subscribed("daily-studio")
    attach(subscription, day=10)
    assert detach(subscription, day=10).detached_on == noon(11).date()
    assert total(subscription) == "50.25"  # 750 cents for one of 30 days
    again = attach(subscription, day=10)
    assert (again.detached_on, SubscriptionAddon.objects.count()) == (None, 1)
    assert detach(subscription, day=20).detached_on == noon(20).date()
    assert total(subscription) == "52.50"
    Addon.objects.update(price_cents=1500)
    assert attach(subscription, day=20).price_cents == 1500  # another contract: today's price
    assert total(subscription) == "58.00"


def test_an_addon_is_attached_once_and_detached_once() -> None:
    subscription = subscribed("studio", "storage_50gb")
    with pytest.raises(AddonAttached):
        attach(subscription)
    detach(subscription, day=5)
    with pytest.raises(AddonNotAttached):
        detach(subscription, day=6)
    bare = deployed("blog")
    with pytest.raises(NotSubscribed):
        attach_addon(deployment_pk=bare.pk, code="storage_50gb", actor=BY, at=noon(5))


def test_an_addon_of_another_currency_or_off_sale_is_not_attached() -> None:
    subscription = subscribed()
    Addon.objects.update(currency="USD")
    with pytest.raises(CurrencyDiffers):
        attach(subscription)
    Addon.objects.update(currency="AUD", active=False)
    with pytest.raises(AddonNotOnSale):
        attach(subscription)


def test_without_proration_an_upgrade_counts_at_once_for_the_whole_period() -> None:
    subscription = subscribed("studio")
    change(subscription, "pro", day=20)
    assert days_of(subscription) == [("studio", "2026-06-01", "2026-06-20"), ("pro", "2026-06-20", None)]
    assert total(subscription) == "120.00"


def test_without_proration_a_downgrade_follows_with_the_next_period() -> None:
    subscription = subscribed("studio")
    with pytest.raises(DowngradeTakesNextPeriod):
        change(subscription, "starter", ChangeTime.NOW)
    changed = change(subscription, "starter")
    assert (str(changed.plan_version), str(changed.next_plan_version)) == ("studio/1", "starter/1")
    assert days_of(subscription) == [("studio", "2026-06-01", None)]
    assert (total(subscription), total(subscription, JULY)) == ("50.00", "20.00")
    with pytest.raises(PlanUnchanged):
        change(subscription, "starter")


def test_a_change_to_come_is_withdrawn_by_the_present_plan() -> None:
    subscription = subscribed("studio")
    change(subscription, "starter")
    assert change(subscription, "studio").next_plan_version is None
    assert total(subscription, JULY) == "50.00"
    assert told(subscription.deployment)[-2:] == [
        ("plan_change_scheduled", "studio/1", "starter/1"),
        ("plan_change_withdrawn", "starter/1", "studio/1"),
    ]
    with pytest.raises(PlanUnchanged):
        change(subscription, "studio")


def test_by_days_each_version_counts_for_its_own_and_the_day_of_a_change_is_the_new_ones() -> None:
    subscription = subscribed("daily-studio")
    change(subscription, "daily-starter", day=11)  # a downgrade too: it is at once here
    assert days_of(subscription) == [
        ("daily-studio", "2026-06-01", "2026-06-11"),
        ("daily-starter", "2026-06-11", None),
    ]
    assert total(subscription) == "30.00"  # 10 of 30 days of 50, and 20 of 30 days of 20


def test_of_two_changes_on_one_day_the_last_has_the_day() -> None:
    subscription = subscribed("daily-studio")
    change(subscription, "daily-pro", day=11)
    change(subscription, "daily-starter", day=11)
    assert days_of(subscription)[1:] == [("daily-starter", "2026-06-11", None)]
    assert total(subscription) == "30.00"


def test_an_upgrade_may_wait_for_the_next_period() -> None:
    subscription = subscribed("studio")
    change(subscription, "pro", ChangeTime.NEXT_PERIOD)
    assert (total(subscription), total(subscription, JULY)) == ("50.00", "120.00")


def test_the_new_price_of_the_same_plan_is_a_change_too() -> None:
    subscription = subscribed("studio")
    on_sale("studio", 6000)
    assert str(change(subscription, "studio").plan_version) == "studio/2"
    assert total(subscription) == "60.00"


def test_a_plan_of_another_currency_is_no_change() -> None:
    subscription = subscribed("studio")
    version = draft(stored_plan("dollars"))
    PlanVersion.objects.filter(pk=version.pk).update(currency="USD")
    publish_version(version_pk=version.pk, replaces=None, actor=BY, at=noon(1))
    with pytest.raises(CurrencyDiffers):
        change(subscription, "dollars")


def test_by_days_a_pause_is_not_charged_and_without_proration_only_a_whole_one() -> None:
    by_days, whole = subscribed("daily-studio"), subscribed("studio", slug="blog")
    for subscription in (by_days, whole):
        move(subscription, "paused", 11)
        move(subscription, "active", 21)
    assert (total(by_days), total(whole)) == ("33.34", "50.00")  # 16.67 twice
    for subscription in (by_days, whole):
        move(subscription, "paused", 30)
        assert total(subscription, JULY) == "0.00"


def test_what_is_paused_on_its_first_day_has_that_day_and_goes_on_when_resumed_on_it() -> None:
    subscription = subscribed("daily-studio")
    move(subscription, "paused", 1)
    assert days_of(subscription) == [("daily-studio", "2026-06-01", "2026-06-02")]
    move(subscription, "active", 1)
    assert days_of(subscription) == [("daily-studio", "2026-06-01", None)]


def test_a_plan_that_is_changed_in_a_pause_counts_when_it_is_over() -> None:
    subscription = subscribed("daily-studio")
    move(subscription, "paused", 11)
    change(subscription, "daily-starter", day=12)
    move(subscription, "active", 21)
    assert days_of(subscription) == [
        ("daily-studio", "2026-06-01", "2026-06-11"),
        ("daily-starter", "2026-06-21", None),
    ]


def test_nothing_is_due_before_the_trial_is_over() -> None:
    subscription = subscribed("daily-studio", "storage_50gb", trial=True)
    assert subscription.trial_ends_at == noon(1) + timedelta(days=14)
    assert [segment.days for segment in segments_of(subscription, JUNE)] == [
        Period(noon(16).date(), JUNE.end)
    ]
    assert total(subscription) == "28.75"  # half of 57.50
    assert total(subscribed("studio", slug="blog", trial=True, trial_days=40)) == "0.00"


def test_a_cancelled_subscription_is_its_deployments_last_and_costs_nothing_after() -> None:
    subscription = subscribed("daily-studio")
    change(subscription, "daily-pro", ChangeTime.NEXT_PERIOD)
    move(subscription, "cancelled", 16)
    shown = get_subscription_for_deployment(subscription.deployment_id)
    assert shown is not None
    assert (shown.status, shown.cancelled_at, shown.next_plan_version) == ("cancelled", noon(16), None)
    assert (total(subscription), total(subscription, JULY)) == ("25.00", "0.00")


def test_discounts_apply_in_the_order_in_which_they_were_given() -> None:
    subscription = subscribed("studio", "storage_50gb")
    discounted(subscription, percent=50, scope="base")
    discounted(subscription, amount_cents=1000)
    assert total(subscription) == "22.50"
    discounted(subscription, amount_cents=100_000)
    assert total(subscription) == "0.00"


def test_a_discount_ends_with_the_day_before_and_is_withdrawn_before_it_began() -> None:
    subscription = subscribed("daily-studio")
    discount = discounted(subscription, percent=100)
    coming = discounted(subscription, percent=100, valid_from=JULY.start)
    for _ in range(2):
        end_discount(discount_pk=discount.pk, actor=BY, at=noon(16))
        end_discount(discount_pk=coming.pk, actor=BY, at=noon(16))
    assert (total(subscription), total(subscription, JULY)) == ("25.00", "50.00")
    assert [event[0] for event in told(subscription.deployment)].count("discount_ended") == 2
    with pytest.raises(NotFound):
        end_discount(discount_pk=coming.pk + 1, actor=BY, at=noon(16))


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"percent": 5, "amount_cents": 5},
        {"percent": 0},
        {"percent": 101},
        {"amount_cents": 0},
        {"amount_cents": -5},
        {"percent": 5, "scope": "hugs"},
        {"percent": 5, "valid_to": noon(1).date()},
        {"percent": 5, "valid_to": noon(1, 5).date()},
        {"percent": 5, "reason": " "},
    ],
)
def test_terms_that_make_no_discount_are_refused(terms: dict[str, Any]) -> None:
    subscription = subscribed()
    with pytest.raises(InvalidDiscount):
        discounted(subscription, **terms)
    assert not subscription.discounts.exists()


def test_subscribers_are_counted_by_version() -> None:
    first, ended = subscribed("studio"), subscribed("studio", slug="blog")
    move(ended, "cancelled", 2)
    assert count_subscribers([first.plan_version_id, first.plan_version_id + 100]) == {
        first.plan_version_id: 1
    }


def test_the_whole_book_is_read_in_a_fixed_number_of_queries(django_assert_num_queries: Any) -> None:
    for number in range(8):
        subscription = subscribed("studio", "storage_50gb", slug=f"app-{number}")
        discounted(subscription, percent=5)
        change(subscription, "pro")
    with django_assert_num_queries(8):
        book = list(subscriptions_for_quotes())
        assert sum(len(segments_of(subscription, JUNE)) for subscription in book) == 16
