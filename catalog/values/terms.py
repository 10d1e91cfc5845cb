"""The frozen values that a quote is made from: no row, no clock, no float.

Money stands in major units. A value refuses what makes no sense (ValueError; TypeError for what isn't a
Decimal), and puts its parts in order, so that equal values are equal byte for byte in their canonical form.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import groupby, pairwise
from typing import Final, TypeAlias

import msgspec
from django.db.models import TextChoices
from msgspec.structs import force_setattr

from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period
from catalog.values.checks import (
    require_currency,
    require_minor_units,
    require_once,
    require_price,
    require_quantity,
)
from catalog.values.lines import Step

ALL_CHARGES: Final = "all"
BASE_FEES: Final = "base"
_NONE: Final = Decimal(0)
_WHOLE: Final = Decimal(100)


class Proration(TextChoices):
    """Rules for a period that a subscription doesn't fill, or fills with several versions."""

    NONE = "none", "In full"
    DAILY = "daily", "By days"


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a quantity up to and including `up_to`: a price per unit, and a flat fee once entered."""

    up_to: Decimal | None = None
    unit_price: Money
    flat_fee: Money

    def __post_init__(self) -> None:
        if self.up_to is not None:
            require_quantity("the end of a tier", self.up_to, positive=True)
        require_price("a tier's unit price", self.unit_price)
        require_price("a tier's flat fee", self.flat_fee)


class PerUnitPrice(msgspec.Struct, frozen=True, kw_only=True, tag="per_unit", tag_field="model"):
    """`price` buys `unit`, and a part of it pro rata."""

    unit: Decimal = Decimal(1)
    price: Money

    def __post_init__(self) -> None:
        require_quantity("a unit", self.unit, positive=True)
        require_price("a unit's price", self.price)


class PackagePrice(msgspec.Struct, frozen=True, kw_only=True, tag="package", tag_field="model"):
    """`price` buys `unit`; a package that is started is due in full."""

    unit: Decimal
    price: Money

    def __post_init__(self) -> None:
        require_quantity("a package", self.unit, positive=True)
        require_price("a package's price", self.price)


class GraduatedPrice(msgspec.Struct, frozen=True, kw_only=True, tag="graduated", tag_field="model"):
    """Each part of a quantity has the price of the tier that it falls into."""

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        force_setattr(self, "tiers", _checked_tiers(self.tiers))


class VolumePrice(msgspec.Struct, frozen=True, kw_only=True, tag="volume", tag_field="model"):
    """All of a quantity has the price of the tier that its end falls into."""

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        force_setattr(self, "tiers", _checked_tiers(self.tiers))


PriceModel: TypeAlias = PerUnitPrice | PackagePrice | GraduatedPrice | VolumePrice


class ItemTerms(msgspec.Struct, frozen=True, kw_only=True):
    """A plan's terms for one billing kind.

    `included` is the allowance of a whole period. Without a `price` the resource prices decide. `hard_cap`
    limits the whole usage. `minimum` and `maximum` limit what the overage costs.
    """

    kind: str
    included: Decimal = _NONE
    price: PriceModel | None = None
    hard_cap: Decimal | None = None
    minimum: Money | None = None
    maximum: Money | None = None

    def __post_init__(self) -> None:
        if self.kind in {"", ALL_CHARGES, BASE_FEES}:
            raise ValueError(f"{self.kind!r} is no billing kind")
        require_quantity("an allowance", self.included)
        if self.hard_cap is not None:
            require_quantity("a hard cap", self.hard_cap)
        for limit in (self.minimum, self.maximum):
            if limit is not None:
                require_minor_units("a minimum or maximum spend", limit)
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"{self.kind}: the minimum {self.minimum} is over the maximum {self.maximum}")

    @property
    def money(self) -> Iterator[Money]:
        """Every amount of money in it."""
        if isinstance(self.price, PerUnitPrice | PackagePrice):
            yield self.price.price
        elif self.price is not None:
            for tier in self.price.tiers:
                yield from (tier.unit_price, tier.flat_fee)
        yield from (limit for limit in (self.minimum, self.maximum) if limit is not None)

    def same_but_allowance(self, other: "ItemTerms") -> bool:
        """Return whether a unit of overage costs the same under both."""
        return self is other or msgspec.structs.replace(self, included=other.included) == other


class PlanTerms(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A version of a plan. `base_price` is the fee of one whole period; `items` has a kind once at most."""

    plan: str
    version: int
    base_price: Money
    proration: Proration = Proration.NONE
    items: tuple[ItemTerms, ...] = ()

    def __post_init__(self) -> None:
        require_minor_units("a base price", self.base_price)
        # Sorted once here: rows come in any order, and equal terms have equal bytes.
        force_setattr(self, "items", tuple(sorted(self.items, key=lambda item: item.kind)))
        require_once(f"{self.plan}: an item of", (item.kind for item in self.items))
        for item in self.items:
            require_currency(self.base_price.currency, item.money)

    @cached_property
    def name(self) -> str:
        """The plan and the number of the version, as lines name them."""
        return f"{self.plan}/{self.version}"

    @cached_property
    def by_kind(self) -> Mapping[str, ItemTerms]:
        """The items by their billing kind, in order of the kinds."""
        return {item.kind: item for item in self.items}

    @cached_property
    def allowances(self) -> Mapping[str, tuple[Step, ...]]:
        """The steps that allow what a whole period includes, by kind: the same in every quote."""
        return {
            item.kind: (Step.in_full("quantity", item.included, self.name),) if item.included else ()
            for item in self.items
        }


class AddonTerms(msgspec.Struct, frozen=True, kw_only=True):
    """An add-on as it was when it was attached: `price` buys `quantity` of a kind for one whole period."""

    code: str
    kind: str
    quantity: Decimal
    price: Money

    def __post_init__(self) -> None:
        require_quantity("an add-on's quantity", self.quantity)
        require_minor_units("an add-on's price", self.price)


class DatedTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Terms in force from `valid_from` until the day before `valid_to`; without an end while it is None."""

    valid_from: date
    valid_to: date | None = None

    def __post_init__(self) -> None:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"terms end after they begin: {self.valid_from} to {self.valid_to}")

    def is_in_force(self, on: date) -> bool:
        """Return whether they are in force on that day."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)

    def days_within(self, period: Period) -> Period | None:
        """Return the days of the period on which they are in force; None where there are none."""
        end = self.valid_to or date.max
        # From the last day that there is on: a period has one day at least.
        return period.overlap(Period(self.valid_from, end)) if self.valid_from < end else None

    def changes_within(self, period: Period) -> bool:
        """Return whether they begin or end after the first day of the period, and within it."""
        return any(
            bound is not None and period.start < bound < period.end
            for bound in (self.valid_from, self.valid_to)
        )


class ResourceRate(DatedTerms, frozen=True, kw_only=True):
    """A dated price, for kinds that a plan doesn't price."""

    kind: str
    price: PerUnitPrice


class TaxTerms(DatedTerms, frozen=True, kw_only=True):
    """A dated tax on amounts of one currency."""

    code: str
    currency: str
    percent: Decimal

    def __post_init__(self) -> None:
        DatedTerms.__post_init__(self)
        require_quantity("a tax rate", self.percent)


class PriceBook(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The dated prices and taxes that aren't a plan's. Of one kind and currency, or tax, no two overlap."""

    resource_rates: tuple[ResourceRate, ...] = ()
    tax_rates: tuple[TaxTerms, ...] = ()

    def __post_init__(self) -> None:
        rates = sorted(self.resource_rates, key=lambda rate: (*_subject(rate), rate.valid_from))
        taxes = sorted(self.tax_rates, key=lambda tax: (*_subject(tax), tax.valid_from))
        neighbours: list[tuple[ResourceRate | TaxTerms, ResourceRate | TaxTerms]]
        neighbours = [*pairwise(rates), *pairwise(taxes)]
        for one, next_one in neighbours:
            if _subject(one) == _subject(next_one) and one.is_in_force(next_one.valid_from):
                raise ValueError(f"{' in '.join(_subject(one))} has two rates on {next_one.valid_from}")
        force_setattr(self, "resource_rates", tuple(rates))
        force_setattr(self, "tax_rates", tuple(taxes))

    def resource_rates_of(self, kind: str, currency: str) -> tuple[ResourceRate, ...]:
        """Return the prices of a kind, the earliest first."""
        return self._by_subject.get((kind, currency), ())

    @cached_property
    def _by_subject(self) -> Mapping[tuple[str, str], tuple[ResourceRate, ...]]:
        return {subject: tuple(rates) for subject, rates in groupby(self.resource_rates, key=_subject)}


class Discount(DatedTerms, frozen=True, kw_only=True):
    """A dated reduction by a percentage, or by an amount a period.

    `scope` is `all`, `base` (the base fees) or one billing kind (its usage).
    """

    code: str
    percent: Decimal | None = None
    amount: Money | None = None
    scope: str = ALL_CHARGES
    reason: str = ""

    def __post_init__(self) -> None:
        DatedTerms.__post_init__(self)
        if (self.percent is None) == (self.amount is None):
            raise ValueError(f"{self.code}: a discount is a percentage or an amount, one of the two")
        if self.percent is not None:
            require_quantity("a discount's percentage", self.percent, positive=True)
            if self.percent > _WHOLE:
                raise ValueError(f"{self.code}: a discount is at most 100 %, not {self.percent} %")
        if self.amount is not None:
            require_minor_units("a discount", self.amount)


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """An unbroken part of a period under one version and the same add-ons, with the usage of its days."""

    days: Period
    terms: PlanTerms
    addons: tuple[AddonTerms, ...] = ()
    usage: Mapping[str, Decimal] = {}

    def __post_init__(self) -> None:
        force_setattr(self, "addons", tuple(sorted(self.addons, key=lambda addon: addon.code)))
        if len(self.addons) > 1:
            require_once("add-on", (addon.code for addon in self.addons))
        for kind, quantity in self.usage.items():
            require_quantity(kind, quantity)

    def under(self, terms: PlanTerms) -> "Segment":
        """Return the same days, add-ons and usage under other terms."""
        # A copy, past the checks: what it keeps has been through them.
        made = copy(self)
        force_setattr(made, "terms", terms)
        return made

    def joined(self, later: "Segment") -> "Segment":
        """Return this and the one that follows it as one, under the terms and the add-ons of this."""
        usage = dict(self.usage)
        for kind, quantity in later.usage.items():
            usage[kind] = usage.get(kind, _NONE) + quantity
        days = Period(self.days.start, later.days.end)
        return Segment(days=days, terms=self.terms, addons=self.addons, usage=usage)


class QuoteInputs(msgspec.Struct, frozen=True, kw_only=True):
    """All that a quote depends on.

    `segments` don't overlap; days of the period that none of them has, before a start, after an end or in a
    pause, are neither charged nor metered. `discounts` apply in the order in which they were given.
    """

    period: Period
    currency: str
    segments: tuple[Segment, ...]
    book: PriceBook
    discounts: tuple[Discount, ...] = ()

    def __post_init__(self) -> None:
        force_setattr(self, "segments", tuple(sorted(self.segments, key=lambda segment: segment.days)))
        force_setattr(self, "discounts", tuple(self.discounts))
        # Overlaps are looked for among neighbours only: the segments are in order by now.
        for segment in self.segments:
            if not self.period.contains(segment.days):
                raise ValueError(f"a segment from {segment.days.start} isn't within the period")
            require_currency(self.currency, [segment.terms.base_price, *(a.price for a in segment.addons)])
        for one, next_one in pairwise(self.segments):
            if one.days.overlap(next_one.days):
                raise ValueError(f"two segments have {next_one.days.start}")
            if one.terms.name == next_one.terms.name and one.terms != next_one.terms:
                raise ValueError(f"{one.terms.name} has two sets of terms")
        require_currency(self.currency, (d.amount for d in self.discounts if d.amount is not None))

    def under(self, terms: PlanTerms) -> "QuoteInputs":
        """Return them as they would be under one version: a change of versions parts none of its segments."""
        require_currency(self.currency, [terms.base_price])
        segments: list[Segment] = []
        for segment in self.segments:
            last = segments[-1] if segments else None
            if last is not None and last.days.end == segment.days.start and last.addons == segment.addons:
                segments[-1] = last.joined(segment)
            else:
                segments.append(segment.under(terms))
        made = copy(self)  # in order, and within the period, as it was
        force_setattr(made, "segments", tuple(segments))
        return made


def _subject(rate: ResourceRate | TaxTerms) -> tuple[str, str]:
    if isinstance(rate, TaxTerms):
        return rate.code, rate.currency
    return rate.kind, rate.price.price.currency


def _checked_tiers(tiers: Iterable[Tier]) -> tuple[Tier, ...]:
    """Return the tiers if they cover every quantity once: rising ends, and the last without one."""
    found = tuple(tiers)
    if not found or found[-1].up_to is not None:
        raise ValueError("the last tier has no end")
    ends = [tier.up_to for tier in found[:-1]]
    for end, next_end in pairwise([_NONE, *ends]):
        if end is None or next_end is None or next_end <= end:
            raise ValueError("each tier but the last ends after the one before")
    return found
