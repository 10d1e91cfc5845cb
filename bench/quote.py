"""`quote`: 10,000 explained quotes of twelve kinds, against the bare arithmetic of the same lines."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any, Final

from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period
from bench.harness import Contender, Row, bench, compare
from catalog.quote import quote
from catalog.values.terms import (
    AddonTerms,
    GraduatedPrice,
    ItemTerms,
    PackagePrice,
    PerUnitPrice,
    PlanTerms,
    PriceBook,
    PriceModel,
    QuoteInputs,
    ResourceRate,
    Segment,
    TaxTerms,
    Tier,
    VolumePrice,
)

QUOTES: Final = 10_000
TARGET: Final = 3.0
JULY: Final = Period(date(2026, 7, 1), date(2026, 8, 1))
SINCE: Final = date(2020, 1, 1)
CENT: Final = Decimal("0.01")
ZERO: Final = Decimal(0)


@bench("quote")
def quotes(scale: float) -> Iterator[Row]:
    """Seven plain kinds, a package, two with tiers, one with limits, one without a price in the plan."""
    many = max(100, round(QUOTES * scale))
    inputs = [_inputs(number) for number in range(many)]
    for number in range(min(many, 100)):  # a floor that computes something else would be no floor
        expected = [(str(line.type), line.code, line.amount.amount) for line in quote(inputs[number]).lines]
        assert [(line[0], line[1], line[2]) for line in _bare_quote(inputs[number])[0]] == expected
    yield compare(
        "quote",
        f"{many} quotes of 12 kinds, explained",
        ours=Contender(lambda: _each(quote, inputs)),
        floor=Contender(lambda: _each(_bare_quote, inputs)),
        target=TARGET,
    )


def _each(make: Any, inputs: Sequence[QuoteInputs]) -> None:
    for one in inputs:
        make(one)


def _money(amount: str) -> Money:
    return Money(Decimal(amount), "AUD")


def _tiers(*rows: tuple[str | None, str, str]) -> tuple[Tier, ...]:
    return tuple(
        Tier(up_to=None if end is None else Decimal(end), unit_price=_money(price), flat_fee=_money(fee))
        for end, price, fee in rows
    )


_PLAIN: Final = (
    ("backup_gb_month", "100", "0.08"),
    ("bandwidth_gb", "2000", "0.02"),
    ("database_hours", "744", "0.03"),
    ("dns_zones", "5", "1"),
    ("droplet_hours", "1488", "0.02"),
    ("snapshot_gb_month", "50", "0.10"),
    ("spaces_gb_month", "250", "0.05"),
)
_TERMS: Final = PlanTerms(
    plan="studio",
    version=3,
    base_price=_money("50"),
    items=(
        *(
            ItemTerms(kind=kind, included=Decimal(included), price=PerUnitPrice(price=_money(price)))
            for kind, included, price in _PLAIN
        ),
        ItemTerms(kind="llm_tokens", included=Decimal(1_000_000),
                  price=PackagePrice(unit=Decimal(1_000_000), price=_money("6"))),
        ItemTerms(kind="load_balancer_hours", included=Decimal(744),
                  price=GraduatedPrice(tiers=_tiers(("744", "0.03", "0"), (None, "0.02", "1")))),
        ItemTerms(kind="reserved_ip_hours", included=Decimal(100),
                  price=VolumePrice(tiers=_tiers(("500", "0.01", "0"), (None, "0.005", "0")))),
        ItemTerms(kind="requests", included=Decimal(10_000),
                  price=PerUnitPrice(unit=Decimal(1000), price=_money("0.4")),
                  minimum=_money("1"), maximum=_money("20")),
    ),
)  # fmt: skip
_ADDONS: Final = (
    AddonTerms(code="storage_50gb", kind="spaces_gb_month", quantity=Decimal(50), price=_money("7.50")),
)
_BOOK: Final = PriceBook(
    resource_rates=(
        ResourceRate(kind="volume_gb_month", price=PerUnitPrice(price=_money("0.15")), valid_from=SINCE),
    ),
    tax_rates=(TaxTerms(code="GST", currency="AUD", percent=Decimal(10), valid_from=SINCE),),
)


def _inputs(number: int) -> QuoteInputs:
    """Build a month: of every kind some deployments are within the allowance, some over it."""
    usage = {item.kind: item.included * (50 + (number * 37 + place * 11) % 100) / 100
             for place, item in enumerate(_TERMS.items)}  # fmt: skip
    usage["volume_gb_month"] = Decimal(number % 500) / 4
    segment = Segment(days=JULY, terms=_TERMS, addons=_ADDONS, usage=usage)
    return QuoteInputs(period=JULY, currency="AUD", segments=(segment,), book=_BOOK)


def _bare_quote(inputs: QuoteInputs) -> tuple[list[tuple[Any, ...]], Decimal, Decimal, Decimal]:
    """Compute the same lines without a reason, as tuples: what is used is all that varies."""
    (segment,) = inputs.segments
    terms, versions, days = segment.terms, (segment.terms.name,), (inputs.period,)
    lines: list[tuple[Any, ...]] = []
    fee = terms.base_price.amount
    lines.append(("base_fee", terms.plan, fee.quantize(CENT, ROUND_HALF_UP), days, versions, fee))
    added: dict[str, Decimal] = {}
    for addon in segment.addons:
        fee = addon.price.amount
        lines.append(("addon", addon.code, fee.quantize(CENT, ROUND_HALF_UP), days, versions, fee))
        added[addon.kind] = added.get(addon.kind, ZERO) + addon.quantity
    for kind in sorted({*terms.by_kind, *segment.usage, *added}):
        item = terms.by_kind.get(kind)
        used = segment.usage.get(kind, ZERO)
        included = (item.included if item else ZERO) + added.get(kind, ZERO)
        counted = used if item is None or item.hard_cap is None else min(used, item.hard_cap)
        overage = max(counted - included, ZERO)
        model = item.price if item else None
        if model is None:
            (rate,) = inputs.book.resource_rates_of(kind, inputs.currency)
            model = rate.price
        amount, unit, price = _bare_amount(model, overage)
        amount = amount.quantize(CENT, ROUND_HALF_UP)
        lines.append(("usage", kind, amount, days, versions, used, included, overage, unit, price))
        if item and item.minimum and amount < item.minimum.amount:
            lines.append(("minimum", kind, item.minimum.amount - amount, days, versions))
        if item and item.maximum and amount > item.maximum.amount:
            lines.append(("maximum", kind, item.maximum.amount - amount, days, versions))
    subtotal = sum((line[2] for line in lines), ZERO)
    taxes = [
        ("tax", tax.code, (subtotal * tax.percent / 100).quantize(CENT, ROUND_HALF_UP))
        for tax in inputs.book.tax_rates
    ]
    tax = sum((line[2] for line in taxes), ZERO)
    return [*lines, *taxes], subtotal, tax, subtotal + tax


def _bare_amount(model: PriceModel, overage: Decimal) -> tuple[Decimal, Decimal | None, Decimal | None]:
    """Compute the price of an overage, with the unit and the price of one where there is a single one."""
    if isinstance(model, PerUnitPrice):
        price = model.price.amount
        return overage * price / model.unit, model.unit, price
    if isinstance(model, PackagePrice):
        price = model.price.amount
        return (overage / model.unit).to_integral_value(ROUND_CEILING) * price, model.unit, price
    if isinstance(model, VolumePrice):
        tier = next(tier for tier in model.tiers if tier.up_to is None or overage <= tier.up_to)
        return overage * tier.unit_price.amount + tier.flat_fee.amount, None, None
    amount, lower = ZERO, ZERO
    for tier in model.tiers:
        upper = overage if tier.up_to is None else min(overage, tier.up_to)
        amount += (upper - lower) * tier.unit_price.amount + tier.flat_fee.amount
        if upper == overage:
            break
        lower = upper
    return amount, None, None
