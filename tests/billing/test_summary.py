"""The summary of billing, as the console's home shows it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.queries import summarize_billing
from tests.billing.rows import a_balance, an_invoice

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 10, 14, 30, tzinfo=UTC)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("latest", "earlier", "spent"),
    [
        ("2026-05-10 14:06", "2026-04-10 14:06", "7.00"),
        ("2026-05-10 14:06", "2026-04-10 13:06", "7.00"),  # a poll or some were missed
        ("2026-05-10 14:06", "2026-04-10 08:05", None),  # too many of them
        ("2026-05-10 14:06", "2026-04-10 14:07", None),  # later in the month
        ("2026-03-31 14:06", "2026-02-28 23:07", "7.00"),  # February has no such day: all of it
        ("2024-03-29 14:06", "2024-02-29 14:06", "7.00"),
        ("2026-05-01 00:07", "2026-04-01 00:06", "7.00"),
        ("2026-05-01 00:07", "2026-03-31 23:59", None),  # what March had cost
        ("2026-01-10 14:06", "2025-12-10 14:06", "7.00"),
    ],
)
def test_the_month_before_is_known_at_the_same_moment(latest: str, earlier: str, spent: str | None) -> None:
    a_balance(instant(latest), "11.21")
    a_balance(instant(earlier), "7.00")
    found = summarize_billing(at=NOW).spent_by_then
    assert found == (None if spent is None else Decimal(spent))


def test_a_balance_of_the_last_months_end_belongs_to_that_month() -> None:
    """Asked for in the first minutes of May, the provider returns what it knew in April."""
    a_balance(instant("2026-04-30 23:50"), "80.00", stored_at=instant("2026-05-01 00:07"))
    assert summarize_billing(at=NOW).previous_month == date(2026, 3, 1)


def test_the_invoices_of_the_month_before_are_summed_without_its_preview() -> None:
    assert summarize_billing(at=NOW).invoiced is None
    an_invoice("a", "80.00")
    an_invoice("b", "6.92")
    an_invoice("preview", "50.00", is_preview=True)
    an_invoice("older", "9.99", period=date(2026, 3, 1))
    assert summarize_billing(at=NOW).invoiced == Decimal("86.92")


def test_invoices_that_need_an_operator_are_counted_and_previews_are_not() -> None:
    for number, status in enumerate(("failed", "mismatch", "pending", "ingested")):
        an_invoice(f"{number}", ingest_status=status, push_status="waiting")
    an_invoice("refused", ingest_status="ingested", push_status="refused")
    an_invoice("pushed", ingest_status="ingested", push_status="pushed", pushed_to_finance_at=NOW)
    an_invoice("preview", ingest_status="failed", is_preview=True)
    found = summarize_billing(at=NOW)
    assert (found.unreconciled, found.waiting, found.refused) == (2, 4, 1)


def test_it_takes_as_many_queries_with_rows_as_without(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(3):
        summarize_billing(at=NOW)
    a_balance(NOW, "11.21")
    a_balance(instant("2026-04-10 14:30"), "7.00")
    an_invoice()
    with django_assert_num_queries(3):
        summarize_billing(at=NOW)
