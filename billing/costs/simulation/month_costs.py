"""Costs of deployments in a month: each day by the best source that it has, in another currency."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from typing import Final, NamedTuple

from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period
from arcadia_cloud.kernel.sql import FetchesAhead, fetch_all, load
from billing.costs.exchange_rates import MissingExchangeRate, convert
from billing.values import CostSource
from inventory.values import PROVIDER_CURRENCY

_BEST_SOURCES: Final = load(__package__, "best_sources.sql")
_COSTS: Final = load(__package__, "deployment_costs.sql")


@dataclass(frozen=True, slots=True)
class _DaySource:
    day: date
    source: str | None
    is_computed: bool


class DeploymentCost(NamedTuple):
    """The cost of a deployment, without the `unpriced` days of resources that have no list price."""

    amount: Decimal
    unpriced: int


NOTHING: Final = DeploymentCost(Decimal(0), 0)


class _SummedCost(NamedTuple):
    deployment: int
    amount: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True)
class MonthCosts:
    """A month's days by the best source that each has, and the price of a US dollar in `currency`.

    `unknown` is the reason why the month's costs aren't known; then there is no amount at all.
    """

    month: Period
    currency: str
    days: Mapping[str, Sequence[date]]
    rate: Decimal
    unknown: str

    def of(
        self, deployments: Sequence[int], ahead: FetchesAhead
    ) -> Callable[[], Mapping[int, DeploymentCost] | None]:
        """Ask what these deployments cost, to the minor unit; what is returned waits for it, None if unknown.

        One that is left out cost nothing. One query for each source that has days of the month.
        """
        sources = {} if self.unknown else self.days
        asked = [
            ahead.fetch_all(
                _COSTS,
                {"deployments": list(deployments), "source": source, "days": list(days)},
                into=_SummedCost,
            )
            for source, days in sources.items()
        ]

        def costs() -> Mapping[int, DeploymentCost] | None:
            if self.unknown:
                return None
            found: dict[int, tuple[Decimal, int]] = {}
            for deployment, amount, unpriced in chain.from_iterable(rows.result() for rows in asked):
                before, unpriced_before = found.get(deployment, NOTHING)
                found[deployment] = (before + amount, unpriced_before + unpriced)
            dollar = Money(self.rate, self.currency)
            # Of the month's sum: each amount is rounded once.
            return {
                deployment: DeploymentCost(dollar.times(amount).rounded().amount, unpriced)
                for deployment, (amount, unpriced) in found.items()
            }

        return costs


def read_month_costs(month: Period, currency: str) -> MonthCosts:
    """Return the sources of a month's costs, with the rate of the month's last day. Two queries at most."""
    parameters = {
        "first": month.start,
        "end": month.end,
        "sources": [str(source) for source in CostSource],  # the best first
        "computed": str(CostSource.ACCRUED),
    }
    days = fetch_all(_BEST_SOURCES, parameters, into=_DaySource)
    # A day that was computed and has no row cost nothing; one that wasn't computed isn't known.
    missing = [day.day for day in days if day.source is None and not day.is_computed]
    unknown, rate = "", Decimal(0)
    if missing:
        unknown = f"the costs of {len(missing)} days since {missing[0]} aren't computed"
    else:
        try:
            last_day = month.end - timedelta(days=1)
            # A dollar's worth, once: each row is multiplied by it, and rounded once.
            rate = convert(Money(Decimal(1), PROVIDER_CURRENCY), currency, last_day).amount
        except MissingExchangeRate as refusal:
            unknown = refusal.detail
    by_source: dict[str, list[date]] = {}
    for day in days:
        if day.source is not None:
            by_source.setdefault(day.source, []).append(day.day)
    return MonthCosts(month, currency, by_source, rate, unknown)
