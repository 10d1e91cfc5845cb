"""The invoices of the simulated account, read over its API."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from simulator.server import serve
from simulator.simulation import Simulation
from tests.simulator.api import Api

BILLING_PATH = "/v2/customers/my"
TODAY = date(2026, 5, 10)
NOW = {"today": "2026-05-10"}
DAY = 86_400


@contextmanager
def simulated_api(**options: Any) -> Iterator[Api]:
    with serve(Simulation(**{"today": TODAY, **options})) as url, Api(url) as api:
        yield api


@pytest.fixture(scope="module")
def reference() -> Iterator[Api]:
    with simulated_api(fleet="reference") as api:
        yield api


def list_invoices(api: Api) -> list[dict[str, Any]]:
    """Return every final invoice, newest first."""
    found: list[dict[str, Any]] = []
    page = 1
    while listed := api.get(f"{BILLING_PATH}/invoices?per_page=200&page={page}")["invoices"]:
        found += listed
        page += 1
    return found


def preview(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"{BILLING_PATH}/invoices?per_page=1")["invoice_preview"]
    return found


def download_csv(api: Api, invoice: dict[str, Any]) -> str:
    answer = api.ask("GET", f"{BILLING_PATH}/invoices/{invoice['invoice_uuid']}/csv")
    assert answer.status_code == 200, answer.text
    return answer.content.decode()


def csv_rows(api: Api, invoice: dict[str, Any]) -> list[dict[str, str]]:
    """Return the CSV's rows by plain column names, with amounts as numbers."""
    reader = csv.reader(io.StringIO(download_csv(api, invoice).removeprefix("\ufeff"), newline=""))
    names = [name.lower().replace(" ", "_") for name in next(reader)]
    return [{**dict(zip(names, row, strict=True)), "usd": amount(row[names.index("usd")])} for row in reader]


def amount(shown: str) -> str:
    """Parse `($1,015.00)`, `-$5.00` and `$-5.00`."""
    sign = "-" if "-" in shown or shown.startswith("(") else ""
    return sign + re.sub(r"[^0-9.]", "", shown)


def sum_usd(table: list[dict[str, str]]) -> str:
    return str(sum((Decimal(row["usd"]) for row in table), Decimal("0.00")))


def list_items(api: Api, invoice: dict[str, Any]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    page = 1
    while listed := api.get(f"{BILLING_PATH}/invoices/{invoice['invoice_uuid']}?per_page=200&page={page}")[
        "invoice_items"
    ]:
        found += listed
        page += 1
    return found
