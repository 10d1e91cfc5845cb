"""The reads of billing, as its edges, the console and the main job call them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Count, Q, QuerySet, Sum

from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.periods import month_of, one_month_before, previous_month
from billing.costs.accuracy import PriceAccuracy, compare_prices
from billing.costs.anomalies.reads import days_of_anomaly, open_anomalies
from billing.costs.audit.rules import RULES, AuditRule, codes_of, find_rule
from billing.costs.break_even import BreakEven, compute_break_even
from billing.costs.breakdown import CostBreakdown, CostGroup, CostRow, Dimension, break_down_costs
from billing.costs.days import DayCost, sum_days
from billing.costs.exchange_rates import MissingExchangeRate
from billing.costs.leftovers import (
    CleanUp,
    Leftover,
    LeftoverFilter,
    LeftoverPlace,
    LeftoverReason,
    LeftoverTotal,
    list_leftovers,
    sum_leftovers,
)
from billing.costs.margin import (
    MarginBy,
    MarginReport,
    MarginRow,
    SpreadRule,
    limit_rows,
    report_margin,
)
from billing.costs.margin_figures import Figures, KnownFigures
from billing.costs.margin_history import (
    MonthFigures,
    MonthLines,
    last_months,
    list_month_by_plan,
    list_months_by_plan,
    list_months_of_deployment,
    list_months_of_tenant,
    read_month_lines,
)
from billing.costs.prices import UnpricedResources, unpriced_resources
from billing.costs.simulation.results import (
    TenantDifference,
    differences_by_tenant,
    largest_differences,
    reason_against_publishing,
    simulations_of_version,
)
from billing.costs.undercharges import Undercharge, list_closed_months, list_undercharges
from billing.home_figures import DayTotal, UnpushedInvoices, list_day_totals, list_unpushed
from billing.ingest.csv_summary import find_invoice_of_csv
from billing.models import AuditRun, BalanceSnapshot, ProviderInvoice
from billing.states import IngestStatus, PushStatus
from billing.tenant_alerts import open_alerts_by_tenant
from billing.tenants import TenantList, TenantOrder, TenantRow, is_tenant, list_tenants
from billing.values import CostSource
from inventory.values import PROVIDER

__all__ = [
    "RULES",
    "UNPUSHED",
    "UNRECONCILED",
    "AuditRule",
    "BillingSummary",
    "BreakEven",
    "CleanUp",
    "CostBreakdown",
    "CostGroup",
    "CostRow",
    "CostSource",
    "DayCost",
    "DayTotal",
    "Dimension",
    "Figures",
    "KnownFigures",
    "Leftover",
    "LeftoverFilter",
    "LeftoverPlace",
    "LeftoverReason",
    "LeftoverTotal",
    "MarginBy",
    "MarginReport",
    "MarginRow",
    "MissingExchangeRate",
    "MonthFigures",
    "MonthLines",
    "PriceAccuracy",
    "SpreadRule",
    "TenantDifference",
    "TenantList",
    "TenantOrder",
    "TenantRow",
    "Undercharge",
    "UnpricedResources",
    "UnpushedInvoices",
    "balances_since",
    "break_down_costs",
    "codes_of",
    "compare_prices",
    "compute_break_even",
    "days_of_anomaly",
    "differences_by_tenant",
    "find_invoice",
    "find_invoice_of_csv",
    "find_rule",
    "invoices_since",
    "invoices_to_ingest",
    "invoices_to_push",
    "is_tenant",
    "largest_differences",
    "last_months",
    "latest_audit",
    "latest_balance",
    "limit_rows",
    "list_closed_months",
    "list_day_totals",
    "list_leftovers",
    "list_month_by_plan",
    "list_months_by_plan",
    "list_months_of_deployment",
    "list_months_of_tenant",
    "list_tenants",
    "list_undercharges",
    "list_unpushed",
    "open_alerts_by_tenant",
    "open_anomalies",
    "read_month_lines",
    "reason_against_publishing",
    "report_margin",
    "simulations_of_version",
    "sum_days",
    "sum_leftovers",
    "summarize_billing",
    "unpriced_resources",
]

# A preview is neither: it moves while it is read, and finance never gets it.
UNRECONCILED: Final = Q(is_preview=False, ingest_status__in=[IngestStatus.FAILED, IngestStatus.MISMATCH])
UNPUSHED: Final = Q(is_preview=False, push_status__in=[PushStatus.WAITING, PushStatus.REFUSED])
_NEAR: Final = timedelta(hours=6)  # as old may a snapshot be that stands for an instant


@dataclass(frozen=True, slots=True)
class BillingSummary:
    """The state of billing. `balance` is the latest, `previous_month` the first day of the month before its.

    `spent_by_then` is what that month had cost at the same moment, None where no snapshot is near it;
    `invoiced` the sum of its invoices, None where there is none. `known` are all invoices that were ever
    read. Amounts in US dollars.
    """

    balance: BalanceSnapshot | None
    previous_month: date
    spent_by_then: Decimal | None
    invoiced: Decimal | None
    unreconciled: int
    waiting: int
    refused: int
    known: int


def summarize_billing(*, at: datetime) -> BillingSummary:
    """Return the state of billing at the instant `at`. Three queries, whatever there is."""
    balance = latest_balance()
    now = balance.generated_at if balance else at
    before = previous_month(now).start
    invoices = ProviderInvoice.objects.filter(provider=PROVIDER).aggregate(
        invoiced=Sum("amount", filter=Q(period=before, is_preview=False)),
        unreconciled=Count("pk", filter=UNRECONCILED),
        waiting=Count("pk", filter=UNPUSHED & Q(push_status=PushStatus.WAITING)),
        refused=Count("pk", filter=UNPUSHED & Q(push_status=PushStatus.REFUSED)),
        known=Count("pk"),
    )
    # Compared at the provider's clock: near midnight ours is in another month than its figures.
    then = _balance_near(one_month_before(now))
    return BillingSummary(
        balance=balance,
        previous_month=before,
        spent_by_then=then.month_to_date_usage if then else None,
        **invoices,
    )


def latest_audit() -> AuditRun | None:
    """Return the newest run of the money audit; None before the first."""
    return AuditRun.objects.order_by("-started_at").first()


def latest_balance() -> BalanceSnapshot | None:
    """Return the newest balance; None before the first."""
    return BalanceSnapshot.objects.filter(provider=PROVIDER).order_by("-hour").first()


def balances_since(at: datetime, days: int) -> QuerySet[BalanceSnapshot]:
    """Return the snapshots of so many days before `at`, oldest first."""
    return BalanceSnapshot.objects.filter(provider=PROVIDER, hour__gte=at - timedelta(days=days)).order_by(
        "hour"
    )


def invoices_to_ingest() -> list[int]:
    """Return the invoices whose lines aren't in place, previews among them, oldest first."""
    return ProviderInvoice.objects.to_ingest().oldest_first()


def invoices_since(period: date) -> list[int]:
    """Return every invoice of this month and the later ones, oldest first."""
    return ProviderInvoice.objects.filter(period__gte=period).oldest_first()


def invoices_to_push(*, at: datetime, force: bool = False) -> list[int]:
    """Return the invoices that are due for finance, oldest first; with `force` all that add up."""
    invoices = ProviderInvoice.objects
    return (invoices.pushable() if force else invoices.due_for_push(at)).oldest_first()


def find_invoice(uuid: str) -> ProviderInvoice:
    """Return the invoice with the provider's uuid. Raises NotFound."""
    invoice = ProviderInvoice.objects.filter(invoice_uuid=uuid).first()
    if invoice is None:
        raise NotFound(
            f"there is no invoice {uuid}; the billing history brings them: manage.py ingest_billing"
        )
    return invoice


def _balance_near(at: datetime) -> BalanceSnapshot | None:
    """Return the newest that the provider generated in the month of `at`, up to then."""
    snapshots = BalanceSnapshot.objects.filter(
        provider=PROVIDER,
        hour__gt=at - _NEAR - timedelta(hours=1),
        hour__lte=at + _NEAR,  # the provider's clock may be behind ours
        generated_at__range=(max(month_of(at).starts_at, at - _NEAR), at),
    )
    return snapshots.order_by("-generated_at").first()
