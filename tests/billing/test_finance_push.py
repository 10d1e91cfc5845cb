"""Finance gets each invoice once, whatever happens on the way; against the stub, over HTTP."""

import json
import threading
import time
import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import redis
from django.db import connection, transaction
from pytest_django.fixtures import Settings
from structlog.testing import capture_logs

from arcadia_cloud.finance import Finance
from arcadia_cloud.kernel.leases import LeaseLost
from arcadia_cloud.kernel.models import Alert, Lease
from billing import services
from billing.finance_push import NotPushable, push_invoice
from billing.history_rows import InvoiceHeader, update_header
from billing.models import ProviderInvoice
from billing.queries import invoices_to_push
from tests.billing.rows import AT, an_invoice
from tests.simulated import SimulatedFinance, control

pytestmark = pytest.mark.django_db(transaction=True)


def ingested(**fields: Any) -> ProviderInvoice:
    """April 2026 as it is once its lines are in place."""
    plain = {
        "amount": "86.92",
        "ingest_status": "ingested",
        "line_count": 33,
        "lines_total": Decimal("86.92"),
    }
    return an_invoice(**{**plain, "tax_total": Decimal("7.90"), **fields})


def push(invoice: ProviderInvoice, *, force: bool = False, minutes: float = 0) -> ProviderInvoice:
    """Push it, so many minutes later; return it as it then is."""
    with Finance(timeout=3) as finance:
        push_invoice(invoice_pk=invoice.pk, finance=finance, at=AT + timedelta(minutes=minutes), force=force)
    invoice.refresh_from_db()
    return invoice


def due(minutes: float = 0) -> list[int]:
    return invoices_to_push(at=AT + timedelta(minutes=minutes))


def test_finance_gets_cents_net_and_tax_apart(finance: SimulatedFinance) -> None:
    invoice = push(ingested())
    (row,) = finance.invoices()
    assert row["external_id"] == invoice.invoice_uuid
    assert row["vendor"] == {"name": "DigitalOcean", "category": "cloud"}
    assert (row["amount_gross_minor"], row["amount_tax_minor"], row["amount_net_minor"]) == (8692, 790, 7902)
    assert (row["period_start"], row["period_end"], row["issued_on"]) == (
        "2026-04-01",
        "2026-05-01",
        "2026-05-01",
    )
    assert (row["number"], row["currency"], row["line_count"]) == ("529784185", "USD", 33)
    assert (row["source"], row["tenant_id"]) == ("digitalocean", "platform-admin")
    assert (invoice.push_status, invoice.finance_action) == ("pushed", "created")
    assert (invoice.finance_invoice_id, invoice.pushed_to_finance_at) == (row["invoice_id"], AT)


def test_an_invoice_that_finance_has_is_not_pushed_again_unless_asked(finance: SimulatedFinance) -> None:
    invoice = push(push(ingested()))
    assert (due(), len(finance.requests())) == ([], 1)
    push(invoice, force=True, minutes=1)
    assert [row["times"] for row in finance.invoices()] == [2]
    assert invoice.finance_action == "updated"


@pytest.mark.parametrize("fields", [{"is_preview": True}, {"period": date(2026, 5, 1)}])
def test_a_preview_is_never_pushed_and_neither_is_what_does_not_add_up(
    finance: SimulatedFinance, fields: dict[str, Any]
) -> None:
    invoice = ingested(**fields)
    if not invoice.is_preview:
        ProviderInvoice.objects.update(ingest_status="mismatch")
    assert due() == []
    for force in (False, True):
        with pytest.raises(NotPushable):
            push(invoice, force=force)
    assert finance.requests() == []


FAULTS: list[dict[str, Any]] = [
    {"kind": "down"},
    {"kind": "down", "reset": True},
    {"kind": "slow", "seconds": 5},
    {"kind": "server_error"},
    {"kind": "server_error", "status": 503, "html": True},
    {"kind": "rate_limited", "retry_after": 1},
    {"kind": "nonsense"},
    {"kind": "lost_answer"},
    {"kind": "lost_answer", "reset": True},
    {"kind": "lost_answer", "status": 502},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "-".join(map(str, fault.values())))
def test_after_a_fault_finance_has_one_row_and_the_next_push_stores_it(
    finance: SimulatedFinance, fault: dict[str, Any]
) -> None:
    finance.fault(**fault, count=1)
    invoice = push(ingested())
    assert (invoice.push_status, invoice.push_attempts) == ("waiting", 1)
    assert invoice.push_error.startswith("finance: ")
    assert (invoice.finance_action, invoice.pushed_to_finance_at) == ("", None)
    assert (due(0.9), due(1.1)) == ([], [invoice.pk])
    push(invoice, minutes=1.1)
    (row,) = finance.invoices()
    assert (invoice.push_status, invoice.push_error) == ("pushed", "")
    assert (invoice.push_attempts, invoice.next_push_at) == (0, None)
    assert invoice.finance_invoice_id == row["invoice_id"]
    lost = fault["kind"] in {"lost_answer", "slow"}
    assert (invoice.finance_action, row["times"]) in (
        [("updated", 2), ("created", 1)] if lost else [("created", 1)]
    )


def test_each_fault_in_a_row_waits_longer_up_to_six_hours(finance: SimulatedFinance) -> None:
    finance.fault("server_error", count=0)
    invoice = ingested()
    pauses = []
    for _ in range(11):
        push(invoice)
        assert invoice.next_push_at is not None
        pauses.append((invoice.next_push_at - AT) / timedelta(minutes=1))
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]


def test_each_push_that_failed_is_a_log_line_with_its_cause(finance: SimulatedFinance) -> None:
    finance.fault("server_error", count=1)
    with capture_logs() as lines:
        invoice = push(ingested())
    assert [line for line in lines if line["event"] == "invoice_not_pushed"] == [
        {
            "event": "invoice_not_pushed",
            "log_level": "warning",
            "invoice": invoice.invoice_uuid,
            "error": invoice.push_error,
            "attempts": 1,
            "next_at": str(invoice.next_push_at),
        }
    ]


def test_finance_may_ask_for_a_longer_wait(finance: SimulatedFinance) -> None:
    finance.fault("rate_limited", retry_after=600, count=1)
    assert push(ingested()).next_push_at == AT + timedelta(minutes=10)


def test_a_refusal_is_stored_and_waits_for_an_operator(finance: SimulatedFinance) -> None:
    finance.fault("refused", status=422, message="unknown vendor", count=1)
    invoice = push(ingested())
    assert invoice.push_status == "refused"
    assert "422" in invoice.push_error
    assert "unknown vendor" in invoice.push_error
    assert (due(10_000), Alert.objects.get(resolved_at=None).code) == ([], "finance_refused")
    push(invoice, minutes=60)
    assert len(finance.requests()) == 1, "it isn't tried again by itself"
    push(invoice, force=True, minutes=61)
    assert (invoice.push_status, invoice.push_error) == ("pushed", "")
    assert not Alert.objects.filter(resolved_at=None).exists()


@pytest.mark.parametrize("fault", [{"kind": "refused", "message": "no\0such\0vendor"}, {"kind": "nonsense"}])
def test_a_message_with_nul_bytes_is_stored_without_them(
    finance: SimulatedFinance, fault: dict[str, Any]
) -> None:
    if fault["kind"] == "nonsense":
        fault = {**fault, "body": json.dumps({"action": "created", "invoice_id": "inv\0 1"})}
    finance.fault(**fault, count=1)
    invoice = push(ingested())
    assert invoice.push_status == ("refused" if fault["kind"] == "refused" else "waiting")
    assert ("nosuchvendor" in invoice.push_error) == (fault["kind"] == "refused")


def test_a_wrong_secret_is_a_refusal_and_no_token_is_stored(
    finance: SimulatedFinance, settings: Settings
) -> None:
    settings.SKYAI_FINANCE_JWT_SECRET = "another" * 10
    invoice = push(ingested())
    assert (invoice.push_status, finance.invoices()) == ("refused", [])
    assert "401" in invoice.push_error
    assert "eyJ" not in invoice.push_error


def test_where_pushing_is_switched_off_nothing_happens_and_nothing_fails(
    finance: SimulatedFinance, settings: Settings
) -> None:
    settings.SKYAI_FINANCE_ENABLED = False
    invoice = ingested()
    assert services.push_if_due(invoice_pk=invoice.pk) is None
    assert services.sweep(at=AT).pushes == 0
    assert finance.requests() == []
    assert ProviderInvoice.objects.get().push_status == "waiting"


@pytest.mark.parametrize(("day", "again"), [(date(2026, 5, 1), []), (date(2026, 5, 3), ["updated"])])
def test_an_invoice_whose_day_comes_later_is_pushed_again_where_finance_has_another(
    finance: SimulatedFinance, day: date, again: list[str]
) -> None:
    """The list of invoices may have it before the history has: finance gets the day after its month."""
    invoice = push(ingested(issued_on=None))
    header = InvoiceHeader(invoice.invoice_uuid, invoice.invoice_id, invoice.amount, invoice.period, day)
    with transaction.atomic():
        update_header(invoice, header)
    assert [each.action for each in services.push_invoices(due())] == again
    assert [row["issued_on"] for row in finance.invoices()] == [str(day)]


# --- As a worker does it ------------------------------------------------------------------------------------


def queued_headers(valkey: redis.Redis) -> list[dict[str, Any]]:
    waiting: Any = valkey.lrange("cloud_billing", 0, -1)
    return [json.loads(raw)["headers"] for raw in waiting]


@pytest.mark.parametrize(("attempts", "comes_back"), [(0, True), (4, True), (5, False), (9, False)])
def test_a_long_pause_is_the_sweeps_and_not_the_brokers(
    finance: SimulatedFinance, valkey_client: redis.Redis, attempts: int, comes_back: bool
) -> None:
    """A broker delivers again what it holds for an hour, and each copy would ask for the next."""
    finance.fault("server_error", count=0)
    invoice = ingested(push_attempts=attempts)
    services.push_if_due(invoice_pk=invoice.pk)
    assert [header["task"] for header in queued_headers(valkey_client)] == [
        "billing.push_invoice"
    ] * comes_back
    invoice.refresh_from_db()
    assert invoice.next_push_at is not None
    assert invoices_to_push(at=invoice.next_push_at) == [invoice.pk]


def test_a_worker_that_comes_too_early_does_nothing_and_nudges_no_other(
    finance: SimulatedFinance, valkey_client: redis.Redis
) -> None:
    finance.fault("server_error", count=1)
    invoice = ingested()
    services.push_if_due(invoice_pk=invoice.pk)
    valkey_client.flushdb()
    services.push_if_due(invoice_pk=invoice.pk)
    assert (len(finance.requests()), queued_headers(valkey_client)) == (1, [])
    services.push_if_due(invoice_pk=invoice.pk, force=True)
    invoice.refresh_from_db()
    assert (invoice.push_status, len(finance.requests())) == ("pushed", 2)


@pytest.mark.parametrize("fields", [{"ingest_status": "pending"}, {"ingest_status": "mismatch"}])
def test_a_worker_that_finds_an_invoice_that_no_longer_adds_up_leaves_it(
    finance: SimulatedFinance, fields: dict[str, Any]
) -> None:
    invoice = ingested()
    ProviderInvoice.objects.update(**fields)
    services.push_if_due(invoice_pk=invoice.pk)
    assert finance.requests() == []


def test_what_may_not_be_pushed_is_refused_to_who_asks(valkey_client: redis.Redis) -> None:
    invoice = an_invoice(ingest_status="mismatch", ingest_error="0.01 is missing")
    with pytest.raises(NotPushable, match="is mismatch"):
        services.request_push(invoice_pk=invoice.pk)
    assert queued_headers(valkey_client) == []


# --- A lease that is lost, a row that changes meanwhile -----------------------------------------------------


def push_in_thread(invoice: ProviderInvoice, ended: list[str], **options: Any) -> threading.Thread:
    def work() -> None:
        try:
            with Finance() as there:
                ended.append(push_invoice(invoice_pk=invoice.pk, finance=there, at=AT, **options).action)
        except LeaseLost as lost:
            ended.append(lost.code)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def wait_until_sent(finance: SimulatedFinance) -> None:
    """Wait until finance has a request that it hasn't answered."""
    while not control(finance.url, "GET", "requests", None)["in_hand"]:
        time.sleep(0.01)


def test_a_push_that_lost_its_lease_before_it_sends_sends_nothing(finance: SimulatedFinance) -> None:
    invoice, ended = ingested(), list[str]()
    with transaction.atomic():
        ProviderInvoice.objects.select_for_update().get(pk=invoice.pk)  # it stands still at its first write
        thread = push_in_thread(invoice, ended, force=True)
        while not Lease.objects.exists():
            time.sleep(0.01)
        time.sleep(0.5)
        Lease.objects.update(token=uuid.uuid4())
    thread.join(30)
    assert (ended, finance.requests()) == (["lease_lost"], [])
    assert due() == [invoice.pk]


def test_a_push_that_lost_its_lease_on_the_way_is_never_taken_for_the_last(finance: SimulatedFinance) -> None:
    """It stands still with old cents; meanwhile another worker reads new ones and pushes them."""
    finance.fault("slow", seconds=2, count=1)
    invoice, ended = ingested(), list[str]()
    thread = push_in_thread(invoice, ended)
    wait_until_sent(finance)
    Lease.objects.all().delete()
    ProviderInvoice.objects.filter(pk=invoice.pk).update(amount=Decimal("90.00"))
    push(invoice)
    assert invoice.push_status == "pushed"
    thread.join(30)
    assert ended == ["lease_lost"]
    invoice.refresh_from_db()
    assert (invoice.push_status, invoice.pushed_fingerprint, due()) == ("waiting", "", [invoice.pk])
    assert [each.action for each in services.push_invoices(due())] == ["updated"]
    assert [row["amount_gross_minor"] for row in finance.invoices()] == [9000]


def test_an_invoice_that_changes_while_finance_answers_is_pushed_again(finance: SimulatedFinance) -> None:
    finance.fault("slow", seconds=1, count=1)
    invoice, ended = ingested(), list[str]()
    thread = push_in_thread(invoice, ended)
    wait_until_sent(finance)
    ProviderInvoice.objects.filter(pk=invoice.pk).update(amount=Decimal("90.00"))
    thread.join(30)
    assert ended == ["created"]
    assert due() == [invoice.pk]
    assert [each.action for each in services.push_invoices(due())] == ["updated"]
    assert [row["amount_gross_minor"] for row in finance.invoices()] == [9000]


def test_the_sweep_finds_what_finance_has_otherwise(finance: SimulatedFinance) -> None:
    same, other = push(ingested()), push(ingested(uuid="u-2", amount="50.00"))
    ProviderInvoice.objects.filter(pk=other.pk).update(amount=Decimal("60.00"))
    assert services.sweep(at=AT).pushes == 1
    same.refresh_from_db()
    assert (same.push_status, due()) == ("pushed", [other.pk])
