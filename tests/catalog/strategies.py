"""Random terms, subscriptions and usage, for properties of quotes."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from hypothesis import strategies as st

from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period, month_of
from catalog.values.terms import (
    AddonTerms,
    Discount,
    GraduatedPrice,
    ItemTerms,
    PackagePrice,
    PerUnitPrice,
    PlanTerms,
    PriceBook,
    PriceModel,
    Proration,
    QuoteInputs,
    ResourceRate,
    Segment,
    TaxTerms,
    Tier,
    VolumePrice,
)

KINDS: Final = ("bandwidth_gb", "dns_zones", "droplet_hours", "llm_tokens")
SINCE: Final = date(2020, 1, 1)

quantities: Final = st.one_of(
    st.integers(0, 50).map(Decimal),
    st.decimals(0, 10_000, places=6),
    st.decimals(0, 10**17, places=6),
)
some: Final = st.one_of(st.integers(1, 50).map(Decimal), st.decimals("0.000001", 1000, places=6))
cents: Final = st.integers(0, 50_000).map(lambda amount: Money.from_cents(amount, "AUD"))
prices: Final = st.one_of(cents, st.decimals(0, 5, places=6).map(lambda amount: Money(amount, "AUD")))
months: Final = st.dates(date(2024, 1, 1), date(2028, 12, 31)).map(month_of)


@st.composite
def tier_lists(draw: st.DrawFn) -> tuple[Tier, ...]:
    ends = sorted(draw(st.sets(some, max_size=4)))
    return tuple(Tier(up_to=end, unit_price=draw(prices), flat_fee=draw(prices)) for end in [*ends, None])


per_units: Final = st.builds(PerUnitPrice, unit=some, price=prices)
rising_models: Final[st.SearchStrategy[PriceModel]] = st.one_of(
    per_units, st.builds(PackagePrice, unit=some, price=prices), st.builds(GraduatedPrice, tiers=tier_lists())
)
models: Final[st.SearchStrategy[PriceModel]] = st.one_of(
    rising_models, st.builds(VolumePrice, tiers=tier_lists())
)


@st.composite
def items(draw: st.DrawFn, kind: str, price: st.SearchStrategy[PriceModel]) -> ItemTerms:
    limits = sorted(draw(st.lists(cents, min_size=2, max_size=2)))
    has_minimum, has_maximum = draw(st.booleans()), draw(st.booleans())
    return ItemTerms(
        kind=kind,
        included=draw(quantities),
        price=draw(st.none() | price),
        hard_cap=draw(st.none() | quantities),
        minimum=limits[0] if has_minimum else None,
        maximum=limits[1] if has_maximum else None,
    )


@st.composite
def plans(
    draw: st.DrawFn, version: int, proration: Proration, price: st.SearchStrategy[PriceModel] = models
) -> PlanTerms:
    kinds = draw(st.sets(st.sampled_from(KINDS)))
    return PlanTerms(
        plan="studio",
        version=version,
        base_price=draw(cents),
        proration=proration,
        items=tuple(draw(items(kind, price)) for kind in kinds),
    )


addons: Final = st.lists(
    st.builds(
        AddonTerms,
        code=st.sampled_from(("addon_a", "addon_b", "addon_c")),
        kind=st.sampled_from(KINDS),
        quantity=quantities,
        price=cents,
    ),
    max_size=2,
    unique_by=lambda addon: addon.code,
).map(tuple)
usages: Final = st.dictionaries(st.sampled_from((*KINDS, "volume_gb_month")), quantities)
books: Final = st.builds(
    PriceBook,
    resource_rates=st.lists(
        st.builds(ResourceRate, kind=st.sampled_from(KINDS), price=per_units, valid_from=st.just(SINCE)),
        max_size=3,
        unique_by=lambda rate: rate.kind,
    ).map(tuple),
    tax_rates=st.lists(
        st.builds(
            TaxTerms,
            code=st.just("GST"),
            currency=st.just("AUD"),
            percent=st.decimals(0, 30, places=2),
            valid_from=st.just(SINCE),
        ),
        max_size=1,
    ).map(tuple),
)


@st.composite
def discounts(draw: st.DrawFn, period: Period) -> Discount:
    start = draw(st.dates(period.start - timedelta(days=40), period.end))
    percent = draw(st.none() | st.decimals("0.01", 100, places=2))
    return Discount(
        code=draw(st.sampled_from(("welcome", "partner"))),
        percent=percent,
        amount=None if percent is not None else draw(cents),
        scope=draw(st.sampled_from(("all", "base", *KINDS))),
        valid_from=start,
        valid_to=draw(st.none() | st.dates(start + timedelta(days=1), period.end + timedelta(days=40))),
    )


@st.composite
def quote_inputs(
    draw: st.DrawFn,
    proration: st.SearchStrategy[Proration] = st.sampled_from(Proration),  # noqa: B008 - draws nothing yet
    price: st.SearchStrategy[PriceModel] = models,
    most_discounts: int = 3,
) -> QuoteInputs:
    """Draw a month of one to four segments under up to three versions, with gaps between some."""
    period = draw(months)
    rule = draw(proration)
    versions = [draw(plans(number, rule, price)) for number in range(1, draw(st.integers(1, 3)) + 1)]
    cuts = draw(st.sets(st.dates(period.start, period.end - timedelta(days=1)), max_size=3))
    parts = period.split(*cuts)
    kept = [part for part in parts if len(parts) == 1 or draw(st.integers(0, 4))]
    segments = tuple(
        Segment(days=days, terms=draw(st.sampled_from(versions)), addons=draw(addons), usage=draw(usages))
        for days in kept
    )
    return QuoteInputs(
        period=period,
        currency="AUD",
        segments=segments,
        book=draw(books),
        discounts=tuple(draw(st.lists(discounts(period), max_size=most_discounts))),
    )
