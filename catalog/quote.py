"""Quotes: what a period costs under its plan versions, add-ons, prices, discounts and taxes, and why.

The order of the rules stands in `quote`, once. A quote depends on its inputs alone: the same inputs give the
same quote, byte for byte. Each line is rounded once, half up, where it is written; the lines after it, a
minimum, a discount or a tax, start from the amount that the reader of the quote sees.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period
from catalog.rating.allowance import Usage, take_allowance_off, usages_of
from catalog.rating.discount import charges_of, discount_charges
from catalog.rating.exact import ZERO, add, divide, multiply, rounding_of, sum_lines, sum_results
from catalog.rating.graduated import rate_graduated
from catalog.rating.package import rate_package
from catalog.rating.per_unit import rate_per_unit
from catalog.rating.proration import Part, count_days, prorate_price, unbroken
from catalog.rating.spend import limit_spend
from catalog.rating.volume import rate_volume
from catalog.rating.whole_period import group_by_kind, limit_spend_of_kind
from catalog.values.lines import LineType, Quote, QuoteLine, Step, WarningCode
from catalog.values.terms import (
    GraduatedPrice,
    PackagePrice,
    PerUnitPrice,
    PriceModel,
    QuoteInputs,
    VolumePrice,
)

# By name: the member of an enum costs a lookup of its own.
_BASE_FEE, _ADDON, _USAGE, _UNPRICED = LineType.BASE_FEE, LineType.ADDON, LineType.USAGE, LineType.UNPRICED
_UNIT_PRICES: Final = (PerUnitPrice, PackagePrice)
_WHOLE: Final = Decimal(100)
_TAX: Final = "subtotal * percent / 100"

# Any: each function takes its own model, which the key says and the type can't.
_RATE: Final[Mapping[type[PriceModel], Callable[[Decimal, Any], tuple[Step, ...]]]] = {
    PerUnitPrice: rate_per_unit,
    PackagePrice: rate_package,
    GraduatedPrice: rate_graduated,
    VolumePrice: rate_volume,
}


def quote(inputs: QuoteInputs) -> Quote:
    """Price a period: fees, then each usage (allowance, price model, minimum and maximum), discounts, taxes.

    A period without a segment costs nothing.
    """
    parts = count_days(inputs)
    round_amount = rounding_of(inputs.currency)
    lines = [*_base_fees(inputs, parts), *_addon_fees(inputs, parts)]
    usages = usages_of(inputs, parts)
    if len(parts) == 1:
        for usage in usages:
            line = _rate_usage(usage, round_amount)
            lines.append(line)
            if usage.item is not None:
                lines += limit_spend(usage.item, line)
    else:
        for same_kind in group_by_kind(usages):
            rated = [_rate_usage(usage, round_amount) for usage in same_kind]
            lines += limit_spend_of_kind(same_kind, rated)
    if inputs.discounts:
        lines += discount_charges(inputs, charges_of(lines))
    # Sums are of rounded lines, so that a reader who adds them up comes to the same cent.
    subtotal = sum_lines(lines)
    taxes = _taxes(inputs, subtotal)
    tax = sum_lines(taxes)
    with_amount = round_amount(ZERO).with_amount
    return Quote(
        period=inputs.period,
        currency=inputs.currency,
        lines=(*lines, *taxes),
        subtotal=with_amount(subtotal),
        tax=with_amount(tax),
        total=with_amount(add(subtotal, tax)),
    )


def _base_fees(inputs: QuoteInputs, parts: Sequence[Part]) -> list[QuoteLine]:
    """Charge each version's base price for its days, in order of time."""
    versions: dict[str, list[Part]] = {}
    for part in parts:
        versions.setdefault(part.terms.name, []).append(part)
    return [
        _fee(inputs, _BASE_FEE, own[0].terms.plan, own[0].terms.base_price, own) for own in versions.values()
    ]


def _addon_fees(inputs: QuoteInputs, parts: Sequence[Part]) -> list[QuoteLine]:
    """Charge each add-on for its days, by code; one that was attached again at another price is another."""
    if len(parts) == 1:
        addons = sorted(parts[0].addons, key=lambda addon: addon.code)
        return [_fee(inputs, _ADDON, addon.code, addon.price, parts) for addon in addons]
    # The snapshot is the key: one attached again at a new price is charged apart.
    attached: dict[tuple[str, Decimal, Decimal], tuple[Money, list[Part]]] = {}
    for part in parts:
        for addon in part.addons:
            key = (addon.code, addon.price.amount, addon.quantity)
            attached.setdefault(key, (addon.price, []))[1].append(part)
    ordered = sorted(attached.items(), key=lambda each: (each[0][0], each[1][1][0].days.start))
    return [_fee(inputs, _ADDON, code, price, own) for (code, _, _), (price, own) in ordered]


def _fee(
    inputs: QuoteInputs, line_type: LineType, code: str, price: Money, parts: Sequence[Part]
) -> QuoteLine:
    if len(parts) == 1:  # as most have
        days: tuple[Period, ...] = (parts[0].days,)
        versions: tuple[str, ...] = (parts[0].terms.name,)
    else:
        days = unbroken([part.days for part in parts])
        versions = tuple(dict.fromkeys([part.terms.name for part in parts]))
    charges = prorate_price(inputs.period, price, days)
    amount = rounding_of(inputs.currency)(sum_results(charges))
    return QuoteLine(line_type, code, amount, days, versions, price=price, charges=charges)


def _rate_usage(usage: Usage, round_amount: Callable[[Decimal], Money]) -> QuoteLine:
    """Charge what was used over the allowance by its price model; what has no price is named, never free."""
    included, overage, is_over_cap, basis = take_allowance_off(usage)
    model, line_type = usage.price, _USAGE
    charges: tuple[Step, ...] = ()
    warnings: tuple[WarningCode, ...] = ()
    unit = price = None
    if model is not None:
        charges = _RATE[type(model)](overage, model)
        if isinstance(model, _UNIT_PRICES):
            unit, price = model.unit, model.price
    elif overage:
        # Within the allowance there is nothing to price, so nothing to warn of.
        line_type, warnings = _UNPRICED, (WarningCode.UNPRICED,)
    if is_over_cap:
        warnings = (*warnings, WarningCode.OVER_CAP)
    if usage.price_changes:
        warnings = (*warnings, WarningCode.PRICE_CHANGE)
    amount = round_amount(charges[0].result if len(charges) == 1 else sum_results(charges))
    # By position, in the order of the fields: names cost a third more, and most of a quote's lines are these.
    return QuoteLine(
        line_type, usage.kind, amount, usage.days, usage.versions, usage.used, included, overage, unit, price,
        basis, charges, warnings,
    )  # fmt: skip


def _taxes(inputs: QuoteInputs, subtotal: Decimal) -> list[QuoteLine]:
    """Compute each tax that is in force on the period's last day, with which the quote becomes due."""
    last_day = inputs.period.end - timedelta(days=1)
    lines = []
    for tax in inputs.book.tax_rates:
        if tax.currency == inputs.currency and tax.is_in_force(last_day):
            amount = divide(multiply(subtotal, tax.percent), _WHOLE)
            figures = {"subtotal": subtotal, "percent": tax.percent}
            step = Step(rule="tax", formula=_TAX, inputs=figures, result=amount)
            rounded = rounding_of(inputs.currency)(amount)
            lines.append(QuoteLine(type=LineType.TAX, code=tax.code, amount=rounded, charges=(step,)))
    return lines
