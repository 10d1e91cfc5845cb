"""Changes of the catalog, in any order: none of them changes the quote of a subscription that is there."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeAlias

import pytest
from django.db import transaction
from django.db.models import Q
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from arcadia_cloud.kernel.periods import Period
from catalog import canonical
from catalog.models import Addon, Plan, PlanItem, PlanTenant, PlanVersion, ResourcePrice, TaxRate
from catalog.queries import price_book
from catalog.quote import quote
from catalog.services import create_draft, create_draft_from, publish_version
from catalog.values.terms import PriceBook
from deployments.models import Subscription
from deployments.queries import quote_inputs, subscriptions_for_quotes
from deployments.services import change_plan_version, give_discount
from tests.catalog.rows import active
from tests.deployments.rows import BY, JULY, JUNE, noon, on_sale, storage, subscribed

pytestmark = pytest.mark.django_db

PLANS: Final = ("studio", "daily-studio")
ADDONS: Final = ("storage_50gb", "storage_250gb")
KINDS: Final = ("bandwidth_gb", "spaces_gb_month", "volume_gb_month")
Change: TypeAlias = tuple[str, dict[str, Any]]

cents: Final = st.integers(0, 50_000)
quantities: Final = st.integers(1, 2_000)
days_to_come: Final = st.dates(JUNE.end, date(2026, 12, 31))


def change(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Change]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


single_price: Final = st.fixed_dictionaries(
    {"price_model": st.sampled_from(("per_unit", "package")), "overage_price_cents": cents}
)
tiered_price: Final = cents.map(
    lambda price: {"price_model": "volume", "tiers": [{"unit_price_cents": str(price)}]}
)
changes: Final[st.SearchStrategy[list[Change]]] = st.lists(
    st.one_of(
        change(
            "publish",
            plan=st.sampled_from(PLANS),
            base_price_cents=cents,
            proration=st.sampled_from(("none", "daily")),
            currency=st.sampled_from(("AUD", "USD")),
            included=quantities,
            price=single_price | tiered_price,
            kinds=st.sets(st.sampled_from(KINDS)),
        ),
        change("draft", plan=st.sampled_from(PLANS), base_price_cents=cents),
        change(
            "reprice_addon",
            code=st.sampled_from(ADDONS),
            price_cents=cents,
            qty=quantities,
            resource_kind=st.sampled_from(KINDS),
            active=st.booleans(),
        ),
        change("price_resource", kind=st.sampled_from(KINDS), price_cents=cents, on=days_to_come),
        change("tax", percent=st.integers(0, 30), on=days_to_come),
        change("offer", plan=st.sampled_from(PLANS), public=st.booleans()),
    ),
    min_size=1,
    max_size=6,
)


def publish(
    plan: str, kinds: set[str], included: int, price: dict[str, Any], currency: str, **terms: Any
) -> None:
    present = active(Plan.objects.get(code=plan))
    assert present is not None
    version = create_draft_from(version_pk=present.pk, actor=BY)
    PlanVersion.objects.filter(pk=version.pk).update(currency=currency, **terms)
    version.items.all().delete()
    for kind in kinds:
        PlanItem.objects.create(version=version, resource_kind=kind, included_qty=included, **price)
    publish_version(version_pk=version.pk, replaces=present.pk, actor=BY, at=noon(20), note="of a test")


def draft(plan: str, base_price_cents: int) -> None:
    version = create_draft(plan_pk=Plan.objects.get(code=plan).pk, actor=BY)
    version.base_price_cents = base_price_cents
    version.save()


def reprice_addon(code: str, **terms: Any) -> None:
    Addon.objects.filter(code=code).update(**terms)


def price_resource(kind: str, price_cents: int, on: date) -> None:
    succeed(ResourcePrice, on, {"resource_kind": kind, "currency": "AUD"}, {"price_cents": price_cents})


def tax(percent: int, on: date) -> None:
    succeed(TaxRate, on, {"code": "GST", "currency": "AUD"}, {"percent": percent})


def succeed(model: Any, on: date, subject: dict[str, str], figures: dict[str, int]) -> None:
    """Give a thing another dated row from that day on, as the console has it done."""
    model.objects.filter(**subject, effective_from__gte=on).delete()
    still_open = Q(effective_to=None) | Q(effective_to__gt=on)
    model.objects.filter(still_open, **subject).update(effective_to=on)
    model.objects.create(**subject, **figures, effective_from=on)


def offer(plan: str, public: bool) -> None:
    row = Plan.objects.get(code=plan)
    row.name, row.public = f"{row.name} of old", public
    row.save()
    PlanTenant.objects.get_or_create(plan=row, tenant_id="another")


MAKE: Final[dict[str, Callable[..., None]]] = {
    "publish": publish, "draft": draft, "reprice_addon": reprice_addon, "price_resource": price_resource,
    "tax": tax, "offer": offer,
}  # fmt: skip


def used_by_day(days: Period) -> dict[str, Decimal]:
    """Return some usage over each allowance, and of a kind that no plan has."""
    kinds = ("spaces_gb_month", "bandwidth_gb", "droplet_hours", "volume_gb_month")
    return {kind: Decimal(days.days * 25) for kind in kinds}


def quotes(period: Period, book: PriceBook | None = None) -> list[bytes]:
    """Quote every subscription as it is stored now, by today's dated prices unless others are given."""
    found = []
    for subscription in subscriptions_for_quotes().order_by("pk"):
        prices = book or price_book(period, subscription.plan_version.currency)
        found.append(canonical.encode(quote(quote_inputs(subscription, period, prices, used_by_day))))
    return found


def subscribers() -> None:
    """Make subscriptions of every sort: in full, by days, changed within the month, reduced."""
    for code, proration in zip(PLANS, ("none", "daily"), strict=True):
        on_sale(code, 5000, proration=proration, spaces_gb_month=250, bandwidth_gb=500)
    on_sale("pro", 12_000, spaces_gb_month=1000)
    for code, price_cents in zip(ADDONS, (750, 3000), strict=True):
        storage(code, price_cents)
    for kind in ("droplet_hours", "volume_gb_month"):
        ResourcePrice.objects.create(resource_kind=kind, price_cents=3, effective_from=date(2026, 1, 1))
    TaxRate.objects.create(code="GST", percent=10, effective_from=date(2000, 7, 1))
    subscribed("studio", *ADDONS, slug="in-full")
    by_days = subscribed("daily-studio", "storage_50gb", slug="by-days", at=noon(5))
    give_discount(
        deployment_pk=by_days.deployment_id, percent=Decimal(15), reason="a friend", actor=BY, at=noon(6)
    )
    changed = subscribed("studio", slug="changed")
    change_plan_version(deployment_pk=changed.deployment_id, plan_code="pro", actor=BY, at=noon(12))


def test_no_change_of_the_catalog_changes_the_quote_of_a_subscription(request: pytest.FixtureRequest) -> None:
    """The month that was running is as it was; the next one too, but for dated prices that begin in it."""
    subscribers()
    before, book = quotes(JUNE), price_book(JULY, "AUD")
    next_month = quotes(JULY, book)
    bound = list(Subscription.objects.order_by("pk").values_list("plan_version", "next_plan_version"))

    # Without shrinking: of a failure that asks the database it would take minutes.
    phases = (Phase.explicit, Phase.reuse, Phase.generate)

    @settings(max_examples=150 if request.config.getoption("--matrix") else 12, deadline=None, phases=phases)
    @given(changes)
    def every_quote_stays(made: list[Change]) -> None:
        with transaction.atomic():
            for name, arguments in made:
                MAKE[name](**arguments)
            assert quotes(JUNE) == before
            assert quotes(JULY, book) == next_month
            stored = Subscription.objects.order_by("pk").values_list("plan_version", "next_plan_version")
            assert list(stored) == bound
            transaction.set_rollback(True)  # the next example begins with the same catalog

    every_quote_stays()


def test_a_dated_price_changes_the_quote_from_its_first_day_on() -> None:
    """The control: the kind without a price in the plan is quoted, and by the book of its days."""
    subscribers()
    june, july = quotes(JUNE), quotes(JULY)
    price_resource("volume_gb_month", 50, JUNE.end)
    assert quotes(JUNE) == june
    assert all(one != other for one, other in zip(quotes(JULY), july, strict=True))
