"""Short ways to write a quote's inputs in tests, and an independent reading of its formulas."""

import ast
import math
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from arcadia_cloud.kernel.money import Money, exact_text
from arcadia_cloud.kernel.periods import Period
from catalog.quote import quote
from catalog.values.lines import LineType, Quote, QuoteLine, Step
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

JUNE: Final = Period(date(2026, 6, 1), date(2026, 7, 1))  # 30 days
LONG_AGO: Final = date(2020, 1, 1)


def aud(amount: str) -> Money:
    return Money(Decimal(amount), "AUD")


def june(first: int, after: int) -> Period:
    """Return the days of June from the first to the one before `after`; 31 is the first of July."""
    return Period(date(2026, 6, first), date(2026, 6, after) if after <= 30 else JUNE.end)


def per_unit(price: str, unit: str = "1") -> PerUnitPrice:
    return PerUnitPrice(unit=Decimal(unit), price=aud(price))


def package(price: str, unit: str) -> PackagePrice:
    return PackagePrice(unit=Decimal(unit), price=aud(price))


def tiers(*rows: tuple[str | None, str, str]) -> tuple[Tier, ...]:
    """Build tiers from (up to, unit price, flat fee)."""
    return tuple(
        Tier(up_to=None if up_to is None else Decimal(up_to), unit_price=aud(price), flat_fee=aud(fee))
        for up_to, price, fee in rows
    )


def graduated(*rows: tuple[str | None, str, str]) -> GraduatedPrice:
    return GraduatedPrice(tiers=tiers(*rows))


def volume(*rows: tuple[str | None, str, str]) -> VolumePrice:
    return VolumePrice(tiers=tiers(*rows))


def item(
    kind: str,
    included: str = "0",
    price: PriceModel | None = None,
    *,
    cap: str | None = None,
    minimum: str | None = None,
    maximum: str | None = None,
) -> ItemTerms:
    return ItemTerms(
        kind=kind,
        included=Decimal(included),
        price=price,
        hard_cap=None if cap is None else Decimal(cap),
        minimum=None if minimum is None else aud(minimum),
        maximum=None if maximum is None else aud(maximum),
    )


def plan(
    base: str,
    *items: ItemTerms,
    name: str = "studio",
    version: int = 1,
    proration: Proration = Proration.NONE,
) -> PlanTerms:
    return PlanTerms(plan=name, version=version, base_price=aud(base), proration=proration, items=items)


def daily(base: str, *items: ItemTerms, name: str = "studio", version: int = 1) -> PlanTerms:
    return plan(base, *items, name=name, version=version, proration=Proration.DAILY)


def addon(code: str, kind: str, quantity: str, price: str) -> AddonTerms:
    return AddonTerms(code=code, kind=kind, quantity=Decimal(quantity), price=aud(price))


def segment(days: Period, terms: PlanTerms, *addons: AddonTerms, **usage: str) -> Segment:
    return Segment(
        days=days, terms=terms, addons=addons, usage={kind: Decimal(used) for kind, used in usage.items()}
    )


def percent_off(
    percent: str, *, scope: str = "all", since: date = LONG_AGO, until: date | None = None
) -> Discount:
    return Discount(
        code=f"{percent} percent", percent=Decimal(percent), scope=scope, valid_from=since, valid_to=until
    )


def amount_off(
    amount: str, *, scope: str = "all", since: date = LONG_AGO, until: date | None = None
) -> Discount:
    return Discount(code=f"{amount} off", amount=aud(amount), scope=scope, valid_from=since, valid_to=until)


def resource_rate(
    kind: str, price: str, unit: str = "1", *, since: date = LONG_AGO, until: date | None = None
) -> ResourceRate:
    return ResourceRate(kind=kind, price=per_unit(price, unit), valid_from=since, valid_to=until)


def gst(percent: str = "10", *, since: date = LONG_AGO, until: date | None = None) -> TaxTerms:
    return TaxTerms(code="GST", currency="AUD", percent=Decimal(percent), valid_from=since, valid_to=until)


def inputs_of(
    *segments: Segment,
    period: Period = JUNE,
    rates: Sequence[ResourceRate] = (),
    taxes: Sequence[TaxTerms] = (),
    discounts: Sequence[Discount] = (),
) -> QuoteInputs:
    return QuoteInputs(
        period=period,
        currency="AUD",
        segments=segments,
        book=PriceBook(resource_rates=tuple(rates), tax_rates=tuple(taxes)),
        discounts=tuple(discounts),
    )


def quote_of(
    *segments: Segment,
    period: Period = JUNE,
    rates: Sequence[ResourceRate] = (),
    taxes: Sequence[TaxTerms] = (),
    discounts: Sequence[Discount] = (),
) -> Quote:
    return quote(inputs_of(*segments, period=period, rates=rates, taxes=taxes, discounts=discounts))


def amounts(found: Quote) -> list[tuple[str, str, str]]:
    """Return (type, code, amount) of each line."""
    return [(line.type.value, line.code, exact_text(line.amount.amount)) for line in found.lines]


def line_of(found: Quote, line_type: LineType, code: str = "") -> QuoteLine:
    (line,) = (line for line in found.lines if line.type == line_type and code in {"", line.code})
    return line


def evaluate(step: Step) -> Fraction:
    """Compute a step's formula from its inputs, in fractions."""
    return _evaluate(ast.parse(step.formula, mode="eval").body, step.inputs)


def _evaluate(node: ast.expr, inputs: Mapping[str, Decimal]) -> Fraction:
    match node:
        case ast.Name(id=name):
            return Fraction(inputs[name])
        case ast.Constant(value=int(value)):
            return Fraction(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluate(operand, inputs)
        case ast.BinOp(left=left, op=operator, right=right):
            return _operate(operator, _evaluate(left, inputs), _evaluate(right, inputs))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _call(name, [_evaluate(argument, inputs) for argument in arguments])
    raise ValueError(f"a formula has no {ast.dump(node)}")


def _operate(operator: ast.operator, left: Fraction, right: Fraction) -> Fraction:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
    raise ValueError(f"a formula has no {operator}")


def _call(name: str, arguments: Sequence[Fraction]) -> Fraction:
    match name:
        case "min":
            return min(arguments)
        case "max":
            return max(arguments)
        case "ceil":
            return Fraction(math.ceil(arguments[0]))
        case "round":
            return round_half_up(arguments[0], int(arguments[1]))
    raise ValueError(f"a formula has no {name}()")


def round_half_up(value: Fraction, places: int) -> Fraction:
    """Round half away from zero."""
    scaled = math.floor(abs(value) * 10**places + Fraction(1, 2))
    return Fraction(scaled if value >= 0 else -scaled, 10**places)
