"""The billing history: a header per invoice, and a row for every other entry.

It goes back ten years and more, so a run reads only until it meets what is stored. All of a run is stored in
one transaction: what is stored then always reaches back to the beginning, also after a run that was killed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final, TypeVar

from django.conf import settings
from django.db import transaction

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.records import BillingEntryRecord, InvoiceRecord
from arcadia_cloud.kernel.leases import lease
from arcadia_cloud.kernel.periods import month_of
from arcadia_cloud.kernel.states import advance
from billing.finance_push import refresh_push_status
from billing.models import BillingEntry, ProviderInvoice
from billing.states import INGEST_LIFECYCLE, IngestStatus
from inventory.values import PROVIDER

T = TypeVar("T")
Key = tuple[object, ...]

_LEASE: Final = "billing history"
_WAIT_SECONDS: Final = 300
_CHUNK: Final = 200  # a page of the provider's, so that a page more is asked for only when it is needed
_INVOICE: Final = "Invoice"


@dataclass(frozen=True, slots=True)
class HistoryResult:
    """The numbers of new headers and entries, and the invoices without their lines, oldest first."""

    invoices: int
    entries: int
    to_ingest: list[int]


@dataclass(frozen=True, slots=True)
class _InvoiceHeader:
    invoice_uuid: str
    invoice_id: str
    amount: object
    period: date
    issued_on: date | None
    is_preview: bool = False


def read_history(*, cloud: DigitalOcean, at: datetime, since: date | None = None) -> HistoryResult:
    """Read what is new of the history and of the invoices, and the running month's preview.

    With `since`, the first of a month, everything back to it is read, stored or not. May be repeated; of two
    at once one waits. Raises ProviderError, and then nothing is stored.
    """
    seconds = settings.ARCADIA_BILLING_LEASE_SECONDS
    with lease(_LEASE, seconds=seconds, wait_seconds=_WAIT_SECONDS) as held:
        # Both lists are read before anything is stored: a run that fails leaves no gap behind what is known.
        listed = _read_until_known(
            cloud.invoices(), _count_unknown_invoices, lambda invoice: invoice.period, since
        )
        history = _read_until_known(
            cloud.billing_history(), _unknown_entry_counter(), lambda entry: entry.date, since
        )
        preview = cloud.invoice_preview()
        with transaction.atomic():
            new_invoices = _upsert_headers(_merge_headers(listed, history), at)
            new_entries = _insert_entries(history)
            if preview is not None:
                _upsert_preview(preview, at)
            held.assert_held()  # last: from here to the commit the lease can't pass to another worker
    return HistoryResult(new_invoices, new_entries, ProviderInvoice.objects.to_ingest().oldest_first())


def _read_until_known(
    items: Iterator[T],
    count_unknown: Callable[[Sequence[T]], int],
    day_of: Callable[[T], date],
    since: date | None,
) -> list[T]:
    """Read items, newest first, up to and with the first page on which nothing is new.

    A page all of one instant decides nothing: the rest of that instant may stand on the next.
    """
    read: list[T] = []
    while chunk := list(islice(items, _CHUNK)):
        read += chunk
        newest, oldest = day_of(chunk[0]), day_of(chunk[-1])
        reaches_back = since is None or oldest.isoformat() < since.isoformat()
        if count_unknown(chunk) == 0 and reaches_back and oldest < newest:
            break
    return read


def _count_unknown_invoices(chunk: Sequence[InvoiceRecord]) -> int:
    known = dict(
        ProviderInvoice.objects.final()
        .filter(provider=PROVIDER, invoice_uuid__in=[invoice.invoice_uuid for invoice in chunk])
        .values_list("invoice_uuid", "amount")
    )
    return sum(known.get(invoice.invoice_uuid) != invoice.amount for invoice in chunk)


def _unknown_entry_counter() -> Callable[[Sequence[BillingEntryRecord]], int]:
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


def _merge_headers(
    listed: Iterable[InvoiceRecord], history: Iterable[BillingEntryRecord]
) -> list[_InvoiceHeader]:
    """Return a header per invoice of either list. The list of invoices has the month, the history the day."""
    issued = {entry.invoice_uuid: entry for entry in history if _is_invoice(entry)}
    headers = []
    for invoice in listed:
        entry = issued.pop(invoice.invoice_uuid, None)
        day = entry.date.date() if entry else None
        headers.append(
            _InvoiceHeader(invoice.invoice_uuid, invoice.invoice_id, invoice.amount, invoice.period, day)
        )
    for uuid, entry in issued.items():
        day = entry.date.date()
        # Issued on the first for the month before, or within a month at a usage threshold.
        period = month_of(day - timedelta(days=1)).start
        headers.append(_InvoiceHeader(uuid, entry.invoice_id, entry.amount, period, day))
    return headers


def _upsert_headers(headers: Sequence[_InvoiceHeader], at: datetime) -> int:
    """Insert new headers, update changed ones; return how many are new."""
    uuids = [header.invoice_uuid for header in headers]
    known = {
        invoice.invoice_uuid: invoice
        for invoice in ProviderInvoice.objects.filter(provider=PROVIDER, invoice_uuid__in=uuids)
    }
    for header in headers:
        if header.invoice_uuid in known:
            _update_header(known[header.invoice_uuid], header)
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


def _update_header(invoice: ProviderInvoice, header: _InvoiceHeader) -> None:
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


def _insert_entries(history: Iterable[BillingEntryRecord]) -> int:
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


def _upsert_preview(preview: InvoiceRecord, at: datetime) -> None:
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
