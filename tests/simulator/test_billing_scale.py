"""Ten thousand invoices, and one of 300,000 lines."""

import csv
import subprocess
from collections.abc import Iterator
from decimal import Decimal

import psutil
import pytest
import requests

from simulator.simulation import DEFAULT_TOKEN
from tests.simulator.api import Api
from tests.simulator.invoices import BILLING_PATH, amount, list_invoices
from tests.simulator.test_process import started


@pytest.fixture(scope="module")
def process() -> Iterator["subprocess.Popen[str]"]:
    options = (
        "--droplets",
        "1000",
        "--invoices",
        "10000",
        "--invoice-lines",
        "300000",
        "--today",
        "2026-05-10",
    )
    with started(*options) as process:
        yield process
        process.kill()


@pytest.fixture(scope="module")
def many(process: "subprocess.Popen[str]") -> Iterator[Api]:
    assert process.stdout is not None
    with Api(process.stdout.readline().split()[-1]) as api:
        yield api


@pytest.mark.xdist_group("simulator_scale")
def test_ten_thousand_invoices_and_a_table_without_end_take_no_memory_that_stays(
    many: Api, process: "subprocess.Popen[str]"
) -> None:
    memory = psutil.Process(process.pid).memory_info
    (huge,) = [each for each in many.get("/_control/invoices/2026-04")["invoices"] if each["lines"] > 1000]
    assert huge["lines"] == 300_000
    before = memory().rss
    assert len({head["invoice_uuid"] for head in list_invoices(many)}) == 10_001
    history = many.get(f"{BILLING_PATH}/billing_history?per_page=200&page=100")
    assert (history["meta"]["total"], len(history["billing_history"])) == (20_012, 200)
    headers = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}
    address = f"{many.url}{BILLING_PATH}/invoices/{huge['invoice_uuid']}/csv"
    with requests.get(address, headers=headers, stream=True, timeout=60) as answer:
        assert answer.headers["transfer-encoding"] == "chunked"
        lines = csv.DictReader(line.decode() for line in answer.iter_lines())
        cents = [int(amount(line["USD"]).replace(".", "")) for line in lines]
    assert (len(cents), Decimal(sum(cents)) / 100) == (300_000, Decimal(huge["amount"]))
    assert memory().rss - before < 60_000_000
    page = many.get(f"{BILLING_PATH}/invoices/{huge['invoice_uuid']}?per_page=200&page=1500")["invoice_items"]
    assert page[-1]["product"] == "Taxes"
    droplet = many.get(f"/v2/droplets/{page[0]['resource_id']}")["droplet"]
    assert page[0]["description"] == f"{droplet['name']} ({droplet['size_slug']})"
