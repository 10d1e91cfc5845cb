"""Invoices whose items have more pages than an hour has calls."""

import re
from typing import Any

import pytest
from django.utils import timezone

from arcadia_cloud.kernel.models import Alert
from billing.models import CostLine, InvoiceItemsPart, ProviderInvoice
from billing.queries import invoices_to_ingest
from billing.services import update_history
from tests.billing.conftest import Ingest
from tests.inventory.hours import BeginHour, begin_hour
from tests.simulated import Simulated

__all__ = ["begin_hour"]
pytestmark = pytest.mark.django_db(transaction=True)
LINES = 3000  # fifteen pages of items


@pytest.fixture
def long_invoice(years: Simulated) -> ProviderInvoice:
    """An invoice of April 2026; nothing is ingested."""
    made = years.control("POST", "invoices", month="2026-04", lines=LINES)
    update_history(at=timezone.now(), enqueue=False)
    return ProviderInvoice.objects.get(invoice_uuid=made["invoice"]["invoice_uuid"])


def pages_asked(simulator: Simulated, invoice: ProviderInvoice) -> list[int]:
    asked = simulator.requests(path=f"/v2/customers/my/invoices/{invoice.invoice_uuid}")
    found = [re.search(r"\bpage=(\d+)", request["query"]) for request in asked]
    return [int(match[1]) for match in found if match]


def lines_of(invoice: ProviderInvoice) -> list[dict[str, Any]]:
    rows = CostLine.objects.filter(invoice=invoice).order_by("line_no").values()
    return [{name: value for name, value in row.items() if name != "id"} for row in rows]


def test_items_are_read_over_several_hours_each_page_once(
    years: Simulated, long_invoice: ProviderInvoice, ingest: Ingest, begin_hour: BeginHour
) -> None:
    pages: list[int] = []
    for _ in range(5):
        begin_hour(16)
        invoice = ingest(long_invoice)
        pages += pages_asked(years, invoice)
        if invoice.ingest_status == "ingested":
            break
        assert (invoice.ingest_status, invoice.line_count) == ("pending", 0)
        assert re.fullmatch(
            r"\d+ of 3000 items were read: half of the hour's calls is left to the syncs\. "
            r"The next ingest, within the hour, goes on there",
            invoice.ingest_error,
        ), invoice.ingest_error
        assert invoice.pk in invoices_to_ingest()
        assert not Alert.objects.exists()
    assert (invoice.ingest_status, invoice.ingest_error) == ("ingested", "")
    assert (invoice.line_count, invoice.items_count) == (LINES, LINES)
    assert pages == list(range(1, 16))
    assert not InvoiceItemsPart.objects.exists()
    in_parts = lines_of(invoice)
    begin_hour(5000)
    assert lines_of(ingest(long_invoice, again=True)) == in_parts


def test_a_list_of_items_that_is_another_by_then_is_read_anew(
    years: Simulated, long_invoice: ProviderInvoice, ingest: Ingest, begin_hour: BeginHour
) -> None:
    begin_hour(16)
    ingest(long_invoice)
    InvoiceItemsPart.objects.update(total=LINES - 1)
    begin_hour(5000)
    assert "they are read anew" in ingest(long_invoice).ingest_error
    assert ingest(long_invoice).ingest_status == "ingested"
    assert sorted(set(pages_asked(years, long_invoice))) == list(range(1, 16))


def test_a_preview_with_more_pages_than_calls_is_read_without_its_items(
    years: Simulated, long_invoice: ProviderInvoice, ingest: Ingest, begin_hour: BeginHour
) -> None:
    ProviderInvoice.objects.previews().delete()
    ProviderInvoice.objects.filter(pk=long_invoice.pk).update(is_preview=True)
    begin_hour(16)
    invoice = ingest(long_invoice)
    assert (invoice.items_count, InvoiceItemsPart.objects.count()) == (None, 0)
    assert invoice.line_count >= LINES
    assert len(pages_asked(years, invoice)) == 1
