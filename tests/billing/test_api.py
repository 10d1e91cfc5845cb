"""The billing API, as an operator has it."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from billing.models import BalanceSnapshot, CostLine, ProviderInvoice
from deployments.models import Deployment
from inventory.models import Project
from tests.access import bearer, token_of
from tests.billing.csv_files import a_line
from tests.billing.rows import APRIL, AT, a_resource, an_invoice, store_lines

pytestmark = pytest.mark.django_db
Ask = Callable[..., Any]


@pytest.fixture
def ask(client: Client) -> Ask:
    """GET as an operator; the body, once the status is as expected."""

    def get(path: str, *, status: int = 200, **query: str) -> Any:
        answer = client.get(f"/api/v1/billing/{path}", query, headers=bearer(token_of("platform_admin")))
        assert answer.status_code == status, answer.content
        return answer.json()

    return get


@pytest.fixture
def april() -> ProviderInvoice:
    """An invoice of $86.92: three matched lines, one without an owner, one unmatched, tax, and a credit."""
    project = Project.objects.create(provider_id="p", name="acme", first_seen_at=AT, last_seen_at=AT)
    shop = Deployment.objects.create(tenant_id="acme", slug="shop")
    a_resource("web-01", tenant_id="acme", deployment=shop, project=project)
    a_resource("data", kind="volume", tenant_id="acme", deployment=shop, project=project)
    a_resource("crm", tenant_id="globex")
    a_resource("bastion")
    invoice = an_invoice(amount="86.92", ingest_status="ingested")
    store_lines(
        [
            a_line(1, "web-01 (s-1vcpu-1gb)", "24.00"),
            a_line(2, "data (fra1) 100GB", "10.00", product="Volumes"),
            a_line(3, "crm (s-1vcpu-1gb)", "12.005"),
            a_line(4, "bastion (s-1vcpu-1gb)", "6.00"),
            a_line(5, "gone (s-1vcpu-1gb)", "36.015"),
            a_line(6, "GST (10%)", "7.90", product="Taxes"),
        ],
        invoice=invoice,
    )
    return invoice


def cut(answer: Any) -> dict[tuple[str, str], str]:
    return {(row["group"], row["name"] or row["key"] or ""): row["amount"] for row in answer["rows"]}


UNMATCHED = {("unmatched", ""): "36.015", ("tax", ""): "7.90", ("adjustments", ""): "-9.00"}


@pytest.mark.parametrize(
    ("by", "matched"),
    [
        ("tenant", {"acme": "34.00", "globex": "12.005", "": "6.00"}),
        ("deployment", {"acme/shop": "34.00", "": "18.005"}),
        ("project", {"acme": "34.00", "": "18.005"}),
        ("resource", {"web-01": "24.00", "data": "10.00", "crm": "12.005", "bastion": "6.00"}),
    ],
)
def test_costs_sum_to_the_invoices_however_they_are_cut(
    ask: Ask, april: ProviderInvoice, by: str, matched: dict[str, str]
) -> None:
    answer = ask("costs", period="2026-04", by=by)
    assert (answer["period"], answer["by"], answer["total"]) == ("2026-04-01", by, "86.92")
    assert (answer["currency"], answer["has_preview"]) == ("USD", False)
    assert cut(answer) == {**{("matched", name): amount for name, amount in matched.items()}, **UNMATCHED}
    assert sum(Decimal(row["amount"]) for row in answer["rows"]) == Decimal("86.92")


def test_costs_by_kind_name_the_kinds_of_what_is_unmatched_too(ask: Ask, april: ProviderInvoice) -> None:
    assert cut(ask("costs", period="2026-04-01", by="kind")) == {
        ("matched", "droplet"): "42.005",
        ("matched", "volume"): "10.00",
        ("unmatched", "droplet"): "36.015",
        ("tax", ""): "7.90",
        ("adjustments", ""): "-9.00",
    }


def test_an_invoice_that_is_not_ingested_counts_and_so_does_a_preview(
    ask: Ask, april: ProviderInvoice
) -> None:
    """The invoice came within its month, at a usage threshold: the preview is of the rest."""
    ProviderInvoice.objects.update(issued_on="2026-04-20")
    an_invoice("preview", amount="1.00", is_preview=True)
    answer = ask("costs", period="2026-04")
    assert (answer["total"], answer["has_preview"]) == ("87.92", True)
    assert cut(answer)["adjustments", ""] == "-8.00"
    assert sum(Decimal(row["amount"]) for row in answer["rows"]) == Decimal("87.92")


def test_a_month_whose_final_invoice_waits_for_its_lines_isnt_counted_twice(ask: Ask) -> None:
    """The preview has its lines until the final one has: both are of the whole month."""
    a_resource("web-01", tenant_id="acme")
    preview = an_invoice("preview", amount="24.00", is_preview=True, issued_on=None)
    store_lines([a_line(1, "web-01 (s-1vcpu-1gb)", "24.00")], invoice=preview)
    assert (ask("costs", period="2026-04")["total"], ask("costs")["total"]) == ("24.00", "0.00")
    an_invoice("final", amount="24.50", ingest_status="failed", ingest_error="row 3")
    answer = ask("costs", period="2026-04")
    assert (answer["total"], answer["has_preview"]) == ("24.50", True)
    assert cut(answer) == {("matched", "acme"): "24.00", ("adjustments", ""): "0.50"}


def test_what_is_beyond_the_limit_is_one_row_and_the_sum_stays(ask: Ask, april: ProviderInvoice) -> None:
    def rows(limit: str) -> list[tuple[str, str, str, int]]:
        answer = ask("costs", period="2026-04", by="resource", limit=limit)
        assert sum(Decimal(row["amount"]) for row in answer["rows"]) == Decimal("86.92")
        shown = [(row["group"], row["name"], row["amount"], row["line_count"]) for row in answer["rows"]]
        return [row for row in shown if row[0] in {"matched", "others"}]

    largest = [("matched", "web-01", "24.00", 1), ("matched", "crm", "12.005", 1)]
    assert rows("2") == [*largest, ("others", "", "16.00", 2)]
    assert rows("3") == [*largest, ("matched", "data", "10.00", 1), ("others", "", "6.00", 1)]
    assert [row[0] for row in rows("4")] == ["matched"] * 4


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "10001", ""])
def test_costs_have_a_bounded_number_of_rows(ask: Ask, limit: str) -> None:
    assert list(ask("costs", status=400, limit=limit)["errors"]) == ["limit"]


def test_a_month_without_invoices_costs_nothing(ask: Ask) -> None:
    answer = ask("costs", period="2014-12")
    assert (answer["total"], answer["rows"]) == ("0.00", [])


@pytest.mark.parametrize("path", ["costs", "cost-lines", "invoices"])
@pytest.mark.parametrize(
    "period", ["2026-04-02", "2026-13", "2026", "april", "2026-4", "0000-01", "2026-04-01T00"]
)
def test_a_period_is_a_month_and_no_other_day(ask: Ask, path: str, period: str) -> None:
    assert list(ask(path, status=400, period=period)["errors"]) == ["period"]


def test_costs_are_cut_by_what_there_is(ask: Ask) -> None:
    assert set(ask("costs", status=400, period="x", by="colour")["errors"]) == {"by", "period"}


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [6, 5, 4, 3, 2, 1]),
        ({"period": "2026-04"}, [6, 5, 4, 3, 2, 1]),
        ({"period": "2026-03"}, []),
        ({"kind": "volume"}, [2]),
        ({"kind": "tax"}, [6]),
        ({"matched": "true"}, [4, 3, 2, 1]),
        ({"matched": "false"}, [6, 5]),
        ({"limit": "2"}, [6, 5]),
    ],
)
def test_lines_are_filtered(
    ask: Ask, april: ProviderInvoice, query: dict[str, str], numbers: list[int]
) -> None:
    assert [line["line_no"] for line in ask("cost-lines", **query)["results"]] == numbers


def test_lines_are_filtered_by_invoice_and_by_deployment(ask: Ask, april: ProviderInvoice) -> None:
    shop = Deployment.objects.get()
    assert len(ask("cost-lines", invoice=str(april.pk))["results"]) == 6
    assert ask("cost-lines", invoice=str(april.pk + 1))["results"] == []
    lines = ask("cost-lines", deployment=str(shop.pk))["results"]
    assert [(line["name"], line["tenant_id"], line["deployment_id"]) for line in lines] == [
        ("data", "acme", shop.pk),
        ("web-01", "acme", shop.pk),
    ]


def test_the_lines_of_two_invoices_of_one_month_are_all_there(ask: Ask, april: ProviderInvoice) -> None:
    store_lines([a_line()], invoice=an_invoice("another"))
    assert len(ask("cost-lines", period="2026-04")["results"]) == 7


def test_a_line_is_exact(ask: Ask, april: ProviderInvoice) -> None:
    line = ask("cost-lines", kind="droplet", matched="false")["results"][0]
    assert (line["amount"], line["hours"], line["currency"]) == ("36.015", "720", "USD")
    assert (line["match"], line["resource_id"], line["period"]) == ("none", None, "2026-04-01")
    assert line["started_at"] == "2026-04-01T00:00:00Z"


def test_an_invoice_has_cents_and_its_reconciliation(ask: Ask) -> None:
    invoice = an_invoice(amount="86.92", tax_total=Decimal("7.90"), lines_total=Decimal("86.92"))
    answer = ask(f"invoices/{invoice.pk}")
    assert (answer["amount_gross_minor"], answer["amount_tax_minor"], answer["amount_net_minor"]) == (
        8692,
        790,
        7902,
    )
    assert (answer["amount"], answer["period"], answer["ingest_status"]) == ("86.92", "2026-04-01", "pending")


def test_an_invoice_has_an_etag(client: Client) -> None:
    headers = bearer(token_of("platform_admin"))
    address = f"/api/v1/billing/invoices/{an_invoice().pk}"
    etag = client.get(address, headers=headers).headers["ETag"]
    assert client.get(address, headers={**headers, "If-None-Match": etag}).status_code == 304
    ProviderInvoice.objects.update(amount=7)
    assert client.get(address, headers={**headers, "If-None-Match": etag}).status_code == 200


def test_invoices_are_filtered(ask: Ask) -> None:
    an_invoice("a", ingest_status="mismatch")
    an_invoice("b", is_preview=True)
    an_invoice("c", push_status="refused", period=APRIL.replace(month=3))

    def found(**query: str) -> list[str]:
        return [invoice["invoice_uuid"] for invoice in ask("invoices", **query)["results"]]

    assert found() == ["b", "a", "c"]
    assert found(ingest_status="mismatch") == ["a"]
    assert found(preview="true") == ["b"]
    assert found(push_status="refused") == ["c"]
    assert found(period="2026-03") == ["c"]
    assert found(ordering="period") == ["c", "a", "b"]


def a_balance(hours: int, owed: str) -> None:
    at = timezone.now() - timedelta(hours=hours)
    BalanceSnapshot.objects.create(
        hour=at.replace(minute=0, second=0, microsecond=0),
        month_to_date_balance=Decimal(owed),
        account_balance=Decimal("-5.00"),
        month_to_date_usage=Decimal(owed) + 5,
        generated_at=at,
        captured_at=at,
    )


def test_the_balance_is_the_latest_and_its_history_if_asked_for(ask: Ask) -> None:
    assert ask("balance", status=404)["detail"] == "The balance was never asked for."
    a_balance(50, "1.00")
    a_balance(2, "2.00")
    a_balance(1, "-3.00")
    answer = ask("balance")
    assert (answer["month_to_date_balance"], answer["account_balance"]) == ("-3.00", "-5.00")
    assert "history" not in answer
    owed = [each["month_to_date_balance"] for each in ask("balance", history="2d")["history"]]
    assert owed == ["2.00", "-3.00"]
    assert len(ask("balance", history="30d")["history"]) == 3


@pytest.mark.parametrize("history", ["30", "d", "0d", "-1d", "1.5d", "400d", "30days"])
def test_a_history_is_a_number_of_days(ask: Ask, history: str) -> None:
    assert list(ask("balance", status=400, history=history)["errors"]) == ["history"]


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("cost-lines", 1),
        ("cost-lines?period=2026-04", 2),
        ("costs?period=2026-04&by=deployment", 2),
        ("costs?period=2026-04&by=resource&limit=5", 2),
        ("invoices", 1),
    ],
)
def test_every_list_asks_the_same_queries_at_one_line_and_at_forty(
    ask: Ask, django_assert_num_queries: DjangoAssertNumQueries, path: str, queries: int
) -> None:
    for count in (1, 40):
        ProviderInvoice.objects.all().delete()
        names = [f"web-{count}-{number}" for number in range(count)]
        for name in names:
            a_resource(name)
        store_lines([a_line(number, f"{name} (s)") for number, name in enumerate(names, start=1)])
        assert CostLine.objects.exclude(resource=None).count() == count
        address, _, query = path.partition("?")
        with django_assert_num_queries(queries):
            ask(address, **dict(pair.split("=") for pair in query.split("&") if pair))
