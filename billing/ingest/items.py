"""The items of an invoice, page by page: as many in one hour as the calls allow, the rest in the next.

An invoice of a million lines has five thousand pages of items. What was read of a final invoice is kept, and
the next ingest goes on behind it. A preview changes from hour to hour: one with too many pages is read
without its items.
"""

import csv
from collections.abc import Iterable
from io import StringIO
from math import ceil
from typing import IO, Final

import structlog
from django.db import connection

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import BudgetExhausted
from arcadia_cloud.digitalocean.listing import Page
from arcadia_cloud.digitalocean.records import InvoiceItemRecord
from arcadia_cloud.kernel.errors import DomainError
from arcadia_cloud.kernel.queue.shutdown import is_stopping
from billing.models import InvoiceItemsPart, ProviderInvoice

log = structlog.get_logger(__name__)

_PAGES_OF_A_PART: Final = 50
_LEFT_SHARE: Final = 2  # half of an hour's calls is left to the syncs and sagas


class ItemsUnfinished(DomainError):
    """Not all of an invoice's items were read, for want of calls; the next ingest goes on with them."""

    code = "invoice_items_unfinished"


def write_items_csv(items: Iterable[InvoiceItemRecord], into: IO[str], *, first_number: int = 1) -> None:
    """Write items as rows of CSV, except those without a time: they can't be compared with a line."""
    write = csv.writer(into, lineterminator="\r\n").writerow
    for number, item in enumerate(items, start=first_number):
        # COPY would take an empty time for null, and null pairs with nothing.
        if item.start_time is not None and item.end_time is not None:
            write(
                (
                    number,
                    item.product,
                    item.group_description,
                    item.description,
                    item.start_time,
                    item.end_time,
                    item.amount,
                    item.resource_id,
                    item.resource_uuid,
                )
            )


def download_items(cloud: DigitalOcean, invoice: ProviderInvoice, into: IO[str]) -> bool:
    """Write an invoice's items as rows of CSV; return whether they are all there.

    They aren't where a preview has more pages than there are calls. Raises ItemsUnfinished where a final
    invoice has, ProviderError.
    """
    usable = _usable_calls(cloud)
    if invoice.is_preview:
        number = 1
        try:
            for page in cloud.invoice_item_pages(invoice.invoice_uuid):
                if usable is not None and page.items and page.total:
                    pages = ceil(page.total / len(page.items))
                    if number == 1 and pages > usable:
                        log.warning("invoice_items_left_out", invoice=invoice.pk, pages=pages, calls=usable)
                        return False
                write_items_csv(page.items, into, first_number=number)
                number += len(page.items)
        except BudgetExhausted:
            return False
        return True
    _ItemDownload(cloud, invoice, into).read_on()
    return True


def forget_parts(invoice: ProviderInvoice) -> None:
    """Delete what was kept of an invoice's items: they are all stored, or the list was another."""
    InvoiceItemsPart.objects.filter(invoice=invoice).delete()


class _ItemDownload:
    """The download of a final invoice's items to one file, with what earlier ones have kept."""

    def __init__(self, cloud: DigitalOcean, invoice: ProviderInvoice, into: IO[str]) -> None:
        self._cloud = cloud
        self._invoice = invoice
        self._into = into
        self._offset = self._number = self._pages = 0
        self._total: int | None = None
        self._unkept = StringIO(newline="")

    def read_on(self) -> None:
        """Write what is kept, and read on behind it."""
        parts = InvoiceItemsPart.objects.filter(invoice=self._invoice).order_by("next_offset")
        for pk in parts.values_list("pk", flat=True):
            part = parts.get(pk=pk)  # one by one: together they may be a hundred megabytes
            self._into.write(part.rows)
            self._offset, self._number, self._total = part.next_offset, part.next_offset, part.total
        try:
            for page in self._cloud.invoice_item_pages(self._invoice.invoice_uuid, offset=self._offset):
                if self._offset and page.total != self._total:
                    forget_parts(self._invoice)
                    raise ItemsUnfinished(
                        f"there were {self._total} items, and now there are {page.total}: they are read anew"
                    )
                self._take(page)
                if page.next_offset is None:
                    return
                if is_stopping():
                    raise self._keep_and_stop("the worker is being stopped")
                if (usable := _usable_calls(self._cloud)) is not None and usable < 1:
                    raise self._keep_and_stop("half of the hour's calls is left to the syncs")
        except BudgetExhausted as error:
            raise self._keep_and_stop(error.message) from error

    def _take(self, page: Page[InvoiceItemRecord]) -> None:
        write_items_csv(page.items, self._unkept, first_number=self._number + 1)
        self._number += len(page.items)
        self._pages += 1
        self._total = page.total
        if page.next_offset is None:
            self._into.write(self._unkept.getvalue())
            return
        self._offset = page.next_offset
        if self._pages % _PAGES_OF_A_PART == 0:
            self._keep()

    def _keep(self) -> None:
        rows = self._unkept.getvalue()
        self._into.write(rows)
        self._unkept = StringIO(newline="")
        connection.close_if_unusable_or_obsolete()  # it was idle for the length of fifty pages
        InvoiceItemsPart.objects.create(
            invoice=self._invoice, next_offset=self._offset, total=self._total, rows=rows
        )

    def _keep_and_stop(self, reason: str) -> ItemsUnfinished:
        if self._unkept.tell():
            self._keep()
        of = "" if self._total is None else f" of {self._total}"
        return ItemsUnfinished(
            f"{self._offset}{of} items were read: {reason}. The next ingest, within the hour, goes on there"
        )


def _usable_calls(cloud: DigitalOcean) -> int | None:
    left, limit = cloud.budget.left_this_hour(), cloud.budget.hourly_limit()
    return None if left is None or limit is None else left - limit // _LEFT_SHARE
