"""What a month cost, by whom or what it was for. However it is cut, it sums to the month's invoices.

Lines without a resource and taxes are rows of their own, and so is what stands in no line: credits of the
summary, a difference, an invoice that isn't ingested yet. What is matched is told largest first, and beyond
a limit as one row: a fleet has no end, an answer needs one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from django.db import connection

from billing.models import ProviderInvoice
from inventory.values import PROVIDER_CURRENCY


class By(StrEnum):
    """What costs can be cut by."""

    TENANT = "tenant"
    DEPLOYMENT = "deployment"
    PROJECT = "project"
    KIND = "kind"
    RESOURCE = "resource"


class Group(StrEnum):
    """Which part of the invoices a row is."""

    MATCHED = "matched"
    OTHERS = "others"
    UNMATCHED = "unmatched"
    TAX = "tax"
    ADJUSTMENTS = "adjustments"


@dataclass(frozen=True, slots=True)
class CostRow:
    """`key` is an id or a tenant, null where a matched resource has none; `name` is for people.

    `others` is what is matched and beyond the limit, together.
    """

    group: Group
    key: str | None
    name: str
    amount: Decimal
    line_count: int


@dataclass(frozen=True, slots=True)
class Costs:
    """A month, in US dollars. `total` is what its invoices say; `has_preview`: lines of it aren't final."""

    period: date
    by: By
    total: Decimal
    currency: str
    has_preview: bool
    rows: list[CostRow]


# Key and name of a matched line. A table is joined only where it is asked for.
_KEYS: Final[Mapping[By, tuple[str, str, str]]] = {
    By.TENANT: ("resource.tenant_id", "coalesce(resource.tenant_id, '')", ""),
    By.DEPLOYMENT: (
        "deployment.id::text",
        "coalesce(deployment.tenant_id || '/' || deployment.slug, '')",
        "LEFT JOIN cloud_deployments AS deployment ON deployment.id = resource.deployment_id",
    ),
    By.PROJECT: (
        "project.id::text",
        "coalesce(project.name, '')",
        "LEFT JOIN cloud_projects AS project ON project.id = resource.project_id",
    ),
    By.KIND: ("line.kind", "line.kind", ""),
    By.RESOURCE: ("resource.id::text", "coalesce(resource.name, '')", ""),
}
# By kind, lines without a resource are still of a kind.
_COSTS: Final = """
    WITH ranked AS (
        SELECT part, key, max(name) AS name, sum(amount) AS amount, count(*) AS line_count,
               part = 'matched'
                   AND row_number() OVER (PARTITION BY part ORDER BY sum(amount) DESC, key) > %s AS is_beyond
        FROM (
            SELECT CASE WHEN line.is_tax THEN 'tax'
                        WHEN line.resource_id IS NULL THEN 'unmatched'
                        ELSE 'matched' END AS part,
                   CASE WHEN {has_key} THEN {key} END AS key,
                   CASE WHEN {has_key} THEN {name} ELSE '' END AS name,
                   line.amount
            FROM cloud_cost_lines AS line
            LEFT JOIN cloud_resources AS resource ON resource.id = line.resource_id
            {join}
            WHERE line.invoice_id = ANY(%s)
        ) AS cut
        GROUP BY part, key
    )
    SELECT part, key, name, amount, line_count FROM ranked WHERE NOT is_beyond
    UNION ALL
    SELECT 'others', NULL, '', sum(amount), sum(line_count) FROM ranked WHERE is_beyond HAVING count(*) > 0
    ORDER BY part, amount DESC, key
"""


def costs_of(*, period: date, by: By, limit: int) -> Costs:
    """The costs of the month that begins on `period`, at most `limit` of what is matched row by row.

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
    rows = _rows([invoice.pk for invoice in invoices], by, limit)
    in_lines = sum((row.amount for row in rows), Decimal(0))
    if total != in_lines:
        rows.append(CostRow(Group.ADJUSTMENTS, None, "", total - in_lines, 0))
    return Costs(
        period=period,
        by=by,
        total=total,
        currency=PROVIDER_CURRENCY,
        has_preview=any(invoice.is_preview for invoice in invoices),
        rows=rows,
    )


def _rows(invoices: list[int], by: By, limit: int) -> list[CostRow]:
    key, name, join = _KEYS[by]
    has_key = "NOT line.is_tax" if by == By.KIND else "line.resource_id IS NOT NULL"
    statement = _COSTS.format(key=key, name=name, join=join, has_key=has_key)
    with connection.cursor() as cursor:
        cursor.execute(statement, [limit, invoices])
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return [CostRow(Group(part), key, name, amount, int(count)) for part, key, name, amount, count in found]
