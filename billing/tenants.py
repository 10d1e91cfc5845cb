"""Tenants as the console lists them: what each runs, what that costs and earns, and its open alerts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from django.db.models import Count, Q, Sum

from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period, previous_month
from billing.costs.exchange_rates import MissingExchangeRate
from billing.costs.margin import MarginBy, SpreadRule, report_margin
from billing.costs.margin_figures import KnownFigures
from billing.models import MarginCost
from billing.tenant_alerts import open_alerts_by_tenant
from billing.values import CostSource
from deployments.models import Deployment
from inventory.models import Resource
from inventory.values import PROVIDER_CURRENCY


class TenantOrder(StrEnum):
    """The columns that tenants are sorted by: margins from the least, other figures from the largest."""

    TENANT = "tenant"
    RESOURCES = "resources"
    LIST_PRICE = "list_price"
    BILLED = "billed"
    REVENUE = "revenue"
    MARGIN = "margin"
    ALERTS = "alerts"


@dataclass(slots=True)
class TenantRow:
    """A tenant with its live resources and deployments, and the figures of the last complete month.

    `list_price` is in US dollars a month, without the `unpriced` resources, whose price isn't known.
    `billed` is None where no invoice of the month is read. `figures` are unknown where revenue can't be
    converted, or where nothing is stored of the tenant's month.
    """

    tenant_id: str
    deployments: int = 0
    resources: int = 0
    list_price: Decimal = Decimal(0)
    unpriced: int = 0
    billed: Decimal | None = None
    figures: KnownFigures = field(default_factory=KnownFigures)
    alerts: int = 0


@dataclass(frozen=True, slots=True)
class TenantList:
    """All tenants in the order that was asked for. `missing` names the exchange rate that isn't kept."""

    month: Period
    rows: list[TenantRow]
    missing: str = ""


def list_tenants(*, at: datetime, order: TenantOrder = TenantOrder.TENANT) -> TenantList:
    """Return every tenant that has a deployment, a live resource, or figures of the last complete month.

    A fixed number of queries; each groups a whole table once, as large as the fleet.
    """
    month = previous_month(at)
    rows: dict[str, TenantRow] = {}

    def row_of(tenant_id: str) -> TenantRow:
        return rows.setdefault(tenant_id, TenantRow(tenant_id))

    owned = Deployment.objects.order_by().values("tenant_id").annotate(number=Count("pk"))
    for tenant, number in owned.values_list("tenant_id", "number"):
        row_of(tenant).deployments = number
    _add_resources(rows)
    missing = _add_figures(rows, month, at)
    for tenant, alerts in open_alerts_by_tenant().items():
        # A saga may name a tenant that has nothing any more: it is in no list.
        if tenant in rows:
            rows[tenant].alerts = len(alerts)
    return TenantList(month, sorted(rows.values(), key=_KEYS[order]), missing)


def is_tenant(tenant_id: str) -> bool:
    """Return whether anything that is kept belongs to this tenant, or did."""
    return (
        Deployment.objects.filter(tenant_id=tenant_id).exists()
        or Resource.objects.live_or_gone().filter(tenant_id=tenant_id).exists()
    )


def _add_resources(rows: dict[str, TenantRow]) -> None:
    # One pass over the live half of the table, by its own index.
    live = Resource.objects.live().order_by().values("tenant_id")
    summed = live.annotate(
        number=Count("pk"),
        cents=Sum("monthly_price_cents"),
        unknown=Count("pk", filter=Q(monthly_price_cents=None)),
    )
    for tenant, number, cents, unknown in summed.values_list("tenant_id", "number", "cents", "unknown"):
        if tenant is None:
            continue
        row = rows.setdefault(tenant, TenantRow(tenant))
        row.resources, row.unpriced = number, unknown
        row.list_price = Money.from_cents(cents or 0, PROVIDER_CURRENCY).amount


def _add_figures(rows: dict[str, TenantRow], month: Period, at: datetime) -> str:
    """Add the month's figures; return what is missing for them."""
    billed = MarginCost.objects.filter(month=month.start, source=CostSource.BILLED)
    for tenant, amount in (
        billed.order_by().values("tenant_id").annotate(sum=Sum("amount")).values_list("tenant_id", "sum")
    ):
        if tenant is not None:
            rows.setdefault(tenant, TenantRow(tenant)).billed = amount
    try:
        report = report_margin(month=month, by=MarginBy.TENANT, spread=SpreadRule.NONE, at=at)
    # The rest of the list needs no rate: it is shown without these columns.
    except MissingExchangeRate as error:
        return error.detail
    for each in report.rows:
        rows.setdefault(each.name, TenantRow(each.name)).figures = report.known(each.figures)
    return ""


# Sorted here: the list is as long as the tenants are many, and its figures come from five tables.
_KEYS: Final[Mapping[TenantOrder, Callable[[TenantRow], tuple[Any, ...]]]] = {
    TenantOrder.TENANT: lambda row: (row.tenant_id,),
    TenantOrder.RESOURCES: lambda row: (-row.resources, row.tenant_id),
    TenantOrder.LIST_PRICE: lambda row: (-row.list_price, row.tenant_id),
    TenantOrder.BILLED: lambda row: (-(row.billed or 0), row.tenant_id),
    TenantOrder.REVENUE: lambda row: (-(row.figures.revenue or 0), row.tenant_id),
    # The least first: who loses money is looked for.
    TenantOrder.MARGIN: lambda row: (row.figures.margin or 0, row.tenant_id),
    TenantOrder.ALERTS: lambda row: (-row.alerts, row.tenant_id),
}
