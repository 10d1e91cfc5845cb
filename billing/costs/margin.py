"""The margin of a month: what it earned and what it cost, by deployment, tenant or plan version.

In US dollars, as the costs are: revenue is converted by one rate of the month (see `exchange_rates`), and
nothing is rounded, so that every report sums to the month's revenue and costs exactly, whatever its rows.

A deployment's month counts for the plan version that it had last in it. What has no owner (unattributed,
unmatched, taxes, adjustments) stands apart, or is spread over the owners by the rule that is asked for: in
proportion to their own costs, or evenly over the deployments. Where no owner can take it, it stays apart.
Of the running month the costs are to date, and fees are those of the whole month. Costs and margins of a
month without a day whose costs are computed are unknown, as they are on a month's first day: they aren't 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from django.db.models import Sum

from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period, month_of
from billing.costs.exchange_rates import ExchangeRates, valuation_day
from billing.costs.margin_figures import Figures, KnownFigures
from billing.costs.spread import spread_amount
from billing.models import MarginCost, MarginMonth, MarginRevenue
from billing.values import CostPart
from inventory.values import PROVIDER_CURRENCY

UNATTRIBUTED: Final = "unattributed"
_ZERO: Final = Decimal(0)


class MarginBy(StrEnum):
    """The things that a report's rows are of."""

    DEPLOYMENT = "deployment"
    TENANT = "tenant"
    PLAN = "plan"


class SpreadRule(StrEnum):
    """The rules by which costs without an owner are spread over the owners."""

    NONE = "none"
    DIRECT_COST = "direct_cost"
    EVENLY = "evenly"


@dataclass(frozen=True, slots=True)
class MarginRow:
    """One deployment, tenant or plan version. `key` is its id, None for what has none of the kind."""

    key: str | None
    name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class MarginReport:
    """A month's margin. `apart` are costs without an owner that no row has, by what they are.

    `is_to_date`: the month runs. `costs_until` is the last day whose costs are computed, None without one;
    `computed_at` is when the month was stored, None where it never was. `sources` are those of its costs.
    Rows have sums of what is stored; `known` leaves out what isn't known of them.
    """

    period: Period
    by: MarginBy
    spread: SpreadRule
    rows: list[MarginRow]
    apart: dict[str, Decimal]
    is_to_date: bool
    costs_until: date | None
    computed_at: datetime | None
    sources: tuple[str, ...]
    currency: str = PROVIDER_CURRENCY

    @property
    def total(self) -> Figures:
        """All rows and what stands apart, which counts as shared."""
        # What is apart is in no row, and still a cost of the month.
        whole = Figures(shared=sum(self.apart.values(), _ZERO))
        for row in self.rows:
            whole += row.figures
        return whole

    def known(self, figures: Figures) -> KnownFigures:
        """Return a row's or the total's figures without those that nothing is stored for."""
        if self.computed_at is None:
            return KnownFigures()
        sold = KnownFigures(figures.revenue, revenues=figures.revenues, unpriced=figures.unpriced)
        if self.costs_until is None:
            return sold
        return replace(
            sold,
            cost=figures.cost,
            shared=figures.shared,
            margin=figures.margin,
            percent=figures.percent,
        )


@dataclass(slots=True)
class _Owner:
    """A deployment, or a tenant's resources that belong to none, with the figures of its plan versions."""

    tenant_id: str
    deployment_id: int | None
    slug: str = ""
    main_version: int | None = None
    by_version: dict[int | None, Figures] = field(default_factory=dict)

    @property
    def figures(self) -> Figures:
        return sum(self.by_version.values(), Figures())

    def add(self, version: int | None, figures: Figures) -> None:
        self.by_version[version] = self.by_version.get(version, Figures()) + figures


def report_margin(*, month: Period, by: MarginBy, spread: SpreadRule, at: datetime) -> MarginReport:
    """Return a month's margin, the least first. Five queries, whatever there is.

    Raises MissingExchangeRate where revenue can't be converted.
    """
    owners: dict[tuple[str, int | None], _Owner] = {}
    names = _add_revenue(owners, month, ExchangeRates.load(month), valuation_day(month, at=at))
    apart, sources = _add_costs(owners, month)
    apart = spread_shared(list(owners.values()), apart, spread)
    header = MarginMonth.objects.filter(month=month.start).first()
    return MarginReport(
        period=month,
        by=by,
        spread=spread,
        rows=sorted(group_owners(owners.values(), by, names), key=lambda row: (row.figures.margin, row.name)),
        apart=apart,
        is_to_date=month == month_of(at),
        costs_until=header.costs_until if header else None,
        computed_at=header.computed_at if header else None,
        sources=sources,
    )


def limit_rows(rows: Sequence[MarginRow], limit: int) -> list[MarginRow]:
    """Return the first so many rows, and all others as one."""
    if len(rows) <= limit:
        return list(rows)
    rest = sum((row.figures for row in rows[limit:]), Figures())
    return [*rows[:limit], MarginRow(None, f"{len(rows) - limit} others", rest)]


def _add_revenue(
    owners: dict[tuple[str, int | None], _Owner], month: Period, rates: ExchangeRates, day: date
) -> dict[int, str]:
    """Add the month's revenue to its deployments; return the names of the plan versions."""
    rows = MarginRevenue.objects.filter(month=month.start).order_by("subscription_id")
    columns = (
        "deployment_id", "deployment__tenant_id", "deployment__slug", "plan_version_id",
        "plan_version__plan__code", "plan_version__number", "currency", "amount_cents",
    )  # fmt: skip
    # Names come along with the rows: a version without revenue in the month needs none.
    names: dict[int, str] = {}
    # In the order of subscriptions: the last one's version is the deployment's main one.
    for deployment, tenant, slug, version, plan, number, currency, cents in rows.values_list(*columns):
        names[version] = f"{plan} v{number}"
        owner = owners.setdefault((tenant, deployment), _Owner(tenant, deployment, slug))
        owner.main_version = version
        money = Money.from_cents(cents, currency)
        revenue = rates.convert(money, PROVIDER_CURRENCY, day).amount
        owner.add(version, Figures(revenue=revenue, revenues=(money,)))
    return names


def _add_costs(
    owners: dict[tuple[str, int | None], _Owner], month: Period
) -> tuple[dict[str, Decimal], tuple[str, ...]]:
    """Add the month's costs to their owners; return those without one, and the sources."""
    rows = MarginCost.objects.filter(month=month.start).values(
        "source", "part", "tenant_id", "deployment_id", "deployment__slug"
    )
    summed = rows.annotate(sum=Sum("amount"), unknown=Sum("unpriced"))
    apart: dict[str, Decimal] = {}
    sources: set[str] = set()
    for row in summed.order_by("tenant_id", "deployment_id", "part", "source"):
        sources.add(row["source"])
        tenant, deployment = row["tenant_id"], row["deployment_id"]
        # A tax of a tenant's resource is nobody's cost either: the part decides before the owner does.
        if row["part"] != CostPart.MATCHED or tenant is None:
            name = UNATTRIBUTED if row["part"] == CostPart.MATCHED else row["part"]
            apart[name] = apart.get(name, _ZERO) + row["sum"]
            continue
        owner = owners.setdefault(
            (tenant, deployment), _Owner(tenant, deployment, row["deployment__slug"] or "")
        )
        owner.add(owner.main_version, Figures(cost=row["sum"], unpriced=row["unknown"]))
    return apart, tuple(sorted(sources))


def spread_shared(
    owners: Sequence[_Owner], apart: dict[str, Decimal], rule: SpreadRule
) -> dict[str, Decimal]:
    """Give the owners their parts of what is apart; return what stays so."""
    if rule == SpreadRule.DIRECT_COST:
        weights = [owner.figures.cost for owner in owners]
    elif rule == SpreadRule.EVENLY:
        weights = [_ZERO if owner.deployment_id is None else Decimal(1) for owner in owners]
    else:
        return apart
    # Nobody to take it, as where every owner's cost is a credit: it isn't lost, it stays.
    if not any(weight > 0 for weight in weights):
        return apart
    # One amount, not one for each of its parts: a single rounding.
    parts = spread_amount(sum(apart.values(), _ZERO), weights)
    for owner, part in zip(owners, parts, strict=True):
        owner.add(owner.main_version, Figures(shared=part))
    return {}


def group_owners(owners: Iterable[_Owner], by: MarginBy, names: dict[int, str]) -> list[MarginRow]:
    """Sum the owners up to the rows of a report; `names` are those of the plan versions."""
    rows: dict[str | None, MarginRow] = {}

    def add(key: str | None, name: str, figures: Figures) -> None:
        known = rows.get(key, MarginRow(key, name, Figures()))
        rows[key] = replace(known, figures=known.figures + figures)

    for owner in owners:
        if by == MarginBy.TENANT:
            add(owner.tenant_id, owner.tenant_id, owner.figures)
        elif by == MarginBy.PLAN:
            # Two subscriptions of one month may be of two versions: each has its own revenue.
            for version, figures in owner.by_version.items():
                key = None if version is None else str(version)
                add(key, "without a plan" if version is None else names[version], figures)
        elif owner.deployment_id is not None:
            add(str(owner.deployment_id), f"{owner.tenant_id}/{owner.slug}", owner.figures)
        else:
            # Keyed by the name: each tenant has such a row of its own, and none is a deployment's.
            name = f"{owner.tenant_id}, of no deployment"
            known = Figures() + owner.figures
            rows[name] = MarginRow(None, name, known)
    return list(rows.values())
