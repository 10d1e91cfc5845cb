"""Billing insights of the simulator: costs by day, in the shape of the official document."""

from collections import defaultdict
from decimal import Decimal

import pytest

from tests.simulator.api import Api
from tests.simulator.test_openapi import DOCUMENT, check

PATH = "/v2/billing/{urn}/insights/{first}/{last}"


@pytest.fixture
def urn(api: Api) -> str:
    return f"do:team:{api.get('/v2/account')['account']['team']['uuid']}"


@pytest.mark.skipif(not DOCUMENT.is_file(), reason="DigitalOcean's OpenAPI document is not here")
def test_billing_insights_have_the_documents_shape(api: Api, urn: str) -> None:
    path = PATH.format(urn=urn, first="2025-01-01", last="2025-01-31")
    answer = check(api.ask("GET", f"{path}?per_page=2")).json()
    assert (len(answer["data_points"]), answer["current_page"]) == (2, 1)
    assert answer["total_pages"] == -(-answer["total_items"] // 2)
    stranger = PATH.format(urn="do:team:another", first="2025-01-01", last="2025-01-31")
    assert check(api.ask("GET", stranger)).status_code == 404
    assert (
        check(api.ask("GET", PATH.format(urn=urn, first="2025-01-01", last="2025-03-01"))).status_code == 400
    )


def test_the_days_of_a_closed_month_sum_to_its_invoices_lines(api: Api, urn: str) -> None:
    invoice = api.get("/v2/customers/my/invoices")["invoices"][0]
    month = invoice["invoice_period"]
    billed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for item in api.get(f"/v2/customers/my/invoices/{invoice['invoice_uuid']}?per_page=200")["invoice_items"]:
        if item["product"] == "Droplets":
            billed[item["description"]] += Decimal(item["amount"])
    reported: defaultdict[str, Decimal] = defaultdict(Decimal)
    path, page, pages = PATH.format(urn=urn, first=f"{month}-01", last=f"{month}-28"), 1, 1
    while page <= pages:
        answer = api.get(f"{path}?per_page=200&page={page}")
        for point in answer["data_points"]:
            if point["sku"] == "1-DO-DROP-0109":
                reported[point["description"]] += Decimal(point["total_amount"])
        page, pages = page + 1, answer["total_pages"]
    assert reported == billed, "672 hours are the whole price, on the 28th"
