"""The ingest of one invoice: its documents are read first, then its lines replaced in one transaction.

One process at a time ingests an invoice; a second one waits. What goes wrong leaves the lines that were
there as they were, and says so on the invoice.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import DatabaseError, InterfaceError, transaction

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderError, ProviderNotFound
from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.database import retry_while_database_is_down
from arcadia_cloud.kernel.errors import Conflict, InvalidInput, NotFound, describe
from arcadia_cloud.kernel.leases import HeldLease
from billing.finance_push import refresh_push_status
from billing.ingest.csv import UnreadableInvoice
from billing.ingest.csv_summary import summarize_csv
from billing.ingest.download import Documents, download
from billing.ingest.lease import invoice_lease, subject_of
from billing.ingest.reconcile import Reconciliation, reconcile
from billing.ingest.stage import IngestTotals, replace_lines
from billing.models import ProviderInvoice
from billing.values import IngestStatus

MISMATCH_ALERT: Final = "invoice_mismatch"
FAILED_ALERT: Final = "invoice_failed"
UNREADABLE: Final = (ProviderError, UnreadableInvoice, DatabaseError, InterfaceError)


class NotAMismatch(Conflict):
    """There is no difference to accept."""

    code = "not_a_mismatch"


@dataclass(frozen=True, slots=True)
class IngestResult:
    """How an ingest ended: the invoice as it now is, and what was written; None where nothing was."""

    invoice: ProviderInvoice
    kept: IngestTotals | None


def ingest_invoice(
    *, invoice_pk: int, cloud: DigitalOcean, at: datetime, again: bool = False, file: Path | None = None
) -> IngestResult:
    """Fetch an invoice's documents and put its lines in place; return how that ended, failed too.

    One that is ingested already is left alone unless `again`; a preview never is. With `file` the table is
    that file's: it is read to its end before anything is touched, and UnreadableInvoice raised, InvalidInput
    where it is another month's. Raises NotFound, also where a preview goes meanwhile.
    """
    table = None if file is None else summarize_csv(file)
    with invoice_lease(invoice_pk) as held:
        invoice = ProviderInvoice.objects.filter(pk=invoice_pk).first()
        if invoice is None:
            raise _gone(invoice_pk)
        if table is not None:
            table.assert_of(invoice)
        if invoice.ingest_status == IngestStatus.INGESTED and not (again or invoice.is_preview or file):
            return IngestResult(invoice, None)
        try:
            with download(cloud, invoice.invoice_uuid, file=file) as documents:
                done = retry_while_database_is_down(lambda: _keep(invoice_pk, documents, held, at))
        except UNREADABLE as problem:
            # A preview's uuid goes with its month: what it told stays until the final invoice has its lines.
            is_over = invoice.is_preview and isinstance(problem, ProviderNotFound)
            done = IngestResult(invoice, None) if is_over else _fail(invoice_pk, describe(problem), held)
        _tell(done.invoice)
        return done


def accept_mismatch(
    *, invoice_pk: int, difference: str, note: str, actor: str, at: datetime
) -> ProviderInvoice:
    """Take an invoice's difference for right, on an operator's word. It holds for this difference only.

    `difference` is what the operator was shown: the invoice is read again every hour, and what it says by
    then nobody has looked at. White space aside, which a browser changes. Raises InvalidInput without a
    note, NotAMismatch where there is nothing to accept or something else, and NotFound.
    """
    if not note.strip():
        raise InvalidInput("Say why it is right.", errors={"note": ["May not be empty."]})
    with transaction.atomic():
        invoice = ProviderInvoice.objects.select_for_update().filter(pk=invoice_pk).first()
        if invoice is None:
            raise _gone(invoice_pk)
        if invoice.ingest_status != IngestStatus.MISMATCH:
            raise NotAMismatch(f"{invoice} is {invoice.ingest_status}: there is no difference to accept")
        if difference.split() != invoice.ingest_error.split():
            raise NotAMismatch(f"{invoice} was read again, and the difference is another now")
        invoice.accepted_at, invoice.accepted_by, invoice.accepted_note = at, actor, note.strip()
        invoice.accepted_error = invoice.ingest_error
        invoice.ingest_status = IngestStatus.INGESTED
        invoice.save()
    resolve_alert(code=MISMATCH_ALERT, subject=subject_of(invoice), actor=actor)
    return invoice


@transaction.atomic
def _keep(pk: int, documents: Documents, held: HeldLease, at: datetime) -> IngestResult:
    """Write lines and verdict together. May be repeated."""
    documents.rewind()
    invoice = ProviderInvoice.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if invoice is None:
        raise _gone(pk)
    kept = replace_lines(invoice.pk, documents.lines, documents.items)
    summary = documents.summary
    if summary is not None:
        invoice.period = summary.period
        if invoice.is_preview:
            invoice.amount = summary.amount  # the header's is of another moment
    credits_told = summary.credits_and_adjustments.amount if summary else None
    verdict = reconcile(amount=invoice.amount, kept=kept, credits_and_adjustments=credits_told)
    _record(invoice, kept, verdict, at)
    if not invoice.is_preview and invoice.is_issued_after_its_period:
        ProviderInvoice.objects.filter(
            provider=invoice.provider, period=invoice.period, is_preview=True
        ).delete()
    held.assert_held()
    return IngestResult(invoice, kept)


def _record(invoice: ProviderInvoice, kept: IngestTotals, verdict: Reconciliation, at: datetime) -> None:
    is_accepted = bool(verdict.error) and verdict.error == invoice.accepted_error
    if not is_accepted:
        invoice.accepted_at = None
        invoice.accepted_by = invoice.accepted_note = invoice.accepted_error = ""
    invoice.ingest_status = IngestStatus.INGESTED if is_accepted else verdict.status
    invoice.ingest_error = verdict.error
    invoice.ingested_at = at
    invoice.line_count = kept.count
    invoice.lines_total = kept.total
    invoice.tax_total = kept.tax_total
    invoice.adjustments_total = verdict.adjustments
    invoice.items_count = kept.items
    refresh_push_status(invoice)
    invoice.save()


def _fail(pk: int, words: str, held: HeldLease) -> IngestResult:
    """Say on the invoice why, and leave everything else as it was."""

    @transaction.atomic
    def write() -> None:
        ProviderInvoice.objects.filter(pk=pk).update(ingest_status=IngestStatus.FAILED, ingest_error=words)
        held.assert_held()

    retry_while_database_is_down(write)
    invoice = ProviderInvoice.objects.filter(pk=pk).first()
    if invoice is None:
        raise _gone(pk)
    return IngestResult(invoice, None)


def _gone(pk: int) -> NotFound:
    return NotFound(f"invoice {pk} is gone: a preview goes when the final invoice comes")


def _tell(invoice: ProviderInvoice) -> None:
    """Raise or close the operators' alerts. A preview that moves while it is read is nobody's business."""
    alert_of = {IngestStatus.MISMATCH: MISMATCH_ALERT, IngestStatus.FAILED: FAILED_ALERT}
    raised = alert_of.get(IngestStatus(invoice.ingest_status))
    subject = subject_of(invoice)
    for code in alert_of.values():
        if code != raised:
            resolve_alert(code=code, subject=subject, actor="ingest")
    if raised and not invoice.is_preview:
        raise_alert(
            code=raised,
            subject=subject,
            message=f"{str(invoice).capitalize()}: {invoice.ingest_error}",
            details={"invoice": invoice.pk},
        )
