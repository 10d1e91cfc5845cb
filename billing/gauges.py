"""Gauges of billing: invoices that aren't read, don't add up, or aren't at finance."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.db.models import Count, Min, Q

from arcadia_cloud.kernel.metrics.gauges import Gauge, Sample
from billing.models import ProviderInvoice
from billing.queries import UNPUSHED, UNRECONCILED
from billing.states import IngestStatus, PushStatus

INGEST_LAG: Final = Gauge(
    "arcadia_invoice_ingest_lag_seconds",
    "Seconds since the oldest final invoice whose lines aren't in place was discovered; 0 without one.",
)
UNRECONCILED_INVOICES: Final = Gauge(
    "arcadia_invoices_unreconciled", "Final invoices that could not be read, or don't add up."
)
UNPUSHED_INVOICES: Final = Gauge(
    "arcadia_invoices_unpushed", "Final invoices that finance hasn't got as they are now.", ("status",)
)
GAUGES: Final = (INGEST_LAG, UNRECONCILED_INVOICES, UNPUSHED_INVOICES)


def read_billing_gauges(at: datetime) -> Iterator[Sample]:
    """Count the invoices. One query."""
    # Both at 0, too: a series that goes away when all is well can't be alerted on.
    statuses = (PushStatus.WAITING, PushStatus.REFUSED)
    found = ProviderInvoice.objects.aggregate(
        oldest=Min("discovered_at", filter=Q(is_preview=False) & ~Q(ingest_status=IngestStatus.INGESTED)),
        unreconciled=Count("pk", filter=UNRECONCILED),
        **{str(status): Count("pk", filter=UNPUSHED & Q(push_status=status)) for status in statuses},
    )
    oldest = found["oldest"]
    yield Sample(INGEST_LAG, 0 if oldest is None else (at - oldest).total_seconds())
    yield Sample(UNRECONCILED_INVOICES, found["unreconciled"])
    for status in statuses:
        yield Sample(UNPUSHED_INVOICES, found[str(status)], (str(status),))
