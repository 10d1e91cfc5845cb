"""The frozen values that a quote is made of: its lines, each with the steps that came to its amount."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Self

import msgspec
from django.db.models import TextChoices

from arcadia_cloud.kernel.money import Money, exact_text
from arcadia_cloud.kernel.periods import Period

_NAME: Final = re.compile(r"[a-z_]+\b(?!\()")


class LineType(TextChoices):
    """Kinds of lines, in the order in which a quote has them."""

    BASE_FEE = "base_fee", "Base fee"
    ADDON = "addon", "Add-on"
    USAGE = "usage", "Usage"
    UNPRICED = "unpriced", "Usage without a price"
    MINIMUM = "minimum", "Minimum spend"
    MAXIMUM = "maximum", "Maximum spend"
    DISCOUNT = "discount", "Discount"
    TAX = "tax", "Tax"


class WarningCode(TextChoices):
    """Reasons for a reader to look twice at a line."""

    UNPRICED = "unpriced", "There is no price for what was used over the allowance"
    OVER_CAP = "over_cap", "More was used than the hard cap allows; it isn't charged"
    PRICE_CHANGE = (
        "price_change",
        "The price changed in the days of this usage; that of the first day was taken",
    )


class Step(msgspec.Struct, frozen=True, gc=False):
    """One calculation: `formula` over `inputs` is `result`. Money is in major units of the quote's currency.

    A formula has the operators of arithmetic, `min`, `max`, `ceil` and `round`, which rounds half up to so
    many decimal places.
    """

    rule: str
    formula: str
    inputs: Mapping[str, Decimal]
    result: Decimal
    source: str = ""

    @classmethod
    def in_full(cls, name: str, amount: Decimal, source: str = "") -> Self:
        """Return the step that takes all of an amount: no rounded share, and it reads better so."""
        return cls("in_full", name, {name: amount}, amount, source)

    def __str__(self) -> str:
        figures = _NAME.sub(lambda name: exact_text(self.inputs[name.group()], places=0), self.formula)
        return f"{self.formula} = {figures} = {exact_text(self.result, places=0)}"


class QuoteLine(msgspec.Struct, frozen=True, gc=False):
    """The price of one thing in its `days`, with the reasons.

    `basis` are the steps that come to quantities and to what a discount may take; `charges` those whose
    results sum to the amount, which is rounded once, half up. `code` is of the plan, add-on, billing kind,
    discount or tax; `versions` are the plan versions whose terms were applied. `unit` and `price` are those
    of a single unit price; tiers stand in the charges.
    """

    type: LineType
    code: str
    amount: Money
    days: tuple[Period, ...] = ()
    versions: tuple[str, ...] = ()
    used: Decimal | None = None
    included: Decimal | None = None
    overage: Decimal | None = None
    unit: Decimal | None = None
    price: Money | None = None
    basis: tuple[Step, ...] = ()
    charges: tuple[Step, ...] = ()
    warnings: tuple[WarningCode, ...] = ()


class QuoteWarning(msgspec.Struct, frozen=True):
    """A warning of a line, with the line's billing kind."""

    code: WarningCode
    kind: str


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """The price of a period: `total` is the sum of all lines, `subtotal` of all but the taxes."""

    period: Period
    currency: str
    lines: tuple[QuoteLine, ...]
    subtotal: Money
    tax: Money
    total: Money

    @property
    def warnings(self) -> tuple[QuoteWarning, ...]:
        """The warnings of all lines."""
        return tuple(QuoteWarning(code, line.code) for line in self.lines for code in line.warnings)
