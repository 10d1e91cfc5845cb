"""Billing on the home page, and the permissions it needs."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from pytest_django.fixtures import Settings

from tests.billing.rows import a_balance, an_invoice
from tests.console.conftest import Login

INVOICES = "/admin/billing/providerinvoice/"
NOW = datetime(2026, 5, 10, 14, 30, tzinfo=UTC)
TOLD = datetime(2026, 5, 10, 14, 6, tzinfo=UTC)
FIGURE = re.compile(
    r'<a href="([^"]+)"[^>]*> <span[^>]*>([^<]+)</span> '
    r'<strong class="[^"]*?(?:console-(\w+)|text-important)">([^<]+)</strong> <span[^>]*>([^<]+)</span>'
)


@pytest.fixture(autouse=True)
def _in_may(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def figures(client: Client) -> dict[str, tuple[str, str, str, str]]:
    """By name: value, what stands beside it, colour and link."""
    text = " ".join(client.get("/admin/").content.decode().split())
    found = FIGURE.findall(text.replace("&#x27;", "'").replace("&amp;", "&"))
    return {name: (value, caption, tone, href) for href, name, tone, value, caption in found}


def listed(client: Client, address: str) -> int:
    return len(client.get(address).context["cl"].result_list)


def test_the_months_spend_stands_beside_that_of_the_month_before(viewer: Client) -> None:
    balances = "/admin/billing/balancesnapshot/"
    assert figures(viewer)["Spend this month"] == ("-", "the balance was never asked for", "", balances)
    a_balance(TOLD, "11.21")
    caption = "nothing is known of April; as of 10 May at 14:06"
    assert figures(viewer)["Spend in May"] == ("$11.21", caption, "", balances)
    an_invoice(amount="86.92")
    caption = "April in all: $86.92; as of 10 May at 14:06"
    assert figures(viewer)["Spend in May"] == ("$11.21", caption, "", balances)
    a_balance(TOLD.replace(month=4), "1007.40")
    caption = "April by then: $1,007.40; as of 10 May at 14:06"
    assert figures(viewer)["Spend in May"] == ("$11.21", caption, "", balances)


def test_a_balance_that_is_hours_old_is_marked(viewer: Client) -> None:
    a_balance(datetime(2026, 4, 30, 23, 6, tzinfo=UTC), "80.00")
    value, caption, tone, _ = figures(viewer)["Spend in April"]
    assert (value, caption, tone) == (
        "$80.00",
        "nothing is known of March; as of 30 Apr at 23:06",
        "warning",
    )


def test_invoices_that_need_attention_are_counted_and_listed(viewer: Client) -> None:
    assert figures(viewer)["Invoices that don't add up"][:3] == ("0", "all add up", "good")
    assert figures(viewer)["Not pushed to finance"][:3] == ("0", "finance has all", "good")
    an_invoice("a", ingest_status="failed")
    an_invoice("b", ingest_status="mismatch")
    an_invoice("c", ingest_status="failed", is_preview=True)
    assert figures(viewer)["Not pushed to finance"][:3] == ("2", "2 waiting", "warning")
    an_invoice("d", ingest_status="ingested", push_status="refused")
    an_invoice("e", ingest_status="ingested", push_status="pushed", pushed_to_finance_at=NOW)

    value, caption, tone, href = figures(viewer)["Invoices that don't add up"]
    assert (value, caption, tone) == ("2", "are read again every hour", "bad")
    assert listed(viewer, href) == 2
    value, caption, tone, href = figures(viewer)["Not pushed to finance"]
    assert (value, caption, tone) == ("3", "1 refused, 2 waiting", "bad")
    assert listed(viewer, href) == 3


def test_where_pushing_is_switched_off_nothing_waits(viewer: Client, settings: Settings) -> None:
    settings.SKYAI_FINANCE_ENABLED = False
    an_invoice()
    assert figures(viewer)["Not pushed to finance"][:3] == ("1", "pushing is switched off", "good")


@pytest.mark.parametrize("withheld", ["view_balancesnapshot", "view_providerinvoice"])
def test_billing_is_hidden_from_those_who_may_not_see_it(login: Login, withheld: str) -> None:
    a_balance(TOLD, "11.21")
    client = login("viewer")
    assert "Spend in May" in figures(client)
    Group.objects.get(name="viewer").permissions.remove(Permission.objects.get(codename=withheld))
    shown = set(figures(client))
    assert "Live resources" in shown
    assert not shown & {"Spend in May", "Invoices that don't add up", "Not pushed to finance"}
    assert "11.21" not in client.get("/admin/").content.decode()
