"""The ingest of one invoice: its documents are read first, then its lines replaced in one transaction.

One process at a time ingests an invoice; a second one waits. A failure leaves the stored lines as they were,
and is recorded on the invoice.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from django.db import DatabaseError, InterfaceError, transaction

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderError, ProviderNotFound
from arcadia_cloud.kernel.database import retry_while_database_is_down
from arcadia_cloud.kernel.errors import describe
from arcadia_cloud.kernel.leases import HeldLease
from arcadia_cloud.kernel.states import advance
from billing.finance_push import refresh_push_status
from billing.ingest.alerts import update_alerts
from billing.ingest.csv import UnreadableInvoice
from billing.ingest.csv_summary import summarize_csv
from billing.ingest.download import InvoiceDocuments, download
from billing.ingest.items import ItemsUnfinished, forget_parts
from billing.ingest.lease import invoice_lease
from billing.ingest.reconcile import Reconciliation, reconcile
from billing.ingest.stage import IngestTotals, replace_lines
from billing.models import ProviderInvoice
from billing.states import INGEST_LIFECYCLE, IngestStatus

log = structlog.get_logger(__name__)

_FAILURES: Final = (ProviderError, UnreadableInvoice, DatabaseError, InterfaceError)


@dataclass(frozen=True, slots=True)
class IngestResult:
    """The invoice after an ingest, failed too, and the totals of its lines; None where none was stored."""

    invoice: ProviderInvoice
    totals: IngestTotals | None


def ingest_invoice(
    *, invoice_pk: int, cloud: DigitalOcean, at: datetime, again: bool = False, file: Path | None = None
) -> IngestResult:
    """Download an invoice's documents and replace its lines; a failure is recorded and returned.

    One that is ingested already is left alone unless `again`; a preview never is. With `file` the CSV is
    that file: it is read to its end before anything is touched, and UnreadableInvoice raised, InvalidInput
    where it is another month's. Raises NotFound, also where a preview goes meanwhile.
    """
    # Before the lease: a file that can't be read must not mark the invoice as failed.
    csv_summary = None if file is None else summarize_csv(file)
    with invoice_lease(invoice_pk) as held:
        invoice = ProviderInvoice.objects.find(invoice_pk)
        if csv_summary is not None:
            csv_summary.assert_of(invoice)
        if invoice.ingest_status == IngestStatus.INGESTED and not (again or invoice.is_preview or file):
            return IngestResult(invoice, None)
        try:
            with download(cloud, invoice, file=file) as documents:
                result = retry_while_database_is_down(
                    lambda: _replace_lines_and_reconcile(invoice_pk, documents, held, at)
                )
        except ItemsUnfinished as error:
            result = _record_unfinished(invoice_pk, describe(error), held)
        except _FAILURES as failure:
            if invoice.is_preview and isinstance(failure, ProviderNotFound):
                # Its uuid goes with its month: its lines stay until the final invoice has its own.
                result = IngestResult(invoice, None)
            else:
                result = _record_failure(invoice_pk, describe(failure), held)
        return result


@transaction.atomic
def _replace_lines_and_reconcile(
    invoice_pk: int, documents: InvoiceDocuments, held: HeldLease, at: datetime
) -> IngestResult:
    """Store lines and reconciliation together. May be repeated."""
    documents.rewind()
    # Locked against an operator who accepts its difference meanwhile, not against foreign keys to it.
    invoice = ProviderInvoice.objects.select_for_update(no_key=True).find(invoice_pk)
    totals = replace_lines(invoice.pk, documents.csv, documents.items)
    summary = documents.summary
    if summary is not None:
        invoice.period = summary.period
        if invoice.is_preview:
            invoice.amount = summary.amount  # the header's is of another moment
    reconciliation = reconcile(
        amount=invoice.amount,
        totals=totals,
        credits_and_adjustments=summary.credits_and_adjustments.amount if summary else None,
    )
    _record(invoice, totals, reconciliation, at)
    forget_parts(invoice)
    # In the transaction of the final lines: the month never shows both, or neither.
    if not invoice.is_preview and invoice.is_issued_after_its_period:
        ProviderInvoice.objects.previews().filter(provider=invoice.provider, period=invoice.period).delete()
    update_alerts(invoice)
    held.assert_held()  # last: from here to the commit the lease can't pass to another worker
    return IngestResult(invoice, totals)


def _record(
    invoice: ProviderInvoice, totals: IngestTotals, reconciliation: Reconciliation, at: datetime
) -> None:
    is_accepted = bool(reconciliation.error) and reconciliation.error == invoice.accepted_error
    changes: dict[str, object] = {
        "period": invoice.period,
        "amount": invoice.amount,
        "ingest_error": reconciliation.error,
        "ingested_at": at,
        "line_count": totals.count,
        "lines_total": totals.total,
        "tax_total": totals.tax_total,
        "adjustments_total": reconciliation.adjustments,
        "items_count": totals.items,
    }
    if not is_accepted:  # an operator's word holds for one difference
        changes |= {"accepted_at": None, "accepted_by": "", "accepted_note": "", "accepted_error": ""}
    status = IngestStatus.INGESTED if is_accepted else reconciliation.status
    advance(invoice, status, INGEST_LIFECYCLE, **changes)
    refresh_push_status(invoice)


def _record_unfinished(invoice_pk: int, reason: str, held: HeldLease) -> IngestResult:
    """Store how far an ingest has come that the sweep goes on with; one that has its lines stays as it is."""

    @transaction.atomic
    def write() -> ProviderInvoice:
        # Without blocking the lines that refer to it: they are inserted by others meanwhile.
        invoice = ProviderInvoice.objects.select_for_update(no_key=True).find(invoice_pk)
        if invoice.ingest_status in (IngestStatus.PENDING, IngestStatus.FAILED):
            invoice.ingest_error = reason
            invoice.save(update_fields=["ingest_error"])
        held.assert_held()
        return invoice

    log.info("invoice_items_unfinished", invoice=invoice_pk, reason=reason)
    return IngestResult(retry_while_database_is_down(write), None)


def _record_failure(invoice_pk: int, reason: str, held: HeldLease) -> IngestResult:
    """Store why, and leave everything else as it was."""

    @transaction.atomic
    def write() -> ProviderInvoice:
        invoice = ProviderInvoice.objects.select_for_update(no_key=True).find(invoice_pk)
        advance(invoice, IngestStatus.FAILED, INGEST_LIFECYCLE, ingest_error=reason)
        update_alerts(invoice)
        # Last, under the row's lock: who lost the lease must not write over the next one's work.
        held.assert_held()
        return invoice

    return IngestResult(retry_while_database_is_down(write), None)
