"""The console's billing pages: their contents and their buttons."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import redis
from celery import current_app
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.console import actions
from arcadia_cloud.kernel.leases import lease
from arcadia_cloud.kernel.models import Lease
from billing.ingest.lease import lease_name
from billing.models import BalanceSnapshot, ProviderInvoice
from tests.billing.csv_files import a_line
from tests.billing.rows import AT, a_resource, an_invoice, store_lines
from tests.console.conftest import Login, login, viewer
from tests.kernel.brokers import refusing

__all__ = ["login", "viewer"]
pytestmark = pytest.mark.django_db
INVOICES = "/admin/billing/providerinvoice/"


@pytest.fixture
def biller(login: Login) -> Client:
    return login("billing")


def page(client: Client, invoice: ProviderInvoice) -> str:
    return client.get(f"{INVOICES}{invoice.pk}/change/").content.decode()


def press(client: Client, invoice: ProviderInvoice, button: str, **form: str) -> Any:
    return client.post(f"{INVOICES}{invoice.pk}/{button}/", {"_form_submitted": "on", **form})


def queued(valkey: redis.Redis) -> list[tuple[str, str]]:
    waiting: Any = valkey.lrange("cloud_billing", 0, -1)
    headers = [json.loads(raw)["headers"] for raw in waiting]
    return [(header["task"], header["kwargsrepr"]) for header in headers]


def test_an_invoice_shows_its_lines_and_how_it_adds_up(viewer: Client) -> None:
    invoice = an_invoice(amount="1234.56", ingest_error="0.01 is missing", ingest_status="mismatch")
    resource = a_resource("web-01")
    store_lines([a_line(1), a_line(2, "GST (10%)", "0.60", product="Taxes")], invoice=invoice)
    text = page(viewer, invoice)
    assert "$1,234.56" in text
    assert "0.01 is missing" in text
    assert "web-01 (s-1vcpu-1gb)" in text
    assert f"/admin/inventory/resource/{resource.pk}/change/" in text
    assert "mismatch" in viewer.get(INVOICES).content.decode()


def test_the_list_filters_by_what_needs_an_operator(viewer: Client) -> None:
    an_invoice("good-one", ingest_status="ingested")
    an_invoice("bad-one", invoice_id="777", ingest_status="failed", ingest_error="row 3, column USD")
    text = viewer.get(INVOICES, {"ingest_status": "failed"}).content.decode()
    assert "777" in text
    assert "529784185" not in text


@pytest.mark.parametrize(
    ("button", "task", "arguments"),
    [
        ("ingest_this", "billing.ingest_invoice", "'again': True"),
        ("push_this", "billing.push_invoice", "'force': True"),
    ],
)
def test_a_biller_asks_a_worker_and_the_log_names_them(
    biller: Client, valkey_client: redis.Redis, button: str, task: str, arguments: str
) -> None:
    invoice = an_invoice(ingest_status="ingested")
    press(biller, invoice, button)
    ((name, kwargs),) = queued(valkey_client)
    assert (name, f"'invoice_pk': {invoice.pk}" in kwargs, arguments in kwargs) == (task, True, True)
    assert LogEntry.objects.get().user.get_username() == "billing-1"


def test_several_are_asked_for_at_once(biller: Client, valkey_client: redis.Redis) -> None:
    chosen = [an_invoice(uuid, ingest_status="ingested").pk for uuid in ("one", "two")]
    biller.post(INVOICES, {"action": "push_selected", "_selected_action": chosen})
    biller.post(INVOICES, {"action": "ingest_selected", "_selected_action": chosen})
    assert len(queued(valkey_client)) == 4


def test_a_selection_is_bounded_and_reports_a_refusal_once(
    biller: Client, valkey_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [an_invoice("one", ingest_status="ingested").pk, an_invoice("two", ingest_status="failed").pk]
    form = {"action": "push_selected", "_selected_action": chosen}
    text = biller.post(INVOICES, form, follow=True).content.decode()
    assert ("1 done." in text, text.count("is failed")) == (True, 1)
    assert (len(queued(valkey_client)), LogEntry.objects.count()) == (1, 1)
    monkeypatch.setattr(actions, "MOST_AT_ONCE", 1)
    assert "At most 1 at once" in biller.post(INVOICES, form, follow=True).content.decode()
    assert len(queued(valkey_client)) == 1


@pytest.mark.parametrize("button", ["ingest_this", "push_this", "accept_this"])
def test_who_only_looks_presses_nothing(viewer: Client, valkey_client: redis.Redis, button: str) -> None:
    invoice = an_invoice(ingest_status="mismatch", ingest_error="0.01 is missing")
    assert press(viewer, invoice, button, note="fine").status_code == 403
    assert button not in page(viewer, invoice)
    assert queued(valkey_client) == []
    assert ProviderInvoice.objects.get().accepted_at is None


def test_a_broker_that_is_away_is_reported(biller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app.conf, "broker_url", refusing())
    invoice = an_invoice(ingest_status="ingested")
    press(biller, invoice, "push_this")
    assert "nothing was started" in page(biller, invoice)
    assert not LogEntry.objects.exists()


def test_a_difference_is_accepted_with_a_note(biller: Client) -> None:
    invoice = an_invoice(ingest_status="mismatch", ingest_error="0.01 is missing")
    shown = {"difference": "0.01 is missing"}
    press(biller, invoice, "accept_this", note="", **shown)
    assert ProviderInvoice.objects.get().ingest_status == "mismatch"
    press(biller, invoice, "accept_this", note="DigitalOcean rounds so, ticket 42", **shown)
    invoice.refresh_from_db()
    assert (invoice.ingest_status, invoice.accepted_by) == ("ingested", "user:billing-1")
    assert invoice.accepted_note == "DigitalOcean rounds so, ticket 42"
    assert "ticket 42" in LogEntry.objects.get().get_change_message()
    press(biller, invoice, "accept_this", note="again", **shown)
    assert "there is no difference to accept" in page(biller, invoice)


def test_the_dialog_shows_the_difference_and_takes_no_other(biller: Client) -> None:
    invoice = an_invoice(ingest_status="mismatch", ingest_error="first: Droplets <b>web</b>\n(s)")
    dialog = biller.get(f"{INVOICES}{invoice.pk}/accept_this/").content.decode()
    assert dialog.count("first: Droplets &lt;b&gt;web&lt;/b&gt;\n(s)") == 2, "hidden, and to be read"
    ProviderInvoice.objects.update(ingest_error="500.00 is missing")
    press(biller, invoice, "accept_this", note="fine", difference="first: Droplets <b>web</b>\r\n(s)")
    assert "the difference is another now" in page(biller, invoice)
    assert ProviderInvoice.objects.get().ingest_status == "mismatch"
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("fields", "hands"),
    [
        ({"ingest_status": "pending"}, {"ingest_this"}),
        ({"ingest_status": "failed", "ingest_error": "row 3"}, {"ingest_this"}),
        ({"ingest_status": "mismatch", "ingest_error": "0.01"}, {"ingest_this", "accept_this"}),
        ({"ingest_status": "mismatch", "ingest_error": "0.01", "is_preview": True}, {"ingest_this"}),
        ({"ingest_status": "ingested"}, {"ingest_this", "push_this"}),
        ({"ingest_status": "ingested", "is_preview": True}, {"ingest_this"}),
    ],
)
def test_a_page_offers_what_fits_the_invoices_state(
    biller: Client, fields: dict[str, Any], hands: set[str]
) -> None:
    text = page(biller, an_invoice(**fields))
    assert set(re.findall(r"/(\w+_this)/", text)) == hands


def test_where_pushing_is_switched_off_it_is_not_offered(biller: Client, settings: Settings) -> None:
    settings.SKYAI_FINANCE_ENABLED = False
    assert "push_this" not in page(biller, an_invoice(ingest_status="ingested"))


def test_what_was_accepted_and_failed_since_is_not_called_accepted(viewer: Client) -> None:
    accepted: dict[str, Any] = {"accepted_at": AT, "accepted_by": "user:ada", "accepted_note": "ticket 42"}
    invoice = an_invoice(ingest_status="failed", ingest_error="503", **accepted)
    assert viewer.get(INVOICES).content.decode().count("accepted") == 0
    ProviderInvoice.objects.update(ingest_status="ingested")
    assert "ticket 42" in page(viewer, invoice)
    assert "accepted" in viewer.get(INVOICES).content.decode()


def test_an_alert_leads_to_its_invoice(viewer: Client) -> None:
    invoice = an_invoice()
    raise_alert(code="invoice_mismatch", subject=invoice.alert_subject, message="0.01 is missing")
    assert f'href="{INVOICES}{invoice.pk}/change/"' in viewer.get("/admin/kernel/alert/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_page_of_an_invoice_in_progress_refreshes(viewer: Client) -> None:
    invoice = an_invoice()
    assert "In progress" not in page(viewer, invoice)
    with lease(lease_name(invoice.pk)):
        assert 'hx-trigger="every 3s"' in page(viewer, invoice)
    assert not Lease.objects.exists()


def test_the_balance_is_a_chart_of_thirty_days(viewer: Client) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    for days, owed in ((31, "99.99"), (1, "23.44")):
        at = hour - timedelta(days=days)
        BalanceSnapshot.objects.create(
            hour=at, month_to_date_balance=Decimal(owed), account_balance=0, month_to_date_usage=1,
            generated_at=at, captured_at=at,
        )  # fmt: skip
    text = viewer.get("/admin/billing/balancesnapshot/").content.decode()
    assert 'data-type="line"' in text
    assert "[23.44]" in text
    assert "$99.99" in text, "the list has all of them"
