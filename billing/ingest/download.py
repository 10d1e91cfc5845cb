"""What the provider tells of one invoice, read to files before the database is touched.

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
class Documents:
    """One invoice's table, its items as rows for `lines.replace_lines`, and its sums; None where none are."""

    lines: IO[bytes]
    items: IO[str] | None
    summary: InvoiceSummaryRecord | None

    def rewind(self) -> None:
        """Back to the beginning of both."""
        self.lines.seek(0)
        if self.items is not None:
            self.items.seek(0)


@contextmanager
def download(cloud: DigitalOcean, invoice_uuid: str, *, file: Path | None = None) -> Iterator[Documents]:
    """Everything about an invoice, for the block. With `file` the table is that file's, not the provider's.

    A provider that is away then leaves items and summary out: the file still has its sums. Raises
    ProviderError without a file, and OSError where it can't be read.
    """
    with ExitStack() as closing:
        if file is None:
            lines: IO[bytes] = closing.enter_context(TemporaryFile())
            with cloud.invoice_csv(invoice_uuid) as told:
                lines.writelines(line.encode(_ENCODING) for line in told)
        else:
            lines = closing.enter_context(file.open("rb"))
        missing = ProviderNotFound if file is None else ProviderError
        yield Documents(
            lines=lines,
            items=_unless(missing, lambda: _items(cloud, invoice_uuid, closing)),
            summary=_unless(missing, lambda: cloud.invoice_summary(invoice_uuid)),
        )


def _items(cloud: DigitalOcean, invoice_uuid: str, closing: ExitStack) -> IO[str]:
    items: IO[str] = closing.enter_context(_text_file())
    write_items_csv(cloud.invoice_items(invoice_uuid), items)
    return items


@contextmanager
def _text_file() -> Iterator[IO[str]]:
    with TemporaryFile("w+", encoding=_ENCODING, newline="") as file:
        yield file


def _unless(missing: type[ProviderError], fetch: Callable[[], T]) -> T | None:
    try:
        return fetch()
    except missing as error:
        log.warning("invoice_document_missing", call=error.call, reason=error.message)
        return None


def write_items_csv(items: Iterable[InvoiceItemRecord], into: IO[str]) -> None:
    """Write items as rows of CSV, but for those without a time: they can't be held against a line."""
    write = csv.writer(into, lineterminator="\r\n").writerow
    for number, item in enumerate(items, start=1):
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
