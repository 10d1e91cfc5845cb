"""Billing of the simulated account: history, balance, preview, and changes to its droplets."""

from collections import Counter
from decimal import Decimal

from tests.simulator.api import Api
from tests.simulator.invoices import (
    BILLING_PATH,
    DAY,
    NOW,
    csv_rows,
    download_csv,
    list_invoices,
    preview,
    reference,
    sum_usd,
)

__all__ = ["reference"]


def test_the_history_has_invoices_payments_and_the_rest_newest_first(reference: Api) -> None:
    first = reference.get(f"{BILLING_PATH}/billing_history?per_page=200")
    entries = (
        first["billing_history"]
        + reference.get(f"{BILLING_PATH}/billing_history?per_page=200&page=2")["billing_history"]
    )
    assert len(entries) == first["meta"]["total"] == 137 * 2 + 10
    dates = [entry["date"] for entry in entries]
    assert dates == sorted(dates, reverse=True)
    kinds = Counter(entry["type"] for entry in entries)
    assert kinds == {
        "Invoice": 137, "Payment": 138, "Credit": 1, "CreditExpiration": 1, "AttemptFailed": 2, "Refund": 1,
        "Adjustment": 1, "ACHFailure": 1, "Chargeback": 1, "Reversal": 1,
    }  # fmt: skip
    by_uuid = {entry["invoice_uuid"]: entry for entry in entries if "invoice_uuid" in entry}
    for head in list_invoices(reference):
        entry = by_uuid[head["invoice_uuid"]]
        assert (entry["amount"], entry["invoice_id"]) == (head["amount"], head["invoice_id"])
    assert all(entry["amount"].startswith("-") for entry in entries if entry["type"] == "Payment")
    twice = [entry for entry in entries if entry["type"] == "AttemptFailed"]
    assert twice[0] == twice[1]


def test_an_invoice_is_owed_until_it_is_paid(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "reference", "today": "2026-05-01"}, status=200)
    before, used = api.get(f"{BILLING_PATH}/balance"), preview(api)["amount"]
    assert (before["account_balance"], before["month_to_date_usage"]) == ("86.92", used)
    assert Decimal(before["month_to_date_balance"]) == Decimal("86.92") + Decimal(used)
    assert before["generated_at"] == "2026-05-01T12:00:00Z"
    api.advance(DAY)
    assert api.get(f"{BILLING_PATH}/balance")["account_balance"] == "0.00"


def test_the_preview_grows_and_is_replaced_when_the_month_turns(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "reference", "today": "2026-04-20"}, status=200)
    first = preview(api)
    api.advance(DAY)
    second = preview(api)
    assert first["invoice_uuid"] == second["invoice_uuid"]
    assert Decimal(first["amount"]) < Decimal(second["amount"])
    assert first["updated_at"] < second["updated_at"]
    assert sum_usd(csv_rows(api, second)) == second["amount"]
    api.advance(20 * DAY)
    third, final = preview(api), list_invoices(api)[0]
    assert (third["invoice_period"], final["invoice_period"], final["amount"]) == (
        "2026-05",
        "2026-04",
        "86.92",
    )
    assert len({first["invoice_uuid"], third["invoice_uuid"], final["invoice_uuid"]}) == 3
    for path in ("", "/csv", "/summary"):
        api.get(f"{BILLING_PATH}/invoices/{first['invoice_uuid']}{path}", status=404)


def test_what_is_done_to_droplets_is_billed_from_then_on_and_never_before(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "reference", **NOW}, status=200)
    finals = list_invoices(api)
    made = api.create("fresh-01", size="s-2vcpu-4gb")
    web = next(each for each in api.get("/v2/droplets")["droplets"] if each["name"] == "acme-web-01")
    preview(api)
    api.advance(5 * DAY)
    api.delete(f"/v2/droplets/{made['id']}")
    api.patch(f"/_control/droplets/{web['id']}", {"size": "s-2vcpu-4gb"})
    preview(api)
    api.advance(5 * DAY)
    running = {row["description"]: row["hours"] for row in csv_rows(api, preview(api))}
    assert running["fresh-01 (s-2vcpu-4gb)"] == "120"
    assert (running["acme-web-01 (s-1vcpu-1gb)"], running["acme-web-01 (s-2vcpu-4gb)"]) == ("348", "119")
    api.advance(20 * DAY)
    assert list_invoices(api)[1:] == finals
    assert "fresh-01 (s-2vcpu-4gb)" in download_csv(api, list_invoices(api)[0])
    assert "fresh-01" not in download_csv(api, preview(api))


def test_credits_may_stand_in_the_summary_alone(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "reference", **NOW}, status=200)
    changed = api.patch("/_control/invoices/2026-04", {"credits": "25.00"})["invoice"]
    april = list_invoices(api)[0]
    assert (changed["amount"], april["amount"], sum_usd(csv_rows(api, april))) == ("61.92", "61.92", "86.92")
    summary = api.get(f"{BILLING_PATH}/invoices/{april['invoice_uuid']}/summary")
    assert (summary["amount"], summary["credits_and_adjustments"]["amount"]) == ("61.92", "-25.00")
    assert api.get(f"{BILLING_PATH}/billing_history")["billing_history"][1]["amount"] == "61.92"
    assert api.refusal("PATCH", "/_control/invoices/1999-01", {"credits": "1"})[0] == 404
    assert api.refusal("PATCH", "/_control/invoices/2026-04", {"credits": "much"})[0] == 400


def test_a_month_may_have_several_final_invoices(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "reference", **NOW}, status=200)
    added = api.post("/_control/invoices", {"month": "2026-03", "lines": 5})["invoice"]
    listed = api.get("/_control/invoices/2026-03")["invoices"]
    assert [each["lines"] for each in listed] == [8, 5]
    assert listed[1] == added
    assert sum_usd(csv_rows(api, added)) == added["amount"]
    assert len(list_invoices(api)) == 138
    for payload in ({"month": "2026-05"}, {"month": "soon"}, {"month": "2026-03", "lines": 1}):
        assert api.refusal("POST", "/_control/invoices", payload)[0] == 400
