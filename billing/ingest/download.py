"""The download of one invoice's documents, to files before the database is touched.

No transaction stays open while a download drips, and memory doesn't grow with an invoice.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, TypeVar

import structlog

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderError, ProviderNotFound
from arcadia_cloud.digitalocean.records import InvoiceItemRecord, InvoiceSummaryRecord

T = TypeVar("T")
log = structlog.get_logger(__name__)

_ENCODING: Final = "utf-8"


@dataclass(frozen=True, slots=True)
class InvoiceDocuments:
    """One invoice's CSV, its items as rows for `stage.replace_lines`, its sums; None where absent."""

    csv: IO[bytes]
    items: IO[str] | None
    summary: InvoiceSummaryRecord | None

    def rewind(self) -> None:
        """Seek the beginning of both files."""
        self.csv.seek(0)
        if self.items is not None:
            self.items.seek(0)


@contextmanager
def download(
    cloud: DigitalOcean, invoice_uuid: str, *, file: Path | None = None
) -> Iterator[InvoiceDocuments]:
    """Open all documents of an invoice for the block. With `file` the CSV is that file, not the provider's.

    Items and summary are then None where the provider is away: the file still has its sums. Raises
    ProviderError without a file, and OSError where it can't be read.
    """
    with ExitStack() as closing:
        if file is None:
            invoice_csv: IO[bytes] = closing.enter_context(TemporaryFile())
            with cloud.invoice_csv(invoice_uuid) as lines:
                invoice_csv.writelines(line.encode(_ENCODING, "surrogateescape") for line in lines)
        else:
            invoice_csv = closing.enter_context(file.open("rb"))
        tolerated = ProviderNotFound if file is None else ProviderError
        items_csv: IO[str] = closing.enter_context(TemporaryFile("w+", encoding=_ENCODING, newline=""))

        def download_items() -> IO[str]:
            write_items_csv(cloud.invoice_items(invoice_uuid), items_csv)
            return items_csv

        yield InvoiceDocuments(
            csv=invoice_csv,
            items=_none_if(tolerated, download_items),
            summary=_none_if(tolerated, lambda: cloud.invoice_summary(invoice_uuid)),
        )


def _none_if(tolerated: type[ProviderError], fetch: Callable[[], T]) -> T | None:
    try:
        return fetch()
    except tolerated as error:
        log.warning("invoice_document_missing", call=error.call, reason=error.message)
        return None


def write_items_csv(items: Iterable[InvoiceItemRecord], into: IO[str]) -> None:
    """Write items as rows of CSV, except those without a time: they can't be compared with a line."""
    write = csv.writer(into, lineterminator="\r\n").writerow
    for number, item in enumerate(items, start=1):
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
