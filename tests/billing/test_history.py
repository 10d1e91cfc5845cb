"""The billing history: headers, everything else, and the running month's preview."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderMalformed, ProviderUnavailable
from arcadia_cloud.digitalocean.listing import Page
from arcadia_cloud.digitalocean.rate_limit.budget import UnlimitedBudget
from arcadia_cloud.digitalocean.records import BillingEntryRecord
from arcadia_cloud.kernel.models import Lease
from billing import services, tasks
from billing.history import _read_until_known, read_history
from billing.models import BalanceSnapshot, BillingEntry, CostLine, ProviderInvoice
from tests.billing.conftest import Ingest
from tests.billing.rows import an_invoice
from tests.digitalocean.provider import Reply, provider
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)
OTHER_TOKEN = "dop_v1_" + "ab" * 32


def read(since: date | None = None) -> tuple[int, int]:
    """Read the history; return the numbers of new invoices and other entries."""
    found = services.update_history(at=timezone.now(), enqueue=False, since=since)
    return found.invoices, found.entries


def day_of(entry: BillingEntryRecord) -> date:
    return entry.date


def calls(simulator: Simulated) -> int:
    """Count the requests for billing so far."""
    return sum(request["path"].startswith("/v2/customers/my/") for request in simulator.requests())


def test_ten_years_have_a_header_each_and_the_running_month_a_preview(years: Simulated) -> None:
    invoices, entries = read()
    assert invoices == 137
    finals = ProviderInvoice.objects.filter(is_preview=False)
    assert finals.count() == 137
    assert set(finals.values_list("ingest_status", flat=True)) == {"pending"}
    assert finals.order_by("period").values_list("period", flat=True)[0] == date(2014, 12, 1)
    newest = finals.order_by("-period")[0]
    assert (newest.period, newest.issued_on) == (date(2026, 4, 1), date(2026, 5, 1))
    preview = ProviderInvoice.objects.get(is_preview=True)
    assert (preview.period, preview.ingest_status) == (date(2026, 5, 1), "pending")
    types = Counter(BillingEntry.objects.values_list("type", flat=True))
    assert sum(types.values()) == entries
    assert types["Payment"] >= 137
    assert "Invoice" not in types
    assert min(BillingEntry.objects.filter(type="Payment").values_list("amount", flat=True)) < 0


def test_read_again_nothing_is_new_and_only_the_first_pages_are_asked_for(years: Simulated) -> None:
    read()
    before = calls(years)
    assert read() == (0, 0)
    assert calls(years) - before == 3
    assert ProviderInvoice.objects.count() == 138


def test_ten_thousand_invoices_take_a_bounded_number_of_calls(years: Simulated) -> None:
    years.reset(invoices=10_000)
    before = calls(years)
    assert read()[0] == 10_000
    first = calls(years) - before
    pages_of_invoices, pages_of_history = 10_000 / 200, (10_000 + BillingEntry.objects.count()) / 200
    assert first <= pages_of_invoices + pages_of_history + 3
    before = calls(years)
    assert read() == (0, 0)
    assert calls(years) - before == 3


def test_equal_entries_are_numbered_and_stored_each(years: Simulated) -> None:
    read()
    entries = BillingEntry.objects.filter(type="AttemptFailed").order_by("number")
    assert [entry.number for entry in entries] == [1, 2]
    assert len({(entry.date, entry.amount, entry.description, entry.invoice_uuid) for entry in entries}) == 1
    BillingEntry.objects.filter(number=2).delete()
    read(since=date(2014, 1, 1))
    assert BillingEntry.objects.filter(type="AttemptFailed").count() == 2


def test_reading_back_to_a_month_finds_what_was_lost(years: Simulated) -> None:
    read()
    lost, _ = BillingEntry.objects.filter(date__year=2016).delete()
    assert read() == (0, 0), "it is beyond the first page, where all is known"
    assert read(since=date(2016, 1, 1)) == (0, lost)


def test_a_run_that_fails_on_the_way_writes_nothing(years: Simulated) -> None:
    years.fault(kind="forbidden", path="billing_history", after=1, count=0)
    with pytest.raises(Exception, match="403"):
        read()
    assert not ProviderInvoice.objects.exists()
    years.control("DELETE", "faults")
    assert read()[0] == 137


def test_a_month_may_have_more_than_one_invoice(years: Simulated, ingest: Ingest) -> None:
    read()
    years.control("POST", "invoices", month="2026-04", lines=3)
    assert read()[0] == 1
    both = ProviderInvoice.objects.filter(period="2026-04-01")
    assert both.count() == 2
    assert {ingest(invoice).ingest_status for invoice in both} == {"ingested"}


def test_an_invoice_whose_amount_changed_is_ingested_again(years: Simulated, ingest: Ingest) -> None:
    read()
    newest = ProviderInvoice.objects.get(period="2026-04-01")
    assert ingest(newest).ingest_status == "ingested"
    years.control("PATCH", f"invoices/{newest.invoice_uuid}", credits="1.00")
    read()
    newest.refresh_from_db()
    assert newest.ingest_status == "pending"
    assert ingest(newest).adjustments_total == Decimal("-1.00")


def test_a_preview_is_read_anew_and_goes_when_the_final_invoice_is_in_place(
    years: Simulated, ingest: Ingest
) -> None:
    read()
    preview = ProviderInvoice.objects.get(is_preview=True)
    assert ingest(preview).ingest_status == "ingested"
    assert CostLine.objects.filter(invoice=preview).exists()
    assert preview.pk in services.update_history(at=timezone.now(), enqueue=False).to_ingest
    years.reset(today="2026-06-02")
    read()
    final = ProviderInvoice.objects.get(period="2026-05-01", is_preview=False)
    assert ingest(preview).ingest_status == "ingested", "its uuid is gone: it stays as it was read"
    assert CostLine.objects.filter(invoice=preview).exists(), "until the final one has its lines"
    assert ingest(final).ingest_status == "ingested"
    assert not ProviderInvoice.objects.filter(pk=preview.pk).exists()
    assert ProviderInvoice.objects.get(is_preview=True).period == date(2026, 6, 1)
    assert set(CostLine.objects.values_list("invoice_id", flat=True)) == {final.pk}


def test_a_preview_that_goes_while_others_are_ingested_stops_none_of_them(years: Simulated) -> None:
    """The final invoice takes it away; whoever was to read it, or reads it now, finds it gone."""
    preview = an_invoice("a preview", is_preview=True)
    read()
    april = ProviderInvoice.objects.get(period="2026-04-01", is_preview=False)
    march = ProviderInvoice.objects.get(period="2026-03-01")
    done = list(services.ingest_invoices([april.pk, preview.pk, march.pk]))
    assert [(each.invoice.pk, each.invoice.ingest_status) for each in done] == [
        (april.pk, "ingested"),
        (march.pk, "ingested"),
    ]
    assert tasks.ingest_invoice(preview.pk) == {"invoice": preview.pk, "status": "gone"}


@pytest.mark.parametrize("fault", ["latency", "forbidden"])
def test_a_preview_that_goes_while_it_is_read_is_no_error(years: Simulated, fault: str) -> None:
    read()
    preview = ProviderInvoice.objects.get(is_preview=True)
    if fault == "forbidden":
        years.fault(kind="forbidden", path="/summary$", count=1)
    years.fault(kind="latency", seconds=1, path="/csv$", count=1)
    ended: list[object] = []

    def work() -> None:
        try:
            ended.append(tasks.ingest_invoice(preview.pk)["status"])
        except Exception as error:  # noqa: BLE001 - of a thread, to be reported
            ended.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    while not Lease.objects.exists():
        time.sleep(0.01)
    ProviderInvoice.objects.filter(pk=preview.pk).delete()
    thread.join(30)
    assert ended == ["gone"]


def test_an_invoice_from_within_the_month_leaves_the_preview(years: Simulated, ingest: Ingest) -> None:
    preview = an_invoice("a preview", is_preview=True)
    read()
    april = ProviderInvoice.objects.get(period="2026-04-01", is_preview=False)
    ProviderInvoice.objects.filter(pk=april.pk).update(issued_on="2026-04-20")
    ingest(april)
    assert ProviderInvoice.objects.filter(pk=preview.pk).exists()


def test_an_invoice_without_a_day_of_issue_leaves_the_preview_of_the_running_month(
    years: Simulated, ingest: Ingest
) -> None:
    """The list has it, the history not yet: found within its month, it can't be the last of it."""
    preview = an_invoice("a preview", is_preview=True)
    read()
    april = ProviderInvoice.objects.filter(period="2026-04-01", is_preview=False)
    april.update(issued_on=None, discovered_at="2026-04-20T12:00:00Z")
    ingest(april.get())
    assert ProviderInvoice.objects.filter(pk=preview.pk).exists()
    april.update(discovered_at="2026-05-01T02:23:00Z")
    ingest(april.get(), again=True)
    assert not ProviderInvoice.objects.filter(pk=preview.pk).exists()


def test_the_balance_is_stored_once_an_hour(years: Simulated) -> None:
    at = timezone.now().replace(minute=7)
    first = services.snapshot_balance(at=at)
    second = services.snapshot_balance(at=at.replace(minute=50))
    assert BalanceSnapshot.objects.count() == 1
    assert (second.pk, second.captured_at) == (first.pk, at.replace(minute=50))
    assert second.month_to_date_balance == second.account_balance + second.month_to_date_usage


def test_a_page_all_of_one_instant_is_not_the_end_of_what_is_new() -> None:
    """Equal entries differ by their number alone, and the newest of them may stand on the next page."""
    at = timezone.now()
    entries = [
        BillingEntryRecord(type="AttemptFailed", date=at - timedelta(days=number // 250), amount=Decimal(0))
        for number in range(1000)
    ]

    def pages() -> Iterator[Page[BillingEntryRecord]]:
        return (Page(entries[start : start + 200], 1000, start) for start in range(0, 1000, 200))

    known = _read_until_known(pages, lambda: lambda _page: 0, day_of, None)
    assert len(known) == 400


# --- A list that changes while it is read --------------------------------------------------------------


@pytest.mark.parametrize("counted", [True, False])
def test_a_list_that_grows_while_it_is_read_is_read_again(counted: bool) -> None:
    at = timezone.now()
    entries = [
        BillingEntryRecord(type="Payment", date=at - timedelta(days=number), amount=Decimal(-5))
        for number in range(450)
    ]
    newer = [BillingEntryRecord(type="Payment", date=at + timedelta(days=1), amount=Decimal(-7))]
    there = [entries]

    def pages() -> Iterator[Page[BillingEntryRecord]]:
        for start in range(0, 451, 200):
            items = there[-1]
            yield Page(items[start : start + 200], len(items) if counted else None, start)
            if start == 0 and len(there) == 1:
                there.append(newer + entries)

    read = _read_until_known(pages, lambda: len, day_of, None)
    assert read == newer + entries


def test_a_list_that_never_rests_is_given_up() -> None:
    at = timezone.now()
    grown = count(300)

    def pages() -> Iterator[Page[BillingEntryRecord]]:
        for _ in range(2):
            entries = [BillingEntryRecord(type="Payment", date=at, amount=Decimal(-5))] * 200
            yield Page(entries, next(grown), 1)

    with pytest.raises(ProviderUnavailable, match="changed whenever it was read"):
        _read_until_known(pages, lambda: len, day_of, None)


def test_a_payment_made_while_the_history_is_read_is_stored_once(years: Simulated) -> None:
    years.fault(kind="latency", seconds=2, path="billing_history", after=1, count=1)
    before = calls(years)
    reading = threading.Thread(target=read_and_close)
    reading.start()
    while calls(years) - before < 2:  # the invoices and the first page; the second is on its way
        time.sleep(0.01)
    years.control("POST", "invoices", month="2026-04", lines=3)
    reading.join(60)
    stored = Counter(
        BillingEntry.objects.values_list("type", "date", "amount", "description", "invoice_uuid")
    )
    twice = [key for key, times in stored.items() if times > 1]
    assert [kind for kind, *_ in twice] == ["AttemptFailed"], "the only ones that are equal there too"
    assert read() == (0, 0)


def read_and_close() -> None:
    try:
        read()
    finally:
        connection.close()


# --- A preview that is of no use -------------------------------------------------------------------------

ServeScript = Callable[[dict[str, Any]], DigitalOcean]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServeScript]:
    """A client of a provider that has these answers, by path."""
    monkeypatch.setenv("DO_API_TOKEN", "dop_v1_" + "0" * 64)
    with ExitStack() as closing:

        def serve(answers: dict[str, Any]) -> DigitalOcean:
            # Every token is asked for its account before its first use.
            account = {"uuid": "user-1", "droplet_limit": 25, "status": "active"}
            known = {"/v2/account": {"account": account}, **answers}
            server = closing.enter_context(provider(lambda seen: Reply(body=known[seen.path])))
            return closing.enter_context(
                DigitalOcean("BILLING", base_url=server.url, budget=UnlimitedBudget())
            )

        yield serve


@pytest.mark.parametrize(
    "preview",
    [
        {},
        {"invoice_uuid": "", "amount": "5.00", "invoice_period": "2026-05"},
        {"invoice_uuid": "u-2", "amount": "123456789012345678901234.00", "invoice_period": "2026-05"},
        {"invoice_uuid": "u-2", "amount": "0.000000000001", "invoice_period": "2026-05"},
        {"invoice_uuid": "u-2", "amount": "5.00", "invoice_period": "May"},
        "soon",
    ],
    ids=str,
)
def test_a_preview_of_no_use_does_not_stop_the_history(script: ServeScript, preview: object) -> None:
    invoice = {"invoice_uuid": "u-1", "invoice_id": "1", "amount": "5.00", "invoice_period": "2026-04"}
    answers = {
        "/v2/customers/my/invoices": {"invoices": [invoice], "invoice_preview": preview},
        "/v2/customers/my/billing_history": {"billing_history": []},
    }
    client = script(answers)
    assert read_history(cloud=client, at=timezone.now()).invoices == 1
    assert ProviderInvoice.objects.get().invoice_uuid == "u-1"


@pytest.mark.parametrize(
    ("invoice", "words"),
    [
        (
            {"invoice_uuid": " ", "amount": "5.00", "invoice_period": "2026-04"},
            "an invoice of 2026-04 has no uuid",
        ),
        (
            {"invoice_uuid": "u-1", "amount": "1" * 20, "invoice_period": "2026-04"},
            "u-1: 1+ has too many digits",
        ),
    ],
)
def test_a_final_invoice_that_cannot_be_stored_is_refused_by_name(
    script: ServeScript, invoice: dict[str, str], words: str
) -> None:
    answers = {
        "/v2/customers/my/invoices": {"invoices": [invoice], "invoice_preview": None},
        "/v2/customers/my/billing_history": {"billing_history": []},
    }
    client = script(answers)
    with pytest.raises(ProviderMalformed, match=words):
        read_history(cloud=client, at=timezone.now())
    assert not ProviderInvoice.objects.exists()
