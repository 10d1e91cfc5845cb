"""Price simulations: past months of all subscribers quoted again under a draft, and nothing written."""

import tracemalloc
from datetime import date
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arcadia_cloud.kernel.errors import InvalidInput, NotFound
from arcadia_cloud.kernel.leases import LeaseHeld, lease
from arcadia_cloud.kernel.periods import month_of
from billing.costs.simulation import run
from billing.models import PlanSimulation, PlanSimulationRow
from billing.queries import differences_by_tenant
from billing.services import request_plan_simulation, run_if_unattended, run_simulation, sweep_simulations
from billing.states import SIMULATION_LIFECYCLE
from catalog.models import PlanItem, PlanVersion, ResourcePrice, TaxRate
from catalog.queries import price_book
from catalog.quote import quote
from catalog.services import publish_version
from deployments.queries import get_subscription_for_deployment, quote_inputs
from deployments.services import change_plan_version, give_discount, transition
from deployments.values import ChangeTime
from metering.queries import usage_for_period
from tests.billing.simulations import (
    JULY_2,
    JUNE,
    MAY_1,
    changes,
    cheaper,
    computed,
    contents_of_book,
    costs,
    in_dollars,
    simulated,
    subscribe_many,
    used,
)
from tests.catalog.rows import draft, stored_plan
from tests.deployments.rows import BY, noon, on_sale, storage, subscribed
from tests.kernel.lifecycles import walk_every_pair

pytestmark = pytest.mark.django_db(transaction=True)  # a lease is committed by itself


def test_a_draft_that_lowers_studio_to_45_shows_every_subscriber_5_less_and_the_margin_after_it() -> None:
    """The reference case: every Studio subscriber -5.00, and the margin after it."""
    plan = stored_plan("studio")
    first = draft(plan, 5000, spaces_gb_month=250)
    in_dollars(first)
    publish_version(version_pk=first.pk, replaces=None, actor=BY, at=MAY_1)
    shop, blog = (subscribed("studio", slug=slug, at=MAY_1) for slug in ("shop", "blog"))
    computed()
    costs(shop, "20.125")
    costs(blog, "47.50")

    simulation = simulated(cheaper(first))

    assert changes(simulation) == [
        ("shop", "2026-06", "50.00", "45.00"),
        ("blog", "2026-06", "50.00", "45.00"),
    ]
    assert [row.difference for row in simulation.rows.all()] == [Decimal("-5.00")] * 2
    assert (simulation.pay_more, simulation.pay_less, simulation.months_quoted) == (0, 2, 2)
    # 20.125 is 20.13 to the cent: a row's cost is rounded once.
    assert (simulation.cost, simulation.margin_now, simulation.margin_then) == (
        Decimal("67.63"), Decimal("32.37"), Decimal("22.37"),
    )  # fmt: skip
    [acme] = differences_by_tenant(simulation.pk, most=10)
    assert (acme.tenant, acme.deployments, acme.now, acme.later, acme.cost) == (
        "acme", 2, Decimal("100.00"), Decimal("90.00"), Decimal("67.63"),
    )  # fmt: skip


def test_a_month_without_a_rate_or_with_a_day_that_is_not_computed_has_no_cost_and_says_why() -> None:
    """A rate that is missing is named with its day, never 1.0."""
    first = on_sale("studio", 5000)
    costs(subscribed("studio", at=MAY_1), "20.00")
    before = simulated(cheaper(first))
    assert (before.cost, before.margin_then) == (None, None)
    assert before.cost_unknown == "2026-06: the costs of 29 days since 2026-06-01 aren't computed"
    computed()
    after = simulated(cheaper(first))
    assert after.cost is None
    assert "USD" in after.cost_unknown
    assert "AUD" in after.cost_unknown
    assert "2026-06-30" in after.cost_unknown


def test_a_day_that_is_billed_counts_as_billed_and_the_others_as_accrued() -> None:
    plan = stored_plan("studio")
    first = draft(plan, 5000)
    in_dollars(first)
    publish_version(version_pk=first.pk, replaces=None, actor=BY, at=MAY_1)
    shop = subscribed("studio", at=MAY_1)
    computed()
    costs(shop, "3.00")
    costs(shop, "2.00", source="billed")
    costs(shop, "4.00", day=date(2026, 6, 11))
    assert simulated(cheaper(first)).cost == Decimal("6.00")


def test_addons_discounts_taxes_and_resource_prices_stay_the_subscribers_own() -> None:
    storage()
    TaxRate.objects.create(code="GST", percent=10, effective_from=date(2000, 7, 1))
    ResourcePrice.objects.create(resource_kind="volume_gb_month", price_cents=10, effective_from=MAY_1.date())
    first = on_sale("studio", 5000, spaces_gb_month=250)
    shop = subscribed("studio", "storage_50gb", at=MAY_1)
    give_discount(
        deployment_pk=shop.deployment_id, percent=Decimal(10), valid_from=MAY_1.date(), reason="kind",
        actor=BY, at=MAY_1,
    )  # fmt: skip
    used(shop, "spaces_gb_month", "310")
    used(shop, "volume_gb_month", "5")

    simulation = simulated(cheaper(first))

    # 50.00 + 7.50 + 10 GB over at 1.00 + 5 at 0.10 = 68.00, less 10 %; then 45.00 in place of 50.00.
    assert changes(simulation) == [("shop", "2026-06", "61.20", "56.70")]


def test_who_crosses_into_overage_and_what_loses_its_price_are_named() -> None:
    first = on_sale("studio", 5000, spaces_gb_month=250, bandwidth_gb=100)
    shop, blog = (subscribed("studio", slug=slug, at=MAY_1) for slug in ("shop", "blog"))
    for subscription, gigabytes in ((shop, "240"), (blog, "260")):
        used(subscription, "spaces_gb_month", gigabytes)
        used(subscription, "bandwidth_gb", "120")
    smaller = cheaper(first)
    smaller.items.filter(resource_kind="spaces_gb_month").update(included_qty=200)
    smaller.items.filter(resource_kind="bandwidth_gb").delete()

    simulation = simulated(smaller)

    # shop: 50 + 20 of bandwidth -> 45 + 40 of storage; blog: 50 + 10 + 20 -> 45 + 60.
    assert changes(simulation) == [
        ("blog", "2026-06", "80.00", "105.00"),
        ("shop", "2026-06", "70.00", "85.00"),
    ]
    found = {row.deployment.slug: (row.crosses_into, row.loses_price) for row in simulation.rows.all()}
    assert found == {
        "shop": (["spaces_gb_month"], ["bandwidth_gb"]),
        "blog": ([], ["bandwidth_gb"]),
    }
    assert (simulation.cross_into_overage, simulation.pay_more, simulation.pay_less) == (1, 2, 0)


def test_only_complete_months_count_and_a_change_within_the_plan_parts_none() -> None:
    first = on_sale("studio", 5000, spaces_gb_month=100, proration="daily")
    on_sale("pro", 4000)
    changed = subscribed("studio", slug="changed", at=MAY_1)
    subscribed("studio", slug="late", at=noon(2, 6))
    moved = subscribed("pro", slug="moved", at=MAY_1)
    gone = subscribed("studio", slug="gone", at=MAY_1)
    second = on_sale("studio", 6000, spaces_gb_month=100, proration="daily")
    change_plan_version(deployment_pk=changed.deployment_id, plan_code="studio", actor=BY, at=noon(16, 6))
    change_plan_version(
        deployment_pk=moved.deployment_id, plan_code="studio", when=ChangeTime.NOW, actor=BY, at=noon(10, 6)
    )
    transition(deployment_pk=gone.deployment_id, to="cancelled", actor=BY, at=noon(1, 7))
    used(changed, "spaces_gb_month", "80", day=date(2026, 6, 3))
    used(changed, "spaces_gb_month", "50", day=date(2026, 6, 20))

    simulation = simulated(cheaper(second), months=2, at=JULY_2)

    assert first.pk != second.pk
    # June: 15 days of 50.00 and of 60.00, 30 GB over; then 45.00 and 30 GB over, in one part.
    assert changes(simulation) == [
        ("changed", "2026-06", "85.00", "75.00"),
        ("changed", "2026-05", "50.00", "45.00"),
    ]
    assert (simulation.subscribers, simulation.months_left_out) == (3, 4)


def test_every_subscriber_comes_out_as_when_it_is_quoted_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each difference is computed again, by the quotes of one subscription."""
    monkeypatch.setattr(run, "_BATCH", 3)
    storage()
    first = on_sale("studio", 5000, spaces_gb_month=100, llm_tokens=1000)
    subscriptions = [
        subscribed("studio", *(["storage_50gb"] if number % 3 == 0 else []), slug=f"app-{number}", at=MAY_1)
        for number in range(8)
    ]
    for number, subscription in enumerate(subscriptions):
        used(subscription, "spaces_gb_month", f"{40 * number}.5")
        used(subscription, "llm_tokens", f"{150 * number}", day=date(2026, 6, 30))
        if number % 2:
            give_discount(
                deployment_pk=subscription.deployment_id, amount_cents=100 * number,
                valid_from=date(2026, 6, 1), reason="kind", actor=BY, at=MAY_1,
            )  # fmt: skip
    other = cheaper(first, 4000)
    other.items.filter(resource_kind="spaces_gb_month").update(included_qty=60, overage_price_cents=33)

    simulation = simulated(other)

    book = price_book(JUNE, "AUD")
    terms = PlanVersion.objects.get(pk=other.pk).terms()
    for row in simulation.rows.select_related("subscription"):
        alone = get_subscription_for_deployment(row.deployment_id)
        assert alone is not None
        inputs = quote_inputs(alone, JUNE, book, partial(usage_for_period, row.deployment_id))
        assert row.revenue_now == quote(inputs).subtotal.amount
        [segment] = inputs.segments
        replaced = type(segment)(days=segment.days, terms=terms, addons=segment.addons, usage=segment.usage)
        again = type(inputs)(
            period=JUNE, currency="AUD", segments=(replaced,), book=book, discounts=inputs.discounts
        )
        assert row.revenue_then == quote(again).subtotal.amount
    assert simulation.rows.count() == 8
    assert simulation.revenue_then == sum(row.revenue_then for row in simulation.rows.all())


def test_nothing_of_the_book_is_written() -> None:
    first = on_sale("studio", 5000)
    used(subscribed("studio", at=MAY_1), "spaces_gb_month", "3")
    version = cheaper(first)
    before = contents_of_book()
    simulated(version)
    assert contents_of_book() == before


def test_months_and_batches_ask_queries_and_subscribers_none(monkeypatch: pytest.MonkeyPatch) -> None:
    first = draft(stored_plan("studio"), 5000)
    in_dollars(first)
    publish_version(version_pk=first.pk, replaces=None, actor=BY, at=MAY_1)
    version = cheaper(first)
    computed()

    def queries(months: int = 1) -> int:
        with CaptureQueriesContext(connection) as captured:
            simulated(version, months)
        return len(captured)

    subscribed("studio", slug="one", at=MAY_1)
    few, of_two_months = queries(), queries(2)
    for number in range(20):
        subscription = subscribed("studio", slug=f"app-{number}", at=MAY_1)
        used(subscription, "spaces_gb_month", "3")
        costs(subscription, "1.00")
    assert queries() == few + 1, "what a source's days cost is one query, however many have any"
    assert queries(2) == of_two_months + 1
    monkeypatch.setattr(run, "_BATCH", 7)
    in_three = queries()
    monkeypatch.setattr(run, "_BATCH", 1)
    in_twenty_one = queries()
    # The batch that is the last to be found full has one query more that finds none after it.
    assert (in_twenty_one - in_three) % (21 - 3) == 0


def test_its_memory_does_not_grow_with_the_book(monkeypatch: pytest.MonkeyPatch) -> None:
    first = on_sale("studio", 5000, spaces_gb_month=100)
    version = cheaper(first)
    monkeypatch.setattr(run, "_BATCH", 100)

    def peak(subscribers: int) -> int:
        subscribe_many(first, subscribers)
        simulated(version)
        tracemalloc.start()
        try:
            simulated(version)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    of_two_hundred = peak(200)
    assert peak(1_800) < 1.3 * of_two_hundred


def test_a_subscriber_in_another_currency_is_counted_and_not_quoted() -> None:
    first = on_sale("studio", 5000)
    subscribed("studio", at=MAY_1)
    version = cheaper(first)
    in_dollars(version)
    simulation = simulated(version)
    assert (simulation.subscribers, simulation.other_currency, simulation.months_quoted) == (1, 1, 0)
    assert simulation.status == "completed"


@pytest.mark.parametrize("months", [0, 13])
def test_a_number_of_months_that_is_no_sense_is_refused(months: int) -> None:
    version = on_sale("studio", 5000)
    with pytest.raises(InvalidInput):
        request_plan_simulation(version_pk=version.pk, months=months, actor=BY, at=JULY_2)
    assert not PlanSimulation.objects.exists()


def test_an_unknown_version_or_simulation_is_refused() -> None:
    with pytest.raises(NotFound):
        request_plan_simulation(version_pk=0, months=1, actor=BY, at=JULY_2)
    with pytest.raises(NotFound):
        run_simulation(simulation_pk=0)


def test_a_draft_that_changes_after_the_request_fails_it_and_one_that_was_deleted_too() -> None:
    version = cheaper(on_sale("studio", 5000))
    asked = request_plan_simulation(version_pk=version.pk, months=1, actor=BY, at=JULY_2)
    PlanItem.objects.create(version=version, resource_kind="dns_zones", included_qty=1)
    failed = run_simulation(simulation_pk=asked.pk)
    assert (failed.status, failed.error) == (
        "failed",
        "studio/2 has changed since the simulation was asked for",
    )
    again = request_plan_simulation(version_pk=version.pk, months=1, actor=BY, at=JULY_2)
    version.delete()
    failed = run_simulation(simulation_pk=again.pk)
    assert (failed.status, failed.error) == ("failed", "studio/2 was deleted")
    assert run_simulation(simulation_pk=again.pk).attempts == 1, "what is finished stays as it is"


def test_the_same_request_while_one_is_unfinished_is_the_same_simulation() -> None:
    version = cheaper(on_sale("studio", 5000))
    one, two = (
        request_plan_simulation(version_pk=version.pk, months=1, actor=BY, at=JULY_2) for _ in range(2)
    )
    other = request_plan_simulation(version_pk=version.pk, months=2, actor=BY, at=JULY_2)
    assert one == two != other
    run_simulation(simulation_pk=one.pk)
    assert request_plan_simulation(version_pk=version.pk, months=1, actor=BY, at=JULY_2) != one


def test_one_that_a_worker_died_of_three_times_fails_and_begins_anew_before() -> None:
    first = on_sale("studio", 5000)
    subscription = subscribed("studio", at=MAY_1)
    version = cheaper(first)
    asked = request_plan_simulation(version_pk=version.pk, months=1, actor=BY, at=JULY_2)
    PlanSimulation.objects.filter(pk=asked.pk).update(status="running", attempts=2)
    PlanSimulationRow.objects.create(
        simulation=asked, subscription=subscription, deployment=subscription.deployment, tenant_id="acme",
        month=JUNE.start, revenue_now=1, revenue_then=2,
    )  # fmt: skip
    assert sweep_simulations() == 1
    done = run_simulation(simulation_pk=asked.pk)
    assert (done.status, done.attempts, changes(done)) == (
        "completed", 3, [("shop", "2026-06", "50.00", "45.00")],
    )  # fmt: skip
    assert sweep_simulations() == 0

    asked = request_plan_simulation(version_pk=version.pk, months=1, actor=BY, at=JULY_2)
    PlanSimulation.objects.filter(pk=asked.pk).update(status="running", attempts=3)
    failed = run_simulation(simulation_pk=asked.pk)
    assert (failed.status, failed.error) == ("failed", "its workers ended 3 times without a result")


def test_one_process_at_a_time_runs_it() -> None:
    asked = request_plan_simulation(
        version_pk=cheaper(on_sale("studio", 5000)).pk, months=1, actor=BY, at=JULY_2
    )
    with lease(run.lease_name(asked.pk)):
        assert sweep_simulations() == 0
        with pytest.raises(LeaseHeld):
            run_simulation(simulation_pk=asked.pk)
        assert run_if_unattended(simulation_pk=asked.pk) is None


def test_every_pair_of_states_is_walked() -> None:
    version = on_sale("studio", 5000)

    def stored(status: str) -> PlanSimulation:
        return PlanSimulation.objects.create(
            plan_version=version, version_name="studio/1", terms_digest="0" * 64, currency="AUD",
            first_month=JUNE.start, month_count=1, status=status, requested_by=BY, requested_at=JULY_2,
            finished_at=JULY_2 if status in {"completed", "failed"} else None,
        )  # fmt: skip

    walk_every_pair(
        SIMULATION_LIFECYCLE,
        stored,
        changes=lambda status: {"finished_at": JULY_2} if status in {"completed", "failed"} else {},
    )


def test_the_months_are_the_last_complete_ones() -> None:
    version = on_sale("studio", 5000)
    asked = request_plan_simulation(version_pk=version.pk, months=3, actor=BY, at=noon(31, 3))
    assert asked.months == [
        month_of(date(2025, 12, 1)),
        month_of(date(2026, 1, 1)),
        month_of(date(2026, 2, 1)),
    ]
