"""Exact amounts of money, and the one way to show them.

An amount is kept in major units (USD 0.00744 is under a cent) and never rounded on its way. Rounding happens
once, half up, where a charge or a price is stored: `rounded` and `cents`. A float is refused everywhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from functools import total_ordering
from typing import Final, Self, overload

from arcadia_cloud.kernel.errors import DomainError

UNKNOWN: Final = "-"
_FAULTS: Final = (InvalidOperation, DivisionByZero, Overflow)
# Python's default context rounds every sum and product to 28 digits, silently. This one raises instead.
_EXACT: Final = Context(prec=100, traps=[*_FAULTS, Inexact])
_ROUNDING: Final = Context(prec=100, rounding=ROUND_HALF_UP, traps=[*_FAULTS])

# Digits of the minor unit where there aren't two. Source: ISO 4217, list one.
_MINOR_DIGITS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_SYMBOLS: Final = {"USD": "$"}


class CurrencyMismatch(DomainError):
    """Amounts of two currencies can't be added or compared."""

    code = "currency_mismatch"


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency, in major units.

    Raises TypeError for an amount that is no Decimal, ValueError for one that isn't finite and for a currency
    that is no ISO 4217 code.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"an amount of money is a Decimal, not {type(self.amount).__name__}")
        if not self.amount.is_finite():
            raise ValueError(f"an amount of money is finite, not {self.amount}")
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isupper()):  # noqa: PLR2004
            raise ValueError(f"a currency is an ISO 4217 code such as USD, not {self.currency!r}")

    @overload
    @classmethod
    def from_cents(cls, cents: int, currency: str) -> Self: ...
    @overload
    @classmethod
    def from_cents(cls, cents: None, currency: str) -> None: ...
    @classmethod
    def from_cents(cls, cents: int | None, currency: str) -> Self | None:
        """Convert from minor units of the currency; None, an unknown amount, stays None."""
        if cents is None:
            return None
        if not isinstance(cents, int):
            raise TypeError(f"minor units are an int, not {type(cents).__name__}")
        return cls(Decimal(cents).scaleb(-minor_digits(currency), context=_EXACT), currency)

    @property
    def cents(self) -> int:
        """The amount in minor units of its currency, half a unit rounded up (away from zero)."""
        return int(self.rounded().amount.scaleb(minor_digits(self.currency), context=_EXACT))

    def rounded(self) -> Self:
        """Round half up (away from zero) to the minor unit. Called once, where a charge is stored."""
        unit = Decimal(1).scaleb(-minor_digits(self.currency))
        return type(self)(self.amount.quantize(unit, context=_ROUNDING), self.currency)

    def with_amount(self, amount: Decimal) -> Self:
        """Return another amount of the same currency, unchecked: one that exact arithmetic came to."""
        made = _NEW(type(self))
        # Past the frozen class and its checks, which would be half the cost of a quote's many amounts.
        _SET_AMOUNT(made, amount)
        _SET_CURRENCY(made, self.currency)
        return made

    def times(self, quantity: Decimal | int) -> Self:
        """Multiply, unrounded."""
        if not isinstance(quantity, Decimal | int):
            raise TypeError(f"money is multiplied by a Decimal, not {type(quantity).__name__}")
        return type(self)(_EXACT.multiply(self.amount, quantity), self.currency)

    def __add__(self, other: "Money") -> Self:
        return type(self)(_EXACT.add(self.amount, self._amount_of(other)), self.currency)

    def __sub__(self, other: "Money") -> Self:
        return type(self)(_EXACT.subtract(self.amount, self._amount_of(other)), self.currency)

    def __neg__(self) -> Self:
        return type(self)(_EXACT.minus(self.amount), self.currency)

    def __abs__(self) -> Self:
        return type(self)(_EXACT.abs(self.amount), self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._amount_of(other)

    def __str__(self) -> str:
        return format_money(self, exact=True)

    def _amount_of(self, other: "Money") -> Decimal:
        if not isinstance(other, Money):
            raise TypeError(f"money goes with money, not with {type(other).__name__}")
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} don't go together")
        return other.amount


_NEW: Final = object.__new__
_SET_AMOUNT: Final = Money.__dict__["amount"].__set__
_SET_CURRENCY: Final = Money.__dict__["currency"].__set__


def minor_digits(currency: str) -> int:
    """Return how many decimal places the currency's minor unit has."""
    return _MINOR_DIGITS.get(currency, 2)


def sum_money(amounts: Iterable[Money], currency: str | None = None) -> Money:
    """Add up amounts of one currency, exactly.

    Raises CurrencyMismatch where they have two, or another than `currency`; ValueError for an empty sum
    without a `currency`.
    """
    total = None if currency is None else Money(Decimal(0), currency)
    for amount in amounts:
        total = amount if total is None else total + amount
    if total is None:
        raise ValueError("the sum of no amounts needs a currency")
    return total


def format_money(money: Money | None, *, exact: bool = False) -> str:
    """Format for a reader, the sign first: `-$1,779.55`, `EUR 12.30`; a dash where the amount is unknown.

    Rounded to the minor unit, or with every digit that it has where `exact`.
    """
    if money is None:
        return UNKNOWN
    shown = money if exact else money.rounded()
    text = exact_text(abs(shown).amount, places=minor_digits(money.currency))
    whole, point, fraction = text.partition(".")
    sign = "-" if shown.amount < 0 else ""
    return f"{sign}{_SYMBOLS.get(money.currency, f'{money.currency} ')}{int(whole):,}{point}{fraction}"


def format_change(change: Money) -> str:
    """Format what is added or taken, with its sign: `+$24.00`, `-$6.00`; `no change` for nothing."""
    if not change.amount:
        return "no change"
    return f"{'+' if change.amount > 0 else ''}{format_money(change)}"


def exact_text(amount: Decimal, *, places: int = 2) -> str:
    """Format for a machine: at least so many decimal places, more where it has more, and nothing rounded."""
    whole, _, fraction = f"{amount:f}".partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    return f"{whole}.{fraction}" if fraction else whole
