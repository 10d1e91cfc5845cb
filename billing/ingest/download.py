"""The download of one invoice's documents, to files before the database is touched.

No transaction stays open while a download drips, and memory doesn't grow with an invoice.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, TypeVar

import structlog

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderError, ProviderNotFound
from arcadia_cloud.digitalocean.records import InvoiceSummaryRecord
from billing.ingest.items import ItemsUnfinished, download_items
from billing.models import ProviderInvoice

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
    cloud: DigitalOcean, invoice: ProviderInvoice, *, file: Path | None = None
) -> Iterator[InvoiceDocuments]:
    """Open all documents of an invoice for the block. With `file` the CSV is that file, not the provider's.

    Items and summary are then None where the provider is away: the file still has its sums. Raises
    ProviderError without a file, OSError where it can't be read, and ItemsUnfinished.
    """
    with ExitStack() as closing:
        if file is None:
            invoice_csv: IO[bytes] = closing.enter_context(TemporaryFile())
            with cloud.invoice_csv(invoice.invoice_uuid) as lines:
                invoice_csv.writelines(line.encode(_ENCODING, "surrogateescape") for line in lines)
        else:
            invoice_csv = closing.enter_context(file.open("rb"))
        tolerated = (ProviderNotFound,) if file is None else (ProviderError, ItemsUnfinished)
        items_csv: IO[str] = closing.enter_context(TemporaryFile("w+", encoding=_ENCODING, newline=""))

        def fetch_items() -> IO[str] | None:
            return items_csv if download_items(cloud, invoice, items_csv) else None

        yield InvoiceDocuments(
            csv=invoice_csv,
            items=_none_if(tolerated, fetch_items),
            summary=_none_if(tolerated, lambda: cloud.invoice_summary(invoice.invoice_uuid)),
        )


def _none_if(tolerated: tuple[type[Exception], ...], fetch: Callable[[], T]) -> T | None:
    try:
        return fetch()
    except tolerated as error:
        log.warning("invoice_document_missing", reason=str(error))
        return None
