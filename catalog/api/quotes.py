"""A quote as JSON: the one shape of every endpoint that answers one, those of the apps above too.

Amounts are in minor units, as whole numbers; quantities, and prices that may be parts of a minor unit, are
decimals as strings. A step explains in major units of the currency, as its formula has them.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from arcadia_cloud.kernel.money import exact_text, minor_digits
from arcadia_cloud.kernel.periods import Period
from catalog.values.lines import LineType, Quote, QuoteLine, Step, WarningCode


class PeriodSerializer(serializers.Serializer[Any]):
    """The days from `start` until the day before `end`."""

    start = serializers.DateField()
    end = serializers.DateField()


class StepSerializer(serializers.Serializer[Any]):
    """One calculation: `formula` over `inputs` is `result`. Money is in major units of the currency."""

    rule = serializers.CharField(help_text="The rule that was applied.")
    formula = serializers.CharField(
        help_text="Arithmetic, with `min`, `max`, `ceil` and `round` (half up, to so many places)."
    )
    inputs = serializers.DictField(child=serializers.CharField(), help_text="The formula's figures, by name.")
    result = serializers.CharField()
    source = serializers.CharField(  # type: ignore[assignment]  # a field of the answer, not the option
        allow_blank=True, help_text="The version or add-on that a quantity is of; else empty."
    )
    text = serializers.CharField(help_text="All of it on one line.")


class QuoteLineSerializer(serializers.Serializer[Any]):
    """The price of one thing, with the reasons."""

    type = serializers.ChoiceField(choices=LineType.choices)
    code = serializers.CharField(help_text="Of the plan, add-on, billing kind, discount or tax.")
    amount_cents = serializers.IntegerField(help_text="Rounded once, half up; a reduction is negative.")
    days = PeriodSerializer(many=True, help_text="The days that it is for.")
    versions = serializers.ListField(
        child=serializers.CharField(), help_text="The plan versions whose terms were applied, as `studio/1`."
    )
    used = serializers.CharField(allow_null=True, help_text="Null where the line is about no quantity.")
    included = serializers.CharField(allow_null=True, help_text="By the plan and the add-ons.")
    overage = serializers.CharField(allow_null=True, help_text="What is charged.")
    unit = serializers.CharField(allow_null=True, help_text="The quantity that one price buys.")
    price_cents = serializers.CharField(
        allow_null=True,
        help_text="Of a unit, or of a whole period: a decimal, maybe of a part of a cent. Null for tiers.",
    )
    basis = StepSerializer(many=True, help_text="The steps that came to the quantities.")
    charges = StepSerializer(many=True, help_text="The steps whose results sum to the amount.")
    warnings = serializers.ListField(child=serializers.ChoiceField(choices=WarningCode.choices))


class QuoteWarningSerializer(serializers.Serializer[Any]):
    """A reason to look twice at a line."""

    code = serializers.ChoiceField(choices=WarningCode.choices)
    kind = serializers.CharField(help_text="The billing kind of its line.")
    message = serializers.CharField()


class QuoteSerializer(serializers.Serializer[Any]):
    """The price of a period. `total_cents` is the sum of all lines, `subtotal_cents` of all but the taxes."""

    period = PeriodSerializer()
    currency = serializers.CharField(help_text="Of every amount: ISO 4217.")
    lines = QuoteLineSerializer(many=True)
    subtotal_cents = serializers.IntegerField()
    tax_cents = serializers.IntegerField()
    total_cents = serializers.IntegerField()
    warnings = QuoteWarningSerializer(many=True)


def present_quote(quote: Quote) -> dict[str, Any]:
    """Return a quote as QuoteSerializer describes it, without the cost of a serializer a line."""
    return {
        "period": _present_period(quote.period),
        "currency": quote.currency,
        "lines": [_present_line(line) for line in quote.lines],
        "subtotal_cents": quote.subtotal.cents,
        "tax_cents": quote.tax.cents,
        "total_cents": quote.total.cents,
        "warnings": [
            {"code": str(warning.code), "kind": warning.kind, "message": str(warning.code.label)}
            for warning in quote.warnings
        ],
    }


def _present_line(line: QuoteLine) -> dict[str, Any]:
    return {
        "type": str(line.type),
        "code": line.code,
        "amount_cents": line.amount.cents,
        "days": [_present_period(days) for days in line.days],
        "versions": list(line.versions),
        "used": decimal_text(line.used),
        "included": decimal_text(line.included),
        "overage": decimal_text(line.overage),
        "unit": decimal_text(line.unit),
        # Not `.cents`: a price may have parts of a cent, and they are shown.
        "price_cents": None
        if line.price is None
        else decimal_text(line.price.amount.scaleb(minor_digits(line.price.currency))),
        "basis": _present_steps(line.basis),
        "charges": _present_steps(line.charges),
        "warnings": [str(code) for code in line.warnings],
    }


def _present_steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    return [
        {
            "rule": step.rule,
            "formula": step.formula,
            "inputs": {name: decimal_text(value) for name, value in step.inputs.items()},
            "result": decimal_text(step.result),
            "source": step.source,
            "text": str(step),
        }
        for step in steps
    ]


def _present_period(period: Period) -> dict[str, str]:
    return {"start": period.start.isoformat(), "end": period.end.isoformat()}


def decimal_text(value: Decimal | None) -> str | None:
    """Return a decimal as a string without an exponent or trailing zeros."""
    return None if value is None else exact_text(value, places=0)
