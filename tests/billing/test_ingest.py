"""The ingest of an invoice, against the simulated provider."""

import threading
import time
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connection
from django.utils import timezone

from arcadia_cloud.finance import Finance
from arcadia_cloud.kernel.errors import InvalidInput
from arcadia_cloud.kernel.leases import LeaseLost
from arcadia_cloud.kernel.models import Alert, Lease
from billing import services
from billing.finance_push import push_invoice
from billing.ingest.accept_mismatch import NotAMismatch, accept_mismatch
from billing.models import CostLine, ProviderInvoice
from billing.queries import invoices_to_push
from tests.billing.conftest import Ingest
from tests.simulated import Simulated, SimulatedFinance

pytestmark = pytest.mark.django_db(transaction=True)
NOTE = "ticket 42"


def rows() -> list[dict[str, Any]]:
    """Every line but for its own id."""
    shown = CostLine.objects.order_by("invoice_id", "line_no").values()
    return [{name: value for name, value in row.items() if name != "id"} for row in shown]


def open_alerts() -> list[str]:
    return list(Alert.objects.filter(resolved_at=None).values_list("code", flat=True))


def downloads(simulator: Simulated) -> int:
    """Count the downloads of a CSV."""
    return sum(request["path"].endswith("/csv") for request in simulator.requests())


def table_of(simulator: Simulated, invoice: ProviderInvoice) -> bytes:
    """The invoice's CSV as the provider gives it."""
    address = f"{simulator.url}/v2/customers/my/invoices/{invoice.invoice_uuid}/csv"
    return requests.get(address, headers={"Authorization": f"Bearer {simulator.token}"}, timeout=10).content


def test_the_invoice_of_april_2026(april: ProviderInvoice, ingest: Ingest, finance: SimulatedFinance) -> None:
    """33 lines, $86.92, of which $7.90 is GST; 6 of the 33 match the fleet of that time."""
    invoice = ingest(april)
    assert (invoice.ingest_status, invoice.ingest_error) == ("ingested", "")
    assert (invoice.line_count, invoice.lines_total, invoice.amount) == (
        33,
        Decimal("86.92"),
        Decimal("86.92"),
    )
    assert (invoice.tax_total, invoice.adjustments_total) == (Decimal("7.90"), 0)
    assert (invoice.amount_gross_minor, invoice.amount_tax_minor, invoice.amount_net_minor) == (
        8692,
        790,
        7902,
    )
    assert CostLine.objects.exclude(resource=None).count() == 6
    assert CostLine.objects.filter(is_tax=True).count() == 1
    with Finance() as there:
        push_invoice(invoice_pk=invoice.pk, finance=there, at=timezone.now())
    (row,) = finance.invoices()
    assert (row["amount_gross_minor"], row["amount_tax_minor"], row["amount_net_minor"]) == (8692, 790, 7902)
    assert row["vendor"] == {"name": "DigitalOcean", "category": "cloud"}


def test_without_items_six_of_33_match_by_their_names(
    reference: Simulated, april: ProviderInvoice, tmp_path: Path
) -> None:
    file = tmp_path / "invoice.csv"
    file.write_bytes(table_of(reference, april))
    reference.fault(kind="server_error", path=f"{april.invoice_uuid}$", count=0)
    done = services.ingest_file(invoice_pk=april.pk, file=file)
    assert done.totals is not None
    assert (done.totals.matched, done.totals.items, done.invoice.items_count) == (6, None, None)
    assert done.invoice.ingest_status == "ingested"


def test_again_gives_the_same_rows(april: ProviderInvoice, ingest: Ingest) -> None:
    ingest(april)
    before = rows()
    assert ingest(april, again=True).ingest_status == "ingested"
    assert rows() == before
    assert len(before) == 33


def test_what_is_ingested_is_not_fetched_again(
    reference: Simulated, april: ProviderInvoice, ingest: Ingest
) -> None:
    ingest(april)
    assert downloads(reference) == 1
    ingest(april)
    assert downloads(reference) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            {"kind": "missing_cent"},
            "0.01 is missing from the lines: they sum to 86.91, the invoice says 86.92",
        ),
        ({"kind": "lost_line", "line": 3}, "is missing from the lines"),
        ({"kind": "doubled_line", "line": 3}, "is too much in the lines"),
        ({"kind": "lost_line", "line": 31}, "1 among the items alone (first: Container Registry"),
        ({"kind": "doubled_line", "line": 31}, "1 in the CSV alone (first: line 32)"),
    ],
    ids=["a cent", "a line lost", "a line doubled", "a free line lost", "a free line doubled"],
)
def test_a_csv_that_differs_is_stored_as_a_mismatch(
    reference: Simulated, april: ProviderInvoice, ingest: Ingest, fault: dict[str, Any], words: str
) -> None:
    reference.fault(path="/csv$", count=1, **fault)
    invoice = ingest(april)
    assert (invoice.ingest_status, open_alerts()) == ("mismatch", ["invoice_mismatch"])
    assert words in invoice.ingest_error
    assert CostLine.objects.count() == invoice.line_count > 30, "the lines are kept"
    assert invoice.pk not in invoices_to_push(at=timezone.now(), force=True)
    assert ingest(april).ingest_status == "ingested", "tried again, it is good"
    assert (rows()[0]["line_no"], len(rows()), open_alerts()) == (1, 33, [])


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "truncated", "cut": "body", "path": "/csv$"},
        {"kind": "truncated", "cut": "connection", "path": "/csv$"},
        {"kind": "html_answer", "path": "/csv$"},
        {"kind": "forbidden", "path": "/csv$"},
        {"kind": "server_error", "path": "/summary$"},
        {"kind": "drop_before", "path": "/csv$"},
    ],
    ids=lambda fault: "-".join(fault.values()),
)
def test_a_download_that_fails_leaves_the_lines_that_were_there(
    reference: Simulated, april: ProviderInvoice, ingest: Ingest, fault: dict[str, Any]
) -> None:
    ingest(april)
    before = rows()
    reference.fault(count=0, **fault)
    invoice = ingest(april, again=True)
    assert invoice.ingest_status in {"failed", "mismatch"}
    assert invoice.ingest_error
    if invoice.ingest_status == "failed":
        assert (rows(), open_alerts()) == (before, ["invoice_failed"])
    reference.control("DELETE", "faults")
    assert ingest(april).ingest_status == "ingested"
    assert (rows(), open_alerts()) == (before, [])


def test_credits_that_stand_in_the_summary_alone_are_no_difference(
    reference: Simulated, ingest: Ingest
) -> None:
    reference.control("PATCH", "invoices/2026-04", credits="5.00")
    services.update_history(at=timezone.now(), enqueue=False)
    invoice = ingest(ProviderInvoice.objects.get(period="2026-04-01", is_preview=False))
    assert (invoice.ingest_status, invoice.adjustments_total) == ("ingested", Decimal("-5.00"))
    assert (invoice.amount, invoice.lines_total) == (Decimal("81.92"), Decimal("86.92"))
    assert (invoice.amount_gross_minor, invoice.amount_net_minor) == (8192, 7402)


def test_an_invoice_that_changed_since_is_pushed_again(
    reference: Simulated, april: ProviderInvoice, ingest: Ingest, finance: SimulatedFinance
) -> None:
    def pushed() -> list[str]:
        return [each.action for each in services.push_invoices(invoices_to_push(at=timezone.now()))]

    ingest(april)
    assert (pushed(), pushed()) == (["created"], [])
    ingest(april, again=True)
    assert pushed() == [], "read again, it is the same"
    reference.control("PATCH", "invoices/2026-04", credits="5.00")
    services.update_history(at=timezone.now(), enqueue=False)
    ingest(april)
    assert pushed() == ["updated"]
    assert [row["amount_gross_minor"] for row in finance.invoices()] == [8192]


def test_an_invoice_that_was_spoiled_for_an_hour_is_not_pushed_again(
    reference: Simulated, april: ProviderInvoice, ingest: Ingest, finance: SimulatedFinance
) -> None:
    """Read again it is as finance has it."""
    ingest(april)
    list(services.push_invoices(invoices_to_push(at=timezone.now())))
    reference.fault(kind="lost_line", line=3, path="/csv$", count=1)
    assert ingest(april, again=True).ingest_status == "mismatch"
    invoice = ingest(april)
    assert (invoice.ingest_status, invoice.push_status) == ("ingested", "pushed")
    assert invoices_to_push(at=timezone.now()) == []
    assert [row["times"] for row in finance.invoices()] == [1]


def test_credits_do_not_hide_a_missing_cent(reference: Simulated, ingest: Ingest) -> None:
    reference.control("PATCH", "invoices/2026-04", credits="5.00")
    reference.fault(kind="missing_cent", path="/csv$", count=1)
    services.update_history(at=timezone.now(), enqueue=False)
    invoice = ingest(ProviderInvoice.objects.get(period="2026-04-01", is_preview=False))
    assert invoice.ingest_status == "mismatch"
    assert "credits and adjustments (-5.00) don't explain it" in invoice.ingest_error


# --- An operator accepts ------------------------------------------------------------------------------


def accept(invoice: ProviderInvoice, note: str = NOTE) -> ProviderInvoice:
    return accept_mismatch(
        invoice_pk=invoice.pk,
        difference=invoice.ingest_error,
        note=note,
        actor="user:ada",
        at=timezone.now(),
    )


def test_an_accepted_difference_stays_accepted_until_it_is_another(
    reference: Simulated, april: ProviderInvoice, ingest: Ingest
) -> None:
    reference.fault(kind="missing_cent", path="/csv$", count=2)
    invoice = accept(ingest(april))
    assert (invoice.ingest_status, invoice.accepted_by, invoice.accepted_note) == (
        "ingested",
        "user:ada",
        NOTE,
    )
    assert (open_alerts(), invoices_to_push(at=timezone.now())) == ([], [invoice.pk])
    assert ingest(april, again=True).accepted_note == NOTE
    reference.fault(kind="missing_cent", line=2, path="/csv$", count=0)
    reference.fault(kind="lost_line", line=5, path="/csv$", count=1)
    invoice = ingest(april, again=True)
    assert (invoice.ingest_status, invoice.accepted_note, open_alerts()) == (
        "mismatch",
        "",
        ["invoice_mismatch"],
    )


def test_a_difference_that_was_not_shown_is_not_accepted(
    reference: Simulated, april: ProviderInvoice, ingest: Ingest
) -> None:
    """The page was opened at a cent; before the button was pressed, the sweep read a spoiled table."""
    reference.fault(kind="missing_cent", path="/csv$", count=1)
    shown = ingest(april)
    reference.fault(kind="lost_line", line=5, path="/csv$", count=1)
    ingest(april)
    with pytest.raises(NotAMismatch, match="the difference is another now"):
        accept(shown)
    april.refresh_from_db()
    assert (april.ingest_status, april.accepted_at) == ("mismatch", None)
    assert invoices_to_push(at=timezone.now()) == []


def test_nothing_is_accepted_without_a_note_or_a_difference(
    reference: Simulated, april: ProviderInvoice, ingest: Ingest
) -> None:
    with pytest.raises(NotAMismatch):
        accept(ingest(april))
    reference.fault(kind="missing_cent", path="/csv$", count=1)
    with pytest.raises(InvalidInput):
        accept(ingest(april, again=True), note="  ")
    april.refresh_from_db()
    assert (april.ingest_status, april.accepted_at) == ("mismatch", None)


# --- Two at once ----------------------------------------------------------------------------------------


def test_of_two_at_once_one_waits_and_finds_it_done(reference: Simulated, april: ProviderInvoice) -> None:
    reference.fault(kind="latency", seconds=1, path="/csv$", count=1)
    ended: list[str] = []

    def work() -> None:
        try:
            (done,) = services.ingest_invoices([april.pk])
            ended.append(f"{done.invoice.ingest_status} {done.totals is not None}")
        finally:
            connection.close()

    both = [threading.Thread(target=work) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(30)
    assert sorted(ended) == ["ingested False", "ingested True"]
    assert len(rows()) == 33
    assert downloads(reference) == 1


@pytest.mark.parametrize("then", ["it reads on", "the provider refuses"])
def test_who_lost_the_lease_meanwhile_writes_nothing(
    reference: Simulated, april: ProviderInvoice, then: str
) -> None:
    reference.fault(kind="latency", seconds=1, path="/csv$", count=1)
    if then == "the provider refuses":
        reference.fault(kind="forbidden", path="/summary$", count=1)
    ended: list[str] = []

    def work() -> None:
        try:
            list(services.ingest_invoices([april.pk]))
        except LeaseLost as lost:
            ended.append(lost.code)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    while not Lease.objects.exists():
        time.sleep(0.01)
    Lease.objects.update(token=uuid.uuid4())
    thread.join(30)
    april.refresh_from_db()
    assert (ended, rows(), april.ingest_status) == (["lease_lost"], [], "pending")
