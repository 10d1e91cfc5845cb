"""Faults in the CSV of the simulated account's invoices, and the number of its invoices."""

from typing import Any

import pytest
import requests

from tests.simulator.api import Api
from tests.simulator.invoices import (
    BILLING_PATH,
    NOW,
    csv_rows,
    download_csv,
    list_invoices,
    reference,
    simulated_api,
    sum_usd,
)

__all__ = ["reference"]


@pytest.mark.parametrize(
    ("fault", "count", "amount"),
    [
        ({"kind": "lost_line", "line": 3}, 32, "62.92"),
        ({"kind": "doubled_line", "line": 3}, 34, "110.92"),
        ({"kind": "missing_cent", "line": 33}, 33, "86.91"),
        ({"kind": "lost_line", "line": 99}, 33, "86.92"),
    ],
)
def test_a_table_can_be_wrong_by_a_line_or_a_cent(
    api: Api, fault: dict[str, Any], count: int, amount: str
) -> None:
    api.post("/_control/reset", {"fleet": "reference", **NOW}, status=200)
    api.arm(**fault, path="/csv$")
    april = list_invoices(api)[0]
    spoiled, good = csv_rows(api, april), csv_rows(api, april)
    assert (len(spoiled), sum_usd(spoiled), april["amount"]) == (count, amount, "86.92")
    assert (len(good), sum_usd(good)) == (33, "86.92")


def test_a_table_can_be_a_page_or_half_of_itself(reference: Api) -> None:
    april = list_invoices(reference)[0]
    whole = download_csv(reference, april)
    reference.arm("html_answer")
    page = reference.ask("GET", f"{BILLING_PATH}/invoices/{april['invoice_uuid']}/csv")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    reference.arm("truncated", cut="body", path="/csv$")
    assert download_csv(reference, april) == whole[: len(whole) // 2]
    reference.arm("truncated", cut="connection", path="/csv$")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        download_csv(reference, april)


@pytest.mark.parametrize(("wanted", "months"), [(12, 12), (137, 137), (1000, 137)])
def test_there_can_be_fewer_invoices_or_more(wanted: int, months: int) -> None:
    with simulated_api(invoices=wanted) as api:
        found = list_invoices(api)
        assert len({head["invoice_uuid"] for head in found}) == len(found) == wanted
        assert len({head["invoice_id"] for head in found}) == wanted
        assert len({head["invoice_period"] for head in found}) == months
        assert found[0]["invoice_period"] == "2026-04"
        for head in found[:20]:
            assert sum_usd(csv_rows(api, head)) == head["amount"]


def test_numbers_that_make_no_sense_are_refused(api: Api) -> None:
    for payload in ({"invoices": -1}, {"invoice_lines": 1}, {"invoice_lines": 10_000_001}):
        assert api.refusal("POST", "/_control/reset", payload)[0] == 400
