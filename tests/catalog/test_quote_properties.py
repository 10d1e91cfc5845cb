"""Properties of every quote: sums, steps, splits and order, whatever the terms."""

import decimal
from decimal import Decimal
from fractions import Fraction
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from arcadia_cloud.kernel.money import Money, minor_digits
from catalog import canonical
from catalog.quote import quote
from catalog.rating.graduated import rate_graduated
from catalog.values.lines import LineType, Quote, QuoteLine
from catalog.values.terms import GraduatedPrice, Proration, QuoteInputs, Segment, Tier
from tests.catalog.build import JUNE, aud, evaluate, item, plan, quote_of, round_half_up, segment, volume
from tests.catalog.strategies import (
    KINDS,
    quantities,
    quote_inputs,
    rising_models,
    tier_lists,
)

DAILY: Final = st.just(Proration.DAILY)
FEES: Final = {LineType.BASE_FEE, LineType.ADDON}
unhurried: Final = settings(deadline=None, max_examples=40)  # a busy machine is no failure


def minor_units(amount: Money) -> int:
    """Return the whole minor units of an amount that has no others."""
    scaled = Fraction(amount.amount) * 10 ** minor_digits(amount.currency)
    assert scaled.denominator == 1
    return int(scaled)


@unhurried
@given(quote_inputs())
def test_the_total_is_the_sum_of_the_lines(inputs: QuoteInputs) -> None:
    found = quote(inputs)
    taxes = [minor_units(line.amount) for line in found.lines if line.type == LineType.TAX]
    assert minor_units(found.total) == sum(minor_units(line.amount) for line in found.lines)
    assert minor_units(found.tax) == sum(taxes)
    assert minor_units(found.subtotal) == minor_units(found.total) - sum(taxes)


@unhurried
@given(quote_inputs())
def test_no_quote_is_below_zero(inputs: QuoteInputs) -> None:
    assert quote(inputs).subtotal >= aud("0")


@unhurried
@given(quote_inputs())
def test_the_steps_of_a_line_come_to_its_amount(inputs: QuoteInputs) -> None:
    for line in quote(inputs).lines:
        for step in (*line.basis, *line.charges):
            # A quotient that doesn't end is kept to 100 digits.
            assert abs(evaluate(step) - Fraction(step.result)) * 10**60 < 1
        exact = sum((evaluate(step) for step in line.charges), Fraction(0))
        assert Fraction(line.amount.amount) == round_half_up(exact, 2)


@unhurried
@given(quote_inputs())
def test_every_usage_is_in_a_line(inputs: QuoteInputs) -> None:
    used: dict[str, Fraction] = {}
    for part in inputs.segments:
        for kind, quantity in part.usage.items():
            used[kind] = used.get(kind, Fraction(0)) + Fraction(quantity)
    shown = dict.fromkeys(used, Fraction(0))
    for line in quote(inputs).lines:
        if line.code in shown and line.used is not None:
            shown[line.code] += Fraction(line.used)
    assert shown == used


@unhurried
@given(quote_inputs(), st.integers(1, 6), st.sampled_from([decimal.ROUND_UP, decimal.ROUND_FLOOR]))
def test_the_same_inputs_give_the_same_bytes_in_any_context(
    inputs: QuoteInputs, digits: int, rounding: str
) -> None:
    expected = canonical.encode(quote(inputs))
    with decimal.localcontext(decimal.Context(prec=digits, rounding=rounding)):
        assert canonical.encode(quote(inputs)) == expected


@unhurried
@given(quote_inputs())
def test_the_order_in_which_segments_and_kinds_are_given_means_nothing(inputs: QuoteInputs) -> None:
    turned = [
        replace(part, usage=dict(list(part.usage.items())[::-1]), addons=part.addons[::-1])
        for part in inputs.segments
    ]
    assert canonical.encode(quote(replace(inputs, segments=tuple(turned[::-1])))) == canonical.encode(
        quote(inputs)
    )


@st.composite
def cut_inputs(draw: st.DrawFn) -> tuple[QuoteInputs, QuoteInputs]:
    """Draw inputs, and the same with one segment cut in two that share its usage."""
    inputs = draw(quote_inputs())
    long = [part for part in inputs.segments if part.days.days > 1]
    if not long:
        return inputs, inputs
    part = draw(st.sampled_from(long))
    first_days = list(part.days)[draw(st.integers(1, part.days.days - 1))]
    days, rest = part.days.split(first_days)
    share = draw(st.integers(0, 100))
    early = {
        kind: (quantity * share / 100).quantize(Decimal("0.000001")) for kind, quantity in part.usage.items()
    }
    late = {kind: quantity - early[kind] for kind, quantity in part.usage.items()}
    cut = (replace(part, days=days, usage=early), replace(part, days=rest, usage=late))
    others = tuple(other for other in inputs.segments if other is not part)
    return inputs, replace(inputs, segments=(*others, *cut))


@unhurried
@given(cut_inputs())
def test_cutting_a_segment_changes_nothing(both: tuple[QuoteInputs, QuoteInputs]) -> None:
    whole, cut = both
    assert canonical.encode(quote(cut)) == canonical.encode(quote(whole))


@unhurried
@given(quote_inputs(DAILY, most_discounts=0), st.data())
def test_the_fees_of_a_month_are_those_of_its_parts(inputs: QuoteInputs, data: st.DataObject) -> None:
    """One version and its add-ons for the month cost what they cost in any unbroken parts of it."""
    if not inputs.segments:
        return
    part = replace(inputs.segments[0], days=inputs.period, usage={})
    days = data.draw(st.sets(st.sampled_from(list(inputs.period)), max_size=6))
    fees = [
        minor_units(line.amount)
        for days_of_part in inputs.period.split(*days)
        for line in _fees(inputs, replace(part, days=days_of_part))
    ]
    assert sum(fees) == sum(
        minor_units(price) for price in (part.terms.base_price, *(a.price for a in part.addons))
    )


def _fees(inputs: QuoteInputs, part: Segment) -> list[QuoteLine]:
    found = quote(replace(inputs, segments=(part,), discounts=()))
    return [line for line in found.lines if line.type in FEES]


@unhurried
@given(
    quote_inputs(price=rising_models, most_discounts=0), st.sampled_from(KINDS), st.integers(0, 3), quantities
)
def test_more_usage_never_costs_less(inputs: QuoteInputs, kind: str, which: int, more: Decimal) -> None:
    if not inputs.segments:
        return
    part = inputs.segments[which % len(inputs.segments)]
    used = part.usage.get(kind, Decimal(0))
    raised = replace(part, usage={**part.usage, kind: min(used + more, Decimal(10**17))})
    others = tuple(other for other in inputs.segments if other is not part)
    assert quote(inputs).total <= quote(replace(inputs, segments=(*others, raised))).total


def test_under_volume_tiers_more_usage_may_cost_less() -> None:
    terms = plan("0", item("dns_zones", "0", volume(("10", "2", "0"), (None, "1", "0"))))
    costs = [quote_of(segment(JUNE, terms, dns_zones=used)).total for used in ("10", "11")]
    assert costs == [aud("20"), aud("11")]


@unhurried
@given(tier_lists(), quantities)
def test_graduated_is_the_sum_of_what_each_tier_holds(tiers: tuple[Tier, ...], quantity: Decimal) -> None:
    expected, below = Fraction(0), Fraction(0)
    for number, tier in enumerate(tiers):
        end = Fraction(quantity) if tier.up_to is None else Fraction(tier.up_to)
        held = max(min(Fraction(quantity), end) - below, Fraction(0))
        entered = number == 0 or Fraction(quantity) > below
        expected += held * Fraction(tier.unit_price.amount)
        expected += Fraction(tier.flat_fee.amount) if entered else 0
        below = end
    charges = rate_graduated(quantity, GraduatedPrice(tiers=tiers))
    assert sum((Fraction(step.result) for step in charges), Fraction(0)) == expected


@unhurried
@given(quote_inputs())
def test_the_canonical_form_reads_back_to_the_same_bytes(inputs: QuoteInputs) -> None:
    found = quote(inputs)
    read_inputs = canonical.decode(canonical.encode(inputs), QuoteInputs)
    read_quote = canonical.decode(canonical.encode(found), Quote)
    assert (read_inputs, read_quote) == (inputs, found)
    assert canonical.digest(read_inputs) == canonical.digest(inputs)
    assert canonical.encode(quote(read_inputs)) == canonical.encode(read_quote)
