"""The billing history: a header per invoice, and a row for every other entry.

It goes back ten years and more, so a run reads only until it meets what is stored. All of a run is stored in
one transaction: what is stored then always reaches back to the beginning, also after a run that was killed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeVar

import structlog
from django.conf import settings
from django.db import transaction

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderMalformed, ProviderUnavailable
from arcadia_cloud.digitalocean.listing import Page
from arcadia_cloud.digitalocean.records import BillingEntryRecord, InvoiceRecord
from arcadia_cloud.kernel.leases import lease
from billing.history_rows import (
    count_unknown_invoices,
    insert_entries,
    merge_headers,
    unknown_entry_counter,
    upsert_headers,
    upsert_preview,
)
from billing.models import ProviderInvoice
from billing.values import is_storable

T = TypeVar("T")
log = structlog.get_logger(__name__)

_LEASE: Final = "billing history"
_WAIT_SECONDS: Final = 300
_MOST_READINGS: Final = 3  # of a list that grows while it is read; an account has a few entries a day
_CALL: Final = "GET /v2/customers/my/billing_history"


@dataclass(frozen=True, slots=True)
class HistoryResult:
    """The numbers of new headers and entries, and the invoices without their lines, oldest first."""

    invoices: int
    entries: int
    to_ingest: list[int]


def read_history(*, cloud: DigitalOcean, at: datetime, since: date | None = None) -> HistoryResult:
    """Read what is new of the history and of the invoices, and the running month's preview.

    With `since`, the first of a month, everything back to it is read, stored or not. May be repeated; of two
    at once one waits. Raises ProviderError, and then nothing is stored.
    """
    seconds = settings.ARCADIA_BILLING_LEASE_SECONDS
    with lease(_LEASE, seconds=seconds, wait_seconds=_WAIT_SECONDS) as held:
        # Both lists are read before anything is stored: a run that fails leaves no gap behind what is known.
        listed = _read_until_known(
            cloud.invoice_pages, lambda: count_unknown_invoices, lambda invoice: invoice.period, since
        )
        history = _read_until_known(
            cloud.billing_history_pages, unknown_entry_counter, lambda entry: entry.date, since
        )
        _assert_storable([*listed, *history])
        preview = _read_preview(cloud)
        # One transaction for all parts: an invoice is never listed without what was paid on it.
        with transaction.atomic():
            new_invoices = upsert_headers(merge_headers(listed, history), at)
            new_entries = insert_entries(history)
            if preview is not None:
                upsert_preview(preview, at)
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
    again as the first of the next, where it looks like a second one. So a list whose count changes while it
    is read is read again. Raises ProviderUnavailable where it doesn't come to rest.
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
        if page.items and count_unknown(page.items) == 0:
            newest, oldest = day_of(page.items[0]), day_of(page.items[-1])
            # What follows is stored, too; but after a page all of one instant more of it may come.
            if oldest < newest and (since is None or oldest.isoformat() < since.isoformat()):
                break
    # Where the provider doesn't count, what was newest must be so still: entries come at the top.
    if first is not None and first.total is None and count > 1 and next(pages()).items != first.items:
        return None
    return read


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
