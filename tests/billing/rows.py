"""Rows for billing's tests: resources that lived, invoices, and lines put through the one way in."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

from arcadia_cloud.digitalocean.records import InvoiceItemRecord
from billing.ingest.items import write_items_csv
from billing.ingest.stage import IngestTotals, replace_lines
from billing.models import BalanceSnapshot, CostLine, ProviderInvoice
from billing.values import BilledLine
from inventory.models import Resource
from tests.billing.csv_files import FIRST, LAST, table

AT = datetime(2026, 5, 10, 2, 23, tzinfo=UTC)
APRIL = date(2026, 4, 1)


def a_resource(name: str = "web-01", *, kind: str = "droplet", **fields: Any) -> Resource:
    """One that lives since 2025; `fields` override."""
    born = datetime(2025, 1, 1, tzinfo=UTC)
    plain = {
        "provider_id": f"{kind}-{Resource.objects.count() + 1}",
        "provider_created_at": born,
        "first_seen_at": born,
        "last_seen_at": AT,
    }
    return Resource.objects.create(kind=kind, name=name, **{**plain, **fields})


def an_invoice(
    uuid: str = "22737513-0ea7-4206-8ceb-98a575af7681", amount: str = "6.00", **fields: Any
) -> ProviderInvoice:
    """The invoice of April 2026, not ingested yet."""
    plain = {"invoice_id": "529784185", "period": APRIL, "issued_on": date(2026, 5, 1)}
    return ProviderInvoice.objects.create(invoice_uuid=uuid, amount=Decimal(amount), **{**plain, **fields})


def a_balance(generated_at: datetime, usage: str, *, stored_at: datetime | None = None) -> BalanceSnapshot:
    """The provider's balance with this usage, nothing owed of before; stored at once."""
    asked = stored_at or generated_at
    return BalanceSnapshot.objects.create(
        hour=asked.replace(minute=0, second=0, microsecond=0),
        month_to_date_balance=Decimal(usage),
        account_balance=0,
        month_to_date_usage=Decimal(usage),
        generated_at=generated_at,
        captured_at=asked,
    )


def an_item(line: BilledLine, **fields: Any) -> InvoiceItemRecord:
    """The JSON item of a line."""
    plain = {
        "product": line.product,
        "amount": line.amount,
        "group_description": line.group_description,
        "description": line.description,
        "start_time": line.started_at,
        "end_time": line.ended_at,
    }
    return InvoiceItemRecord(**{**plain, **fields})


def store_lines(
    lines: Iterable[BilledLine],
    items: Iterable[InvoiceItemRecord] | None = None,
    *,
    invoice: ProviderInvoice | None = None,
) -> IngestTotals:
    """Store these lines of an invoice, compared with these items."""
    rows = None
    if items is not None:
        rows = StringIO(newline="")
        write_items_csv(items, rows)
        rows.seek(0)
    return replace_lines((invoice or an_invoice()).pk, BytesIO(table(lines)), rows)


def matches() -> list[tuple[str, str | None]]:
    """Return each line's match, and the provider's id of its resource."""
    return list(CostLine.objects.order_by("line_no").values_list("match", "resource__provider_id"))


__all__ = ["FIRST", "LAST"]
