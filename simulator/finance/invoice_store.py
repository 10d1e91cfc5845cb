"""The rows of the simulated finance service: one for each (tenant, source, external id)."""

import sqlite3
import threading
import uuid
from datetime import date
from typing import Annotated, Any, Final

import msgspec

from simulator.droplet import NAMESPACE

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS invoices (
    place INTEGER PRIMARY KEY, invoice_id TEXT NOT NULL, tenant_id TEXT NOT NULL, source TEXT NOT NULL,
    external_id TEXT NOT NULL, times INTEGER NOT NULL, body TEXT NOT NULL,
    UNIQUE (tenant_id, source, external_id)
)
"""
_UPSERT: Final = """
INSERT INTO invoices (invoice_id, tenant_id, source, external_id, times, body) VALUES (?, ?, ?, ?, 1, ?)
ON CONFLICT (tenant_id, source, external_id) DO UPDATE SET times = times + 1, body = excluded.body
RETURNING invoice_id, times
"""


class Vendor(msgspec.Struct, forbid_unknown_fields=True):
    name: Name
    category: Name


class ReceivedInvoice(msgspec.Struct, forbid_unknown_fields=True):
    """An invoice by the contract. Raises ValueError if its amounts or dates don't add up."""

    tenant_id: Name
    source: Name
    external_id: Name
    vendor: Vendor
    number: str
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    period_start: date
    period_end: date
    issued_on: date
    amount_net_minor: int
    amount_tax_minor: int
    amount_gross_minor: int
    line_count: Annotated[int, msgspec.Meta(ge=0)]

    def __post_init__(self) -> None:
        if self.amount_net_minor + self.amount_tax_minor != self.amount_gross_minor:
            raise ValueError("net and tax don't add up to the gross amount")
        if self.period_start >= self.period_end:
            raise ValueError("the period ends before it begins")


class InvoiceStore:
    """Rows in memory, or in a file that outlives the process; thread-safe."""

    def __init__(self, path: str = ":memory:") -> None:
        self._lock = threading.Lock()
        self._rows = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._rows.execute(_TABLE)

    def upsert(self, invoice: ReceivedInvoice) -> tuple[str, str]:
        """Create or update the invoice's row; returns its id, and `created` or `updated`."""
        key = (invoice.tenant_id, invoice.source, invoice.external_id)
        invoice_id = str(uuid.uuid5(NAMESPACE, f"finance/{'/'.join(key)}"))
        body = msgspec.json.encode(invoice).decode()
        with self._lock:
            # One statement decides which of two requests at once created the row; the other one updated it.
            stored_id, times = self._rows.execute(_UPSERT, (invoice_id, *key, body)).fetchone()
        return str(stored_id), "created" if times == 1 else "updated"

    def list_rows(self) -> list[dict[str, Any]]:
        """Return all rows, oldest first."""
        query = "SELECT invoice_id, times, body FROM invoices ORDER BY place"
        with self._lock:
            found = self._rows.execute(query).fetchall()
        return [
            {"invoice_id": invoice_id, "times": times, **msgspec.json.decode(body)}
            for invoice_id, times, body in found
        ]

    def clear(self) -> None:
        with self._lock:
            self._rows.execute("DELETE FROM invoices")
