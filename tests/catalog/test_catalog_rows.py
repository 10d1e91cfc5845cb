"""The catalog's other rows: dated prices, choices, the seed, and who is offered what."""

from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any, Final

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from arcadia_cloud.kernel.periods import month_of
from catalog.errors import PlanNotOnSale
from catalog.models import Addon, Plan, PlanItem, PlanTenant, PlanVersion, ResourcePrice, TaxRate
from catalog.queries import active_version, current_resource_price, plans_on_offer, price_book
from catalog.quote import quote
from catalog.services import seed_catalog
from catalog.values.terms import QuoteInputs, Segment
from tests.catalog.build import aud
from tests.catalog.rows import AT, draft, published, stored_plan
from tests.kernel.threads import at_once

pytestmark = pytest.mark.django_db

JULY: Final = month_of(date(2026, 7, 1))


def price(cents: str, since: date, until: date | None = None, **fields: Any) -> ResourcePrice:
    return ResourcePrice.objects.create(
        **{"resource_kind": "dns_zones", **fields},
        price_cents=Decimal(cents),
        effective_from=since,
        effective_to=until,
    )


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (date(2026, 1, 1), date(2026, 2, 1)),
        (date(2025, 1, 1), date(2026, 1, 2)),
        (date(2026, 1, 31), None),
        (date(2025, 1, 1), None),
    ],
)
def test_two_prices_of_a_kind_on_one_day_are_refused(since: date, until: date | None) -> None:
    price("1", date(2026, 1, 1), date(2026, 2, 1))
    with pytest.raises(IntegrityError, match="resource_price_overlaps_none"), transaction.atomic():
        price("2", since, until)


def test_prices_that_follow_each_other_and_those_of_others_are_fine() -> None:
    price("1", date(2026, 1, 1), date(2026, 2, 1))
    price("2", date(2026, 2, 1))
    price("3", date(2026, 1, 1), currency="USD")
    price("4", date(2026, 1, 1), resource_kind="llm_tokens")
    assert ResourcePrice.objects.count() == 4


def test_two_rates_of_a_tax_on_one_day_are_refused() -> None:
    TaxRate.objects.create(code="GST", percent=10, effective_from=date(2000, 7, 1))
    TaxRate.objects.create(code="levy", percent=1, effective_from=date(2000, 7, 1))
    with pytest.raises(IntegrityError, match="tax_rate_overlaps_none"):
        TaxRate.objects.create(code="GST", percent=12, effective_from=date(2030, 1, 1))


@pytest.mark.parametrize(
    ("on", "cents"),
    [
        (date(2025, 12, 31), None),
        (date(2026, 1, 1), Decimal("0.5")),
        (date(2026, 1, 31), Decimal("0.5")),
        (date(2026, 2, 1), Decimal("0.25")),
        (date(2036, 2, 1), Decimal("0.25")),
    ],
)
def test_the_price_of_a_day_is_the_one_in_force(on: date, cents: Decimal | None) -> None:
    price("0.5", date(2026, 1, 1), date(2026, 2, 1))
    price("0.25", date(2026, 2, 1))
    found = current_resource_price("dns_zones", on=on, currency="AUD")
    assert (found.price_cents if found else None) == cents
    assert current_resource_price("dns_zones", on=on, currency="USD") is None


def test_a_price_book_has_what_is_in_force_on_any_day_of_the_period() -> None:
    price("1", date(2026, 1, 1), date(2026, 7, 1))
    price("2.5", date(2026, 7, 1), date(2026, 7, 2))
    price("3", date(2026, 7, 31))
    price("4", date(2026, 8, 1), resource_kind="llm_tokens")
    price("5", date(2026, 1, 1), currency="USD")
    TaxRate.objects.create(code="GST", percent=10, effective_from=date(2000, 7, 1))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        book = price_book(JULY, "AUD")
    assert len(queries) == 2
    assert [rate.price.price for rate in book.resource_rates] == [aud("0.025"), aud("0.03")]
    assert [tax.percent for tax in book.tax_rates] == [Decimal(10)]


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE plan_versions SET status = 'unheard'", "published"),
        ("UPDATE plan_versions SET proration = 'unheard'", "plan_version_proration_known"),
        ("UPDATE plan_versions SET billing_interval = 'unheard'", "plan_version_interval_known"),
        ("UPDATE plan_versions SET currency = 'aud'", "plan_version_currency_code"),
        ("UPDATE plan_versions SET base_price_cents = -1", "plan_version_price_not_negative"),
        ("UPDATE plan_versions SET published_at = now()", "plan_version_published_once_no_draft"),
        ("UPDATE plan_versions SET status = 'active'", "plan_version_published_once_no_draft"),
        ("UPDATE plan_items SET resource_kind = 'unheard'", "plan_item_kind_known"),
        ("UPDATE plan_items SET included_qty = -1", "plan_item_quantities_not_negative"),
        ("UPDATE plan_items SET overage_unit = 0", "plan_item_quantities_not_negative"),
        ("UPDATE plan_items SET hard_cap_qty = -1", "plan_item_quantities_not_negative"),
        ("UPDATE plan_items SET overage_price_cents = -1", "plan_item_prices_not_negative"),
        ("UPDATE plan_items SET minimum_cents = 2, maximum_cents = 1", "plan_item_minimum_under_maximum"),
        ("UPDATE plan_items SET price_model = 'volume'", "plan_item_tiers_where_tiered"),
        ("UPDATE plan_items SET tiers = '[1]'", "plan_item_tiers_where_tiered"),
        ("UPDATE addons SET resource_kind = 'unheard'", "addon_kind_known"),
        ("UPDATE addons SET qty = 0", "addon_quantity_positive"),
        ("UPDATE addons SET price_cents = -1", "addon_price_not_negative"),
        ("UPDATE resource_prices SET resource_kind = 'unheard'", "resource_price_kind_known"),
        ("UPDATE resource_prices SET price_cents = -1", "resource_price_not_negative"),
        ("UPDATE resource_prices SET unit_qty = 0", "resource_price_not_negative"),
        ("UPDATE resource_prices SET effective_to = effective_from", "resource_price_forward"),
        ("UPDATE tax_rates SET percent = -1", "tax_rate_not_negative"),
        ("UPDATE plan_tenants SET tenant_id = ''", "plan_tenant_named"),
    ],
)
def test_the_database_keeps_the_rules_of_the_rows(statement: str, check: str) -> None:
    version = draft(stored_plan(), dns_zones=5)
    Addon.objects.create(code="a", name="A", resource_kind="dns_zones", qty=1, price_cents=1)
    price("1", date(2026, 1, 1))
    TaxRate.objects.create(code="GST", percent=10, effective_from=date(2000, 7, 1))
    PlanTenant.objects.create(plan=version.plan, tenant_id="acme")
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match=check), transaction.atomic():
        cursor.execute(statement)


def offered(tenant_id: str | None) -> list[str]:
    return [plan.code for plan in plans_on_offer(tenant_id)]


def test_a_plan_that_is_not_public_is_offered_to_its_tenants_only() -> None:
    published(stored_plan("studio", sort=1))
    special = published(stored_plan("special", public=False, sort=2)).plan
    PlanTenant.objects.create(plan=special, tenant_id="acme")
    PlanTenant.objects.create(plan=special, tenant_id="globex")
    assert (offered("acme"), offered("other"), offered(None)) == (
        ["studio", "special"],
        ["studio"],
        ["studio"],
    )
    assert active_version("special", tenant_id="acme").plan == special
    for stranger in ("other", "", None):
        with pytest.raises(PlanNotOnSale):
            active_version("special", tenant_id=stranger)


def test_a_plan_without_an_active_version_is_not_on_sale() -> None:
    draft(stored_plan())
    assert offered(None) == []
    for code in ("studio", "unheard"):
        with pytest.raises(PlanNotOnSale):
            active_version(code, tenant_id=None)


def test_a_signup_gets_the_active_version() -> None:
    first = published(stored_plan(), 5000)
    second = published(first.plan, 6000)
    draft(first.plan, 7000)
    assert active_version("studio", tenant_id=None) == second


@pytest.mark.parametrize("plans", [1, 20])
def test_the_offer_takes_three_queries(plans: int) -> None:
    for number in range(plans):
        published(stored_plan(f"plan-{number}"), dns_zones=5)
    with CaptureQueriesContext(connection) as queries:
        found = [plan.versions.all()[0].terms() for plan in plans_on_offer(None)]
    assert (len(found), len(queries)) == (plans, 3)


def test_the_seed_makes_three_plans_and_three_addons_and_a_second_run_nothing() -> None:
    made = seed_catalog(at=AT)
    assert (made.plans, made.addons, made.tax_rates) == (3, 3, 1)
    assert offered(None) == ["starter", "studio", "pro"]
    again = seed_catalog(at=AT)
    assert (again.plans, again.addons, again.tax_rates) == (0, 0, 0)
    assert (Plan.objects.count(), PlanVersion.objects.count(), Addon.objects.count()) == (3, 3, 3)


def test_the_seeded_plans_are_those_of_the_reference() -> None:
    seed_catalog(at=AT)
    prices = {plan.code: plan.versions.get().base_price_cents for plan in Plan.objects.all()}
    assert prices == {"starter": 2000, "studio": 5000, "pro": 12000}
    kinds = {"droplet_hours", "spaces_gb_month", "snapshot_gb_month", "bandwidth_gb", "dns_zones"}
    found = {
        plan.code: set(plan.versions.get().items.values_list("resource_kind", flat=True))
        for plan in Plan.objects.all()
    }
    assert found == {"starter": kinds, "studio": kinds | {"llm_tokens"}, "pro": kinds | {"llm_tokens"}}
    studio = {
        item.resource_kind: item.included_qty
        for item in PlanItem.objects.filter(version__plan__code="studio")
    }
    assert studio["droplet_hours"] >= Decimal(1488)
    assert [studio[kind] for kind in sorted(kinds - {"droplet_hours"})] == [2000, 5, 50, 250]
    addons = {addon.code: (addon.resource_kind, addon.qty) for addon in Addon.objects.all()}
    assert addons == {
        "storage_50gb": ("spaces_gb_month", 50),
        "storage_250gb": ("spaces_gb_month", 250),
        "llm_tokens_1m": ("llm_tokens", 1_000_000),
    }
    assert Addon.objects.get(code="storage_50gb").price_cents == 750


def test_the_seed_never_overwrites_what_an_operator_changed() -> None:
    seed_catalog(at=AT)
    studio = Plan.objects.get(code="studio")
    published(studio, 9900)
    Plan.objects.filter(pk=studio.pk).update(name="Atelier", public=False)
    Addon.objects.filter(code="storage_50gb").update(price_cents=1500, active=False)
    TaxRate.objects.update(percent=12)
    seed_catalog(at=AT)
    studio.refresh_from_db()
    assert (studio.name, studio.public) == ("Atelier", False)
    assert studio.versions.get(status="active").base_price_cents == 9900
    assert Addon.objects.get(code="storage_50gb").price_cents == 1500
    assert [rate.percent for rate in TaxRate.objects.all()] == [12]


@pytest.mark.django_db(transaction=True)
def test_two_seeds_at_once_make_it_once() -> None:
    made = at_once(2, lambda: seed_catalog(at=AT))
    assert sorted(counts.plans for counts in made) == [0, 3]
    assert (PlanVersion.objects.count(), Addon.objects.count(), TaxRate.objects.count()) == (3, 3, 1)


def test_the_command_reports_what_it_made() -> None:
    out = StringIO()
    call_command("seed_catalog", stdout=out)
    call_command("seed_catalog", stdout=out)
    assert out.getvalue().splitlines() == [
        "made 3 plans, 3 add-ons, 1 tax rates",
        "made 0 plans, 0 add-ons, 0 tax rates",
    ]


def test_the_studio_reference_case_from_the_seeded_rows() -> None:
    seed_catalog(at=AT)
    usage = {
        "droplet_hours": Decimal(480),
        "dns_zones": Decimal("0.645161"),
        "snapshot_gb_month": Decimal("15.483871"),
    }
    terms = active_version("studio", tenant_id=None).terms()
    found = quote(
        QuoteInputs(
            period=JULY,
            currency="AUD",
            segments=(Segment(days=JULY, terms=terms, usage=usage),),
            book=price_book(JULY, "AUD"),
        )
    )
    assert (found.subtotal, found.tax, found.total) == (aud("50.00"), aud("5.00"), aud("55.00"))
    assert all(line.overage in {None, Decimal(0)} for line in found.lines)
