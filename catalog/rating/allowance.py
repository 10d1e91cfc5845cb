"""The usage that a quote charges: per kind, and per set of terms, what was used over what is included.

What was used under the same terms is rated once for the whole period, whatever else changed in it. Where two
versions price a kind differently, each rates what was used in its own days; its tiers, hard cap, minimum and
maximum are those of a whole period, not scaled down.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from arcadia_cloud.kernel.periods import Period
from catalog.rating.exact import ZERO, add, subtract, sum_results
from catalog.rating.proration import Part, prorate_quantity, unbroken
from catalog.values.lines import Step
from catalog.values.terms import ItemTerms, PriceModel, QuoteInputs, ResourceRate

_CAP: Final = "min(used, hard_cap)"
_OVERAGE: Final = "max(counted - included, 0)"


@dataclass(slots=True)
class Usage:
    """The usage of a kind under one set of terms, and the allowances that go with it, by their source."""

    kind: str
    item: ItemTerms | None
    rate: ResourceRate | None
    used: Decimal = ZERO
    days: list[Period] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    allowances: dict[tuple[str, Decimal], list[Period]] = field(default_factory=dict)
    price_changes: bool = False

    @property
    def price(self) -> PriceModel | None:
        """The plan's price of an overage, else the resource price of its first day."""
        if self.item is not None and self.item.price is not None:
            return self.item.price
        return None if self.rate is None else self.rate.price

    def is_under(self, item: ItemTerms | None, rate: ResourceRate | None) -> bool:
        """Return whether these terms price it as its own do."""
        if item is None or self.item is None:
            return item is self.item and rate == self.rate
        return rate == self.rate and self.item.same_but_allowance(item)

    def add(self, part: Part, used: Decimal, item: ItemTerms | None) -> None:
        """Count a part's usage and allowances with it; `item` are its own terms."""
        self.used = add(self.used, used)
        self.days.append(part.days)
        if part.terms.name not in self.versions:
            self.versions.append(part.terms.name)
        if item is not None and item.included:
            self.allowances.setdefault((part.terms.name, item.included), []).append(part.days)
        for addon in part.addons:
            if addon.kind == self.kind and addon.quantity:
                self.allowances.setdefault((addon.code, addon.quantity), []).append(part.days)


class Overage(NamedTuple):
    """The part of a usage that is to be charged, and the steps that came to it."""

    included: Decimal
    quantity: Decimal
    over_cap: bool
    steps: tuple[Step, ...]


def usages_of(inputs: QuoteInputs, parts: Iterable[Part]) -> list[Usage]:
    """Put the usage of the parts together by kind and terms, in order of kinds, then of time."""
    found: dict[str, list[Usage]] = {}
    for part in parts:
        used = part.segment.usage
        # Items and add-ons too: an allowance has its line though nothing was used, and a minimum is due.
        for kind in {*part.terms.by_kind, *used, *(addon.kind for addon in part.addons)}:
            item = part.terms.by_kind.get(kind)
            rates: tuple[ResourceRate, ...] = ()
            rate = None
            if item is None or item.price is None:
                rates = inputs.book.resource_rates_of(kind, inputs.currency)
                # The usage's first day, not the part's: without proration a part is stretched to before it.
                rate = next((rate for rate in rates if rate.is_in_force(part.segment.days.start)), None)
            same_kind = found.setdefault(kind, [])
            for usage in same_kind:
                if usage.is_under(item, rate):
                    break
            else:
                usage = Usage(kind, item, rate)
                same_kind.append(usage)
            usage.add(part, used.get(kind, ZERO), item)
            if rates and used.get(kind):
                usage.price_changes |= any(rate.changes_within(part.segment.days) for rate in rates)
    return [usage for kind in sorted(found) for usage in found[kind]]


def take_allowance_off(usage: Usage, period: Period) -> Overage:
    """Limit the whole usage to the hard cap, then take off what is included.

    The allowances of the plan and of the add-ons go by the days that each counts for; the cap doesn't.
    """
    steps: list[Step] = []
    for (source, quantity), days in usage.allowances.items():
        steps += prorate_quantity(period, quantity, unbroken(days), source=source)
    included = sum_results(steps)
    # The cap limits all that was used, what is included as well: so it comes before the allowance.
    cap = None if usage.item is None else usage.item.hard_cap
    counted = usage.used
    if cap is not None and usage.used > cap:
        counted = cap
        steps.append(
            Step(rule="hard_cap", formula=_CAP, inputs={"used": usage.used, "hard_cap": cap}, result=cap)
        )
    quantity = subtract(counted, included) if counted > included else ZERO
    inputs = {"counted": counted, "included": included}
    steps.append(Step(rule="overage", formula=_OVERAGE, inputs=inputs, result=quantity))
    return Overage(included, quantity, counted is not usage.used, tuple(steps))
