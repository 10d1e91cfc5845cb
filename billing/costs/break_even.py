"""Break-even of a plan version: its result at full allowances, and at the median use of its subscribers.

The provider's side of a kind that is metered in hours is an average resource: of the version's subscribers,
or where these have none of the book's. An allowance of a month's hours is one that runs throughout, at its
monthly price, which is the most that a month costs. A kind metered in GB-months or counted has the list price
of a GiB or of one. What has no such price is in no cost, and named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.db.models import Q

from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period, previous_month
from arcadia_cloud.kernel.sql import fetch_all, load
from billing.costs.exchange_rates import convert, valuation_day
from billing.models import ProviderPrice
from billing.values import PriceUnit
from catalog.models import PlanVersion
from catalog.queries import estimate_quote
from catalog.values.kinds import BillingKind
from inventory.values import PROVIDER_CURRENCY, Kind

_AVERAGE_PRICES: Final = load(__package__, "average_prices.sql")
_MEDIAN_USAGE: Final = load(__package__, "median_usage.sql")
_HOURLY: Final[Mapping[str, Kind]] = {
    BillingKind.DROPLET_HOURS: Kind.DROPLET,
    BillingKind.DATABASE_HOURS: Kind.DATABASE,
    BillingKind.LOAD_BALANCER_HOURS: Kind.LOAD_BALANCER,
}
# One list price for all that is of the kind, and the unit that the billing kind is counted in.
_LISTED: Final[Mapping[str, tuple[Kind, PriceUnit]]] = {
    BillingKind.SPACES_GB_MONTH: (Kind.SPACES_BUCKET, PriceUnit.GIB_MONTH),
    BillingKind.SNAPSHOT_GB_MONTH: (Kind.SNAPSHOT, PriceUnit.GIB_MONTH),
    BillingKind.BACKUP_GB_MONTH: (Kind.DROPLET_BACKUP, PriceUnit.GIB_MONTH),
    BillingKind.VOLUME_GB_MONTH: (Kind.VOLUME, PriceUnit.GIB_MONTH),
    BillingKind.DNS_ZONES: (Kind.DNS_ZONE, PriceUnit.MONTH),
}
_HOURS_A_DAY: Final = 24


@dataclass(frozen=True, slots=True)
class KindCost:
    """A quantity of one billing kind and what it costs us, in US dollars; None where nothing prices it."""

    kind: str
    quantity: Decimal
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Revenue and cost of a month at some usage, both in the version's currency."""

    revenue: Money
    cost: Money
    kinds: list[KindCost]

    @property
    def result(self) -> Money:
        """The rest of the revenue, negative for a loss."""
        return self.revenue - self.cost

    @property
    def unpriced(self) -> list[str]:
        """The kinds that are used and that nothing prices."""
        return [row.kind for row in self.kinds if row.cost is None and row.quantity]


@dataclass(frozen=True, slots=True)
class BreakEven:
    """A version at its full allowances, and at its subscribers' median use in `month`.

    `median` is None where no subscriber's month is stored.
    """

    month: Period
    full: Outcome
    median: Outcome | None


@dataclass(frozen=True, slots=True)
class _AveragePrice:
    kind: str
    of_version: Decimal | None
    of_all: Decimal | None


@dataclass(frozen=True, slots=True)
class _MedianUse:
    kind: str
    median: Decimal


def compute_break_even(version: PlanVersion, *, at: datetime) -> BreakEven:
    """Return what a version, a draft too, earns in the last complete month by today's prices of the provider.

    It comes with its plan and items at hand. Raises MissingExchangeRate, and InvalidTerms for a draft that
    makes no price. A fixed number of queries.
    """
    month = previous_month(at)
    prices = _unit_prices(version.pk, month, at.date())
    allowances = {item.resource_kind: item.included_qty for item in version.items.all()}
    parameters = {"month": month.start, "plan_version": version.pk}
    medians = {row.kind: row.median for row in fetch_all(_MEDIAN_USAGE, parameters, into=_MedianUse)}
    day = valuation_day(month, at=at)
    return BreakEven(
        month=month,
        full=_outcome(version, allowances, prices, month, day),
        median=_outcome(version, medians, prices, month, day) if medians else None,
    )


def _outcome(
    version: PlanVersion,
    usage: Mapping[str, Decimal],
    prices: Mapping[str, Decimal],
    month: Period,
    day: date,
) -> Outcome:
    kinds = [
        KindCost(kind, quantity, prices[kind] * quantity if kind in prices else None)
        for kind, quantity in sorted(usage.items())
    ]
    # Those without a price are named beside the sum, which is a least one then.
    cost = Money(sum((row.cost for row in kinds if row.cost is not None), Decimal(0)), PROVIDER_CURRENCY)
    return Outcome(
        revenue=estimate_quote(version=version, addon_codes=(), usage=usage, period=month).subtotal,
        # Rounded here, once: the result is compared with prices in cents.
        cost=convert(cost, version.currency, day).rounded(),
        kinds=kinds,
    )


def _unit_prices(version_pk: int, month: Period, on: date) -> dict[str, Decimal]:
    """Return what one unit of each billing kind costs us, in US dollars; one without a price is left out."""
    parameters = {"kinds": [str(kind) for kind in _HOURLY.values()], "plan_version": version_pk}
    found = {row.kind: row for row in fetch_all(_AVERAGE_PRICES, parameters, into=_AveragePrice)}
    hours = month.days * _HOURS_A_DAY
    prices = {}
    for billing_kind, kind in _HOURLY.items():
        average = found.get(str(kind))
        monthly = None if average is None else average.of_version
        # A new plan has no droplets of its own yet: the book's stand in for them.
        if monthly is None and average is not None:
            monthly = average.of_all
        if monthly is not None:
            prices[str(billing_kind)] = monthly / hours
    in_force = Q(effective_from=None) | Q(effective_from__lte=on)
    # Of the kind as a whole: a price of one sku or region says nothing of an allowance.
    listed = ProviderPrice.objects.filter(
        in_force & (Q(effective_to=None) | Q(effective_to__gt=on)),
        kind__in=[kind for kind, _ in _LISTED.values()],
        sku="",
        region="",
    )
    by_subject = {(row.kind, row.unit): row.price for row in listed}
    for billing_kind, (kind, unit) in _LISTED.items():
        if (kind, unit) in by_subject:
            prices[str(billing_kind)] = by_subject[kind, unit]
    return prices
