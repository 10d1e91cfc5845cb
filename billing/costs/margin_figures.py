"""The figures of a month's margin: sums of what is stored, and what is known of them."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from arcadia_cloud.kernel.money import Money

_ZERO: Final = Decimal(0)
_PERCENT: Final = Context(prec=60, rounding=ROUND_HALF_UP)
_TENTH: Final = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Figures:
    """Revenue, costs and margin of something in a month, in US dollars.

    `shared` is its part of the costs without an owner. `revenues` are the quotes' sums as they are sold, by
    currency. `unpriced` resources are in no cost: it is at least this.
    """

    revenue: Decimal = _ZERO
    cost: Decimal = _ZERO
    shared: Decimal = _ZERO
    revenues: tuple[Money, ...] = ()
    unpriced: int = 0

    @property
    def margin(self) -> Decimal:
        """The rest of the revenue."""
        return self.revenue - self.cost - self.shared

    @property
    def percent(self) -> Decimal | None:
        """The margin as a part of the revenue, to a tenth, half up; None without revenue."""
        if not self.revenue:
            return None
        share = _PERCENT.divide(_PERCENT.multiply(self.margin, 100), self.revenue)
        return share.quantize(_TENTH, context=_PERCENT)

    def __add__(self, other: "Figures") -> "Figures":
        # Apart by currency: Money refuses to add two.
        sums: dict[str, Decimal] = {}
        for money in (*self.revenues, *other.revenues):
            sums[money.currency] = sums.get(money.currency, _ZERO) + money.amount
        return Figures(
            self.revenue + other.revenue,
            self.cost + other.cost,
            self.shared + other.shared,
            tuple(Money(amount, currency) for currency, amount in sorted(sums.items())),
            self.unpriced + other.unpriced,
        )


@dataclass(frozen=True, slots=True)
class KnownFigures:
    """Figures as they may be shown: None is what isn't known, which a sum of nothing stored would call 0."""

    revenue: Decimal | None = None
    cost: Decimal | None = None
    shared: Decimal | None = None
    margin: Decimal | None = None
    percent: Decimal | None = None
    revenues: tuple[Money, ...] = ()
    unpriced: int = 0
