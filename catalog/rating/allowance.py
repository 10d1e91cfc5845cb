"""The usage that a quote charges: per kind, and per set of terms, what was used over what is included.

What was used under the same terms is rated once for the whole period, whatever else changed in it. Where two
versions price a kind differently, each rates what was used in its own days; its tiers are those of a whole
period, not scaled down, and a hard cap, a minimum and a maximum hold once for all (`whole_period.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec

from arcadia_cloud.kernel.periods import Period
from catalog.rating.exact import ZERO, add, subtract, sum_results
from catalog.rating.proration import Part, prorate_quantity, unbroken
from catalog.values.lines import Step
from catalog.values.terms import ItemTerms, PriceModel, QuoteInputs, ResourceRate

_CAP: Final = "min(used, hard_cap)"
_OVERAGE: Final = "max(counted - included, 0)"


class Usage(msgspec.Struct, frozen=True, gc=False):
    """The usage of a kind under one set of terms, and the steps that allow a part of it.

    `price` is the plan's price of an overage, else the resource price of the usage's first day.
    """

    kind: str
    item: ItemTerms | None
    price: PriceModel | None
    used: Decimal
    days: tuple[Period, ...]
    versions: tuple[str, ...]
    allowances: tuple[Step, ...]
    price_changes: bool = False


@dataclass(slots=True)
class _Sum:
    """The usages of several parts that one set of terms prices, while they are put together."""

    item: ItemTerms | None
    rate: ResourceRate | None
    used: Decimal = ZERO
    days: list[Period] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    allowances: dict[tuple[str, Decimal], list[Period]] = field(default_factory=dict)
    price_changes: bool = False

    def is_under(self, item: ItemTerms | None, rate: ResourceRate | None) -> bool:
        """Return whether these terms price it as its own do."""
        if item is None or self.item is None:
            return item is self.item and rate == self.rate
        return rate == self.rate and self.item.same_but_allowance(item)

    def add(self, part: Part, kind: str, item: ItemTerms | None, price_changes: bool) -> None:
        """Count a part's usage and allowances with it; `item` are its own terms."""
        self.used = add(self.used, part.segment.usage.get(kind, ZERO))
        self.days.append(part.days)
        if part.terms.name not in self.versions:
            self.versions.append(part.terms.name)
        if item is not None and item.included:
            self.allowances.setdefault((part.terms.name, item.included), []).append(part.days)
        for addon in part.addons:
            if addon.kind == kind and addon.quantity:
                self.allowances.setdefault((addon.code, addon.quantity), []).append(part.days)
        self.price_changes |= price_changes

    def usage(self, kind: str, period: Period) -> Usage:
        """Return it, with the allowances by the days that each counts for."""
        steps: list[Step] = []
        for (source, quantity), days in self.allowances.items():
            steps += prorate_quantity(period, quantity, unbroken(days), source=source)
        return Usage(
            kind,
            self.item,
            _price_of(self.item, self.rate),
            self.used,
            unbroken(self.days),
            tuple(self.versions),
            tuple(steps),
            self.price_changes,
        )


def usages_of(inputs: QuoteInputs, parts: Sequence[Part]) -> list[Usage]:
    """Put the usage of the parts together by kind and terms, in order of kinds, then of time."""
    if len(parts) == 1 and parts[0].days == inputs.period:
        return _usages_of_whole_period(inputs, parts[0])
    found: dict[str, list[_Sum]] = {}
    for part in parts:
        for kind in _kinds_of(part):
            item = part.terms.by_kind.get(kind)
            rate, changes = _resource_rate(inputs, part, kind, item)
            same_kind = found.setdefault(kind, [])
            for usage in same_kind:
                if usage.is_under(item, rate):
                    break
            else:
                usage = _Sum(item, rate)
                same_kind.append(usage)
            usage.add(part, kind, item, changes)
    return [usage.usage(kind, inputs.period) for kind in sorted(found) for usage in found[kind]]


def _usages_of_whole_period(inputs: QuoteInputs, part: Part) -> list[Usage]:
    """Return the usages of a period under one version and the same add-ons: there is nothing to join.

    By far the most quotes are such. Their allowances in full are steps that the terms keep.
    """
    terms, used = part.terms, part.segment.usage
    days, versions = (part.days,), (terms.name,)
    by_kind, allowed = terms.by_kind, terms.allowances
    added: dict[str, tuple[Step, ...]] = {}
    for addon in part.addons:
        if addon.quantity:
            step = Step.in_full("quantity", addon.quantity, addon.code)
            added[addon.kind] = (*added.get(addon.kind, ()), step)
    found = []
    for kind in _kinds_of(part):
        item = by_kind.get(kind)
        if item is not None and item.price is not None:
            price: PriceModel | None = item.price
            changes = False
        else:
            rate, changes = _resource_rate(inputs, part, kind, item)
            price = _price_of(item, rate)
        allowances = allowed.get(kind, ())
        if kind in added:
            allowances = (*allowances, *added[kind])
        found.append(Usage(kind, item, price, used.get(kind, ZERO), days, versions, allowances, changes))
    return found


def _price_of(item: ItemTerms | None, rate: ResourceRate | None) -> PriceModel | None:
    if item is not None and item.price is not None:
        return item.price
    return None if rate is None else rate.price


def _kinds_of(part: Part) -> Iterable[str]:
    """Return the kinds that have a line, in order.

    Items and add-ons too: an allowance has its line though nothing was used, and a minimum is due.
    """
    own = part.terms.by_kind
    others = part.segment.usage.keys() - own
    for addon in part.addons:
        if addon.kind not in own:
            others.add(addon.kind)
    return sorted((*own, *others)) if others else own


def _resource_rate(
    inputs: QuoteInputs, part: Part, kind: str, item: ItemTerms | None
) -> tuple[ResourceRate | None, bool]:
    """Return the resource price where a plan has none, and whether it changes while something is used."""
    if item is not None and item.price is not None:
        return None, False
    rates = inputs.book.resource_rates_of(kind, inputs.currency)
    # The usage's first day, not the part's: without proration a part is stretched to before it.
    days = part.segment.days
    rate = next((rate for rate in rates if rate.is_in_force(days.start)), None)
    is_used = bool(part.segment.usage.get(kind))
    return rate, is_used and any(rate.changes_within(days) for rate in rates)


def take_allowance_off(usage: Usage) -> tuple[Decimal, Decimal, bool, tuple[Step, ...]]:
    """Limit the whole usage to the hard cap, then take off what is included.

    Returns what is included, what is left to charge, whether the cap was exceeded, and the steps. The
    allowances of the plan and of the add-ons go by the days that each counts for; the cap doesn't.
    """
    steps, item, counted, is_over = usage.allowances, usage.item, usage.used, False
    included = steps[0].result if len(steps) == 1 else sum_results(steps)
    # The cap limits all that was used, what is included as well: so it comes before the allowance.
    if item is not None and (cap := item.hard_cap) is not None and counted > cap:
        steps = (*steps, Step("hard_cap", _CAP, {"used": counted, "hard_cap": cap}, cap))
        counted, is_over = cap, True
    quantity = subtract(counted, included) if counted > included else ZERO
    step = Step("overage", _OVERAGE, {"counted": counted, "included": included}, quantity)
    return included, quantity, is_over, (*steps, step)
