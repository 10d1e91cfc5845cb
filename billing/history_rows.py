"""The rows of the billing history: which of a list is new, and storing it.

Entries have no id: equal ones differ by their number alone, in the order of the list.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from arcadia_cloud.digitalocean.records import BillingEntryRecord, InvoiceRecord
from arcadia_cloud.kernel.periods import month_of
from arcadia_cloud.kernel.states import advance
from billing.finance_push import refresh_push_status
from billing.models import BillingEntry, ProviderInvoice
from billing.states import INGEST_LIFECYCLE, IngestStatus
from inventory.values import PROVIDER

Key = tuple[object, ...]

_INVOICE: Final = "Invoice"


@dataclass(frozen=True, slots=True)
class InvoiceHeader:
    """An invoice as the lists name it, without its lines. `period` is the first day of its month."""

    invoice_uuid: str
    invoice_id: str
    amount: object
    period: date
    issued_on: date | None
    is_preview: bool = False


def count_unknown_invoices(chunk: Sequence[InvoiceRecord]) -> int:
    """Count the invoices of a page that aren't stored, or are with another amount."""
    known = dict(
        ProviderInvoice.objects.final()
        .filter(provider=PROVIDER, invoice_uuid__in=[invoice.invoice_uuid for invoice in chunk])
        .values_list("invoice_uuid", "amount")
    )
    return sum(known.get(invoice.invoice_uuid) != invoice.amount for invoice in chunk)


def unknown_entry_counter() -> Callable[[Sequence[BillingEntryRecord]], int]:
    """Return a counter of what is new on each page, in turn: equal entries differ by their number alone."""
    seen: Counter[Key] = Counter()

    def count_unknown(chunk: Sequence[BillingEntryRecord]) -> int:
        others = [entry for entry in chunk if not _is_invoice(entry)]
        uuids = {entry.invoice_uuid for entry in chunk if _is_invoice(entry)}
        known = ProviderInvoice.objects.filter(provider=PROVIDER, invoice_uuid__in=uuids)
        new = len(uuids) - known.exclude(issued_on=None).count()
        stored = _count_stored_entries(others)
        for entry in others:
            key = _entry_key(entry)
            seen[key] += 1
            new += seen[key] > stored[key]
        return new

    return count_unknown


def _count_stored_entries(entries: Sequence[BillingEntryRecord]) -> Counter[Key]:
    """Count the stored entries by their key, within the time of these."""
    if not entries:
        return Counter()
    dates = [entry.date for entry in entries]
    rows = BillingEntry.objects.filter(provider=PROVIDER, date__range=(min(dates), max(dates)))
    return Counter(rows.values_list("type", "date", "amount", "description", "invoice_uuid"))


def _is_invoice(entry: BillingEntryRecord) -> bool:
    return entry.type == _INVOICE and entry.invoice_uuid != ""


def _entry_key(entry: BillingEntryRecord) -> Key:
    return (entry.type, entry.date, entry.amount, entry.description, entry.invoice_uuid or None)


def merge_headers(
    listed: Iterable[InvoiceRecord], history: Iterable[BillingEntryRecord]
) -> list[InvoiceHeader]:
    """Return a header per invoice of either list. The list of invoices has the month, the history the day."""
    issued = {entry.invoice_uuid: entry for entry in history if _is_invoice(entry)}
    headers = []
    for invoice in listed:
        entry = issued.pop(invoice.invoice_uuid, None)
        day = entry.date.date() if entry else None
        headers.append(
            InvoiceHeader(invoice.invoice_uuid, invoice.invoice_id, invoice.amount, invoice.period, day)
        )
    for uuid, entry in issued.items():
        day = entry.date.date()
        # Issued on the first for the month before, or within a month at a usage threshold.
        period = month_of(day - timedelta(days=1)).start
        headers.append(InvoiceHeader(uuid, entry.invoice_id, entry.amount, period, day))
    return headers


def upsert_headers(headers: Sequence[InvoiceHeader], at: datetime) -> int:
    """Insert new headers, update changed ones; return how many are new."""
    uuids = [header.invoice_uuid for header in headers]
    known = {
        invoice.invoice_uuid: invoice
        for invoice in ProviderInvoice.objects.filter(provider=PROVIDER, invoice_uuid__in=uuids)
    }
    for header in headers:
        if header.invoice_uuid in known:
            update_header(known[header.invoice_uuid], header)
    new = {header.invoice_uuid: header for header in headers if header.invoice_uuid not in known}
    ProviderInvoice.objects.bulk_create(
        [
            ProviderInvoice(
                provider=PROVIDER,
                invoice_uuid=header.invoice_uuid,
                invoice_id=header.invoice_id,
                period=header.period,
                issued_on=header.issued_on,
                is_preview=header.is_preview,
                amount=header.amount,
                discovered_at=at,
            )
            for header in sorted(new.values(), key=lambda header: header.period)
        ]
    )
    return len(new)


def update_header(invoice: ProviderInvoice, header: InvoiceHeader) -> None:
    """Take over a day of issue, and another amount, for which the invoice is to be ingested again."""
    is_changed = (invoice.amount, invoice.is_preview) != (header.amount, header.is_preview)
    if not is_changed and (header.issued_on is None or invoice.issued_on is not None):
        return
    # Read again under its lock: an ingest or a push may have moved it since the headers were compared.
    invoice = ProviderInvoice.objects.select_for_update(no_key=True).get(pk=invoice.pk)
    if header.issued_on is not None and invoice.issued_on is None:
        invoice.issued_on = header.issued_on
        invoice.save(update_fields=["issued_on"])
    if is_changed:
        advance(
            invoice,
            IngestStatus.PENDING,
            INGEST_LIFECYCLE,
            amount=header.amount,
            is_preview=header.is_preview,
            period=header.period,
        )
    refresh_push_status(invoice)


def insert_entries(history: Iterable[BillingEntryRecord]) -> int:
    """Store the entries that aren't invoices and aren't stored; return how many are new."""
    others = [entry for entry in history if not _is_invoice(entry)]
    stored = _count_stored_entries(others)
    seen: Counter[Key] = Counter()
    new = []
    for entry in others:
        key = _entry_key(entry)
        seen[key] += 1
        if seen[key] > stored[key]:
            new.append(
                BillingEntry(
                    provider=PROVIDER,
                    type=entry.type,
                    date=entry.date,
                    amount=entry.amount,
                    description=entry.description,
                    invoice_uuid=entry.invoice_uuid or None,
                    number=seen[key],
                )
            )
    # Newest last, as their keys are shown; another run's entries win by their unique key.
    BillingEntry.objects.bulk_create(reversed(new), ignore_conflicts=True)
    return len(new)


def upsert_preview(preview: InvoiceRecord, at: datetime) -> None:
    """Store the running month's, in the place of its preview under another uuid."""
    previews = ProviderInvoice.objects.previews().filter(provider=PROVIDER, period=preview.period)
    previews.exclude(invoice_uuid=preview.invoice_uuid).delete()
    finals = ProviderInvoice.objects.final().filter(provider=PROVIDER, invoice_uuid=preview.invoice_uuid)
    if finals.exists():
        return  # the list of final invoices has it by now
    ProviderInvoice.objects.update_or_create(
        provider=PROVIDER,
        invoice_uuid=preview.invoice_uuid,
        defaults={"amount": preview.amount, "period": preview.period},
        create_defaults={
            "amount": preview.amount,
            "period": preview.period,
            "invoice_id": preview.invoice_id,
            "is_preview": True,
            "discovered_at": at,
        },
    )
