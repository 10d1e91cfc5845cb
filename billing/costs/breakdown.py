"""The breakdown of a month's costs. By whatever dimension, it sums to the month's invoices.

Lines without a resource and taxes are rows of their own, and so is what no line has: credits of the summary,
a difference, an invoice that isn't ingested yet. What is matched comes largest first, and beyond a limit as
one row: a fleet has no end, an answer needs one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from arcadia_cloud.kernel.sql import Statement, fetch_all, load
from billing.models import ProviderInvoice
from inventory.values import OPERATORS_PROJECT, PROVIDER_CURRENCY


class Dimension(StrEnum):
    """A dimension by which costs are broken down."""

    TENANT = "tenant"
    DEPLOYMENT = "deployment"
    PROJECT = "project"
    KIND = "kind"
    RESOURCE = "resource"


class CostGroup(StrEnum):
    """The part of the invoices that a row belongs to."""

    MATCHED = "matched"
    OTHERS = "others"
    UNMATCHED = "unmatched"
    TAX = "tax"
    ADJUSTMENTS = "adjustments"


@dataclass(frozen=True, slots=True)
class CostRow:
    """`key` is an id or a tenant, None where a matched resource has none; `name` is for people.

    `others` is what is matched and beyond the limit, together.
    """

    group: CostGroup
    key: str | None
    name: str
    amount: Decimal
    line_count: int


@dataclass(frozen=True, slots=True)
class CostBreakdown:
    """A month, in US dollars. `total` is the sum of its invoices; `has_preview`: lines of it aren't final."""

    period: date
    by: Dimension
    total: Decimal
    currency: str
    has_preview: bool
    rows: list[CostRow]


@dataclass(frozen=True, slots=True)
class _PartRow:
    part: str
    key: str | None
    name: str
    amount: Decimal
    line_count: int


_STATEMENTS: Final[Mapping[Dimension, Statement]] = {
    dimension: load(__package__, f"costs_by_{dimension}.sql") for dimension in Dimension
}


def break_down_costs(*, period: date, by: Dimension, limit: int) -> CostBreakdown:
    """Return the costs of the month that begins on `period`, at most `limit` of what is matched row by row.

    Two queries, whatever there is.
    """
    invoices = list(
        ProviderInvoice.objects.filter(period=period).only(
            "pk", "amount", "is_preview", "period", "issued_on", "discovered_at"
        )
    )
    # A preview keeps its lines until the final invoice has its own: both are of the same usage.
    is_final_known = any(not each.is_preview and each.is_issued_after_its_period for each in invoices)
    total = sum((each.amount for each in invoices if not (each.is_preview and is_final_known)), Decimal(0))
    parameters = {
        "invoices": [invoice.pk for invoice in invoices],
        "limit": limit,
        "operators_project": OPERATORS_PROJECT,  # by tenant alone
    }
    rows = [
        CostRow(CostGroup(row.part), row.key, row.name, row.amount, row.line_count)
        for row in fetch_all(_STATEMENTS[by], parameters, into=_PartRow)
    ]
    in_lines = sum((row.amount for row in rows), Decimal(0))
    if total != in_lines:
        rows.append(CostRow(CostGroup.ADJUSTMENTS, None, "", total - in_lines, 0))
    return CostBreakdown(
        period=period,
        by=by,
        total=total,
        currency=PROVIDER_CURRENCY,
        has_preview=any(invoice.is_preview for invoice in invoices),
        rows=rows,
    )
