"""The billing history: a header per invoice, and a row for every other entry.

It goes back ten years and more, so a run reads only until it meets what is stored. All of a run is stored in
one transaction: what is stored then always reaches back to the beginning, also after a run that was killed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

import structlog
from django.conf import settings
from django.db import transaction

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderMalformed, ProviderUnavailable
from arcadia_cloud.digitalocean.pagination import Page
from arcadia_cloud.digitalocean.records import BillingEntryRecord, InvoiceRecord
from arcadia_cloud.kernel.leases import lease
from arcadia_cloud.kernel.periods import month_of
from arcadia_cloud.kernel.states import advance
from billing.finance_push import refresh_push_status
from billing.models import BillingEntry, ProviderInvoice
from billing.states import INGEST_LIFECYCLE, IngestStatus
from billing.values import is_storable
from inventory.values import PROVIDER

T = TypeVar("T")
log = structlog.get_logger(__name__)
Key = tuple[object, ...]

_LEASE: Final = "billing history"
_WAIT_SECONDS: Final = 300
_MOST_READINGS: Final = 3  # of a list that grows while it is read; an account has a few entries a day
_CALL: Final = "GET /v2/customers/my/billing_history"
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
            cloud.invoice_pages, lambda: _count_unknown_invoices, lambda invoice: invoice.period, since
        )
        history = _read_until_known(
            cloud.billing_history_pages, _unknown_entry_counter, lambda entry: entry.date, since
        )
        _assert_storable([*listed, *history])
        preview = _read_preview(cloud)
        with transaction.atomic():
            new_invoices = _upsert_headers(_merge_headers(listed, history), at)
            new_entries = _insert_entries(history)
            if preview is not None:
                _upsert_preview(preview, at)
            held.assert_held()  # last: from here to the commit the lease can't pass to another worker
    return HistoryResult(new_invoices, new_entries, ProviderInvoice.objects.to_ingest().oldest_first())


def _read_until_known(
    pages: Callable[[], Iterator[Page[T]]],
    unknown_counter: Callable[[], Callable[[Sequence[T]], int]],
    day_of: Callable[[T], date],
    since: date | None,
) -> list[T]:
    """Read items, newest first, up to and with the first page on which nothing is new.

    Pages are not a snapshot: an entry that is added meanwhile moves all others, and the last of a page comes
    again as the first of the next, where nothing tells it from a second one like it. So a list whose count
    changes while it is read is read again. Raises ProviderUnavailable where it doesn't come to rest.
    """
    for _ in range(_MOST_READINGS):
        read = _read_at_rest(pages, unknown_counter(), day_of, since)
        if read is not None:
            return read
        log.warning("billing_list_moved")
    raise ProviderUnavailable("the billing history changed whenever it was read", call=_CALL)


def _read_at_rest(
    pages: Callable[[], Iterator[Page[T]]],
    count_unknown: Callable[[Sequence[T]], int],
    day_of: Callable[[T], date],
    since: date | None,
) -> list[T] | None:
    """Read the items once; None where the list changed on the way."""
    read: list[T] = []
    first: Page[T] | None = None
    count = 0
    for page in pages():
        count += 1
        first = first or page
        if page.total != first.total:
            return None
        read += page.items
        if page.items and _reaches_known(page.items, count_unknown, day_of, since):
            break
    # Where the provider doesn't count, what was newest must be so still: entries come at the top.
    if first is not None and first.total is None and count > 1 and next(pages()).items != first.items:
        return None
    return read


def _reaches_known(
    page: Sequence[T],
    count_unknown: Callable[[Sequence[T]], int],
    day_of: Callable[[T], date],
    since: date | None,
) -> bool:
    """Return whether what follows is stored. After a page all of one instant more of it may come."""
    newest, oldest = day_of(page[0]), day_of(page[-1])
    reaches_back = since is None or oldest.isoformat() < since.isoformat()
    return count_unknown(page) == 0 and reaches_back and oldest < newest


def _read_preview(cloud: DigitalOcean) -> InvoiceRecord | None:
    """Return the running month's preview; None where there is none, or none that is of use.

    The month's final invoice will come in any case: the history doesn't wait for its preview.
    """
    try:
        preview = cloud.invoice_preview()
        _assert_storable([] if preview is None else [preview])
    except ProviderMalformed as fault:
        log.warning("invoice_preview_unusable", reason=str(fault))
        return None
    return preview


def _assert_storable(records: Iterable[InvoiceRecord | BillingEntryRecord]) -> None:
    """Raise ProviderMalformed for what no column holds, by our words and not by the database's."""
    for record in records:
        name = getattr(record, "type", "Invoice")
        if isinstance(record, InvoiceRecord) and not record.invoice_uuid.strip():
            raise ProviderMalformed(f"an invoice of {record.invoice_period} has no uuid", call=_CALL)
        if not is_storable(record.amount):
            raise ProviderMalformed(
                f"{name} {record.invoice_uuid}: {record.amount} has too many digits", call=_CALL
            )


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
