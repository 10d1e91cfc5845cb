"""Undercharges: resources that lived in a billed month and have no line on its invoices.

An invoice is still to come, or a match is missing. What the provider gives away has none and isn't among
them, nor is a worker of a cluster, which is on the cluster's line.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.periods import month_of
from arcadia_cloud.kernel.sql import fetch_all, load
from billing.models import ProviderInvoice

_LIST: Final = load(__package__, "list_undercharges.sql")


@dataclass(frozen=True, slots=True)
class Undercharge:
    """A resource without a line. `hours` are those in the month, `expected` dollars at list prices.

    `expected` is None where no price is known. The owner is the last one in the month. `since`: the end of
    its last line, or its beginning where it never had one.
    """

    resource_id: int
    kind: str
    name: str
    sku: str
    tenant_id: str | None
    deployment_id: int | None
    hours: Decimal
    expected: Decimal | None
    since: datetime


def list_closed_months(*, limit: int = 24) -> list[date]:
    """Return the first days of the months whose last invoice is there, the latest first."""
    invoices = ProviderInvoice.objects.final().order_by("-period")
    # More than a month's may be needed for each: a usage threshold brings about further ones.
    recent = invoices[: 4 * limit]
    return list(dict.fromkeys(each.period for each in recent if each.is_issued_after_its_period))[:limit]


def list_undercharges(month: date, *, limit: int = 1_000) -> list[Undercharge]:
    """Return the resources that lived an hour or longer in the month without a line, the dearest first.

    Raises NotFound where the month's last invoice isn't there yet.
    """
    period = month_of(month)
    invoices = list(ProviderInvoice.objects.final().filter(period=period.start))
    if not any(invoice.is_issued_after_its_period for invoice in invoices):
        raise NotFound(f"{month:%Y-%m} isn't billed: its last invoice isn't there yet.")
    parameters = {
        "invoices": [invoice.pk for invoice in invoices],
        "day": period.start,
        "month_start": period.starts_at,
        "month_end": period.ends_at,
        "limit": limit,
    }
    return fetch_all(_LIST, parameters, into=Undercharge)
