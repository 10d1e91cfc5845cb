"""What the simulated account is charged: the same each time, and adding up to the cent."""

import csv
import io
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import psutil
import pytest
import requests

from simulator.server import serve
from simulator.world import DEFAULT_TOKEN, World
from tests.simulator.api import Api
from tests.simulator.test_process import started

MY = "/v2/customers/my"
TODAY = date(2026, 5, 10)
NOW = {"today": "2026-05-10"}
DAY = 86_400


@contextmanager
def simulated(**options: Any) -> Iterator[Api]:
    with serve(World(**{"today": TODAY, **options})) as url, Api(url) as api:
        yield api


@pytest.fixture(scope="module")
def reference() -> Iterator[Api]:
    with simulated(fleet="reference") as api:
        yield api


def heads(api: Api) -> list[dict[str, Any]]:
    """Every final invoice, newest first."""
    found: list[dict[str, Any]] = []
    page = 1
    while listed := api.get(f"{MY}/invoices?per_page=200&page={page}")["invoices"]:
        found += listed
        page += 1
    return found


def preview(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"{MY}/invoices?per_page=1")["invoice_preview"]
    return found


def text(api: Api, head: dict[str, Any]) -> str:
    answer = api.ask("GET", f"{MY}/invoices/{head['invoice_uuid']}/csv")
    assert answer.status_code == 200, answer.text
    return answer.content.decode()


def rows(api: Api, head: dict[str, Any]) -> list[dict[str, str]]:
    """The table by its columns' plain names, amounts as numbers."""
    reader = csv.reader(io.StringIO(text(api, head).removeprefix("\ufeff"), newline=""))
    names = [name.lower().replace(" ", "_") for name in next(reader)]
    return [{**dict(zip(names, row, strict=True)), "usd": amount(row[names.index("usd")])} for row in reader]


def amount(shown: str) -> str:
    """`($1,015.00)`, `-$5.00` and `$-5.00` as numbers."""
    sign = "-" if "-" in shown or shown.startswith("(") else ""
    return sign + re.sub(r"[^0-9.]", "", shown)


def total(table: list[dict[str, str]]) -> str:
    return str(sum((Decimal(row["usd"]) for row in table), Decimal("0.00")))


def items(api: Api, head: dict[str, Any]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    page = 1
    while listed := api.get(f"{MY}/invoices/{head['invoice_uuid']}?per_page=200&page={page}")[
        "invoice_items"
    ]:
        found += listed
        page += 1
    return found


@pytest.mark.parametrize(
    ("today", "count", "last"),
    [
        ("2026-05-10", 137, "2026-04"),
        ("2026-05-01", 137, "2026-04"),
        ("2026-04-30", 136, "2026-03"),
        ("2015-01-01", 1, "2014-12"),
        ("2014-12-31", 0, None),
    ],
)
def test_there_is_an_invoice_for_each_complete_month_since_december_2014(
    api: Api, today: str, count: int, last: str | None
) -> None:
    api.post("/_control/reset", {"today": today}, status=200)
    months = [head["invoice_period"] for head in heads(api)]
    assert len(set(months)) == len(months) == count
    assert months == sorted(months, reverse=True)
    assert (months[0] if months else None) == last
    assert preview(api)["invoice_period"] == today[:7]


def test_the_reference_invoice_is_as_it_was(reference: Api) -> None:
    april = heads(reference)[0]
    table = rows(reference, april)
    taxes = [row for row in table if row["product"] == "Taxes"]
    assert (april["invoice_period"], april["amount"], len(table)) == ("2026-04", "86.92", 33)
    assert total(table) == "86.92"
    assert [(row["description"], row["usd"]) for row in taxes] == [("GST Australia (10.00%)", "7.90")]


def test_six_of_its_lines_are_about_the_fleet_by_name_and_by_id(reference: Api) -> None:
    fleet = {each["name"]: str(each["id"]) for each in reference.get("/v2/droplets")["droplets"]}
    listed = items(reference, heads(reference)[0])
    droplets = [each for each in listed if each["product"] == "Droplets"]
    named = [each for each in droplets if each["description"].rpartition(" (")[0] in fleet]
    known = [each for each in droplets if each.get("resource_id") in fleet.values()]
    assert named == known
    assert Counter(each["description"].rpartition(" (")[0] for each in named) == {
        "acme-web-01": 1, "acme-web-02": 1, "acme-db-01": 1, "globex-app-01": 2, "bastion-01": 1,
    }  # fmt: skip
    assert not {each.get("resource_id", "") for each in listed if each not in known} & set(fleet.values())
    other_kinds = {each["description"].split(" (")[0] for each in listed if each["product"] != "Droplets"}
    assert other_kinds & set(fleet) == {"bastion-01", "acme-db-01"}  # a volume's and a backup's: no droplets


@pytest.mark.parametrize("fleet", ["default", "reference", "empty"])
def test_every_table_adds_up_and_agrees_with_items_and_summary(fleet: str) -> None:
    with simulated(fleet=fleet) as api:
        for head in [*heads(api), preview(api)]:
            table, listed = rows(api, head), items(api, head)
            assert total(table) == head["amount"], head
            keys = ("product", "group_description", "description", "project_name")
            assert [[row[key] for key in keys] for row in table] == [
                [item.get(key, "") for key in keys] for item in listed
            ]
            assert [row["usd"] for row in table] == [item["amount"] for item in listed]
            assert [row["start"][:19] for row in table] == [
                item["start_time"].replace("T", " ")[:19] for item in listed
            ]
            summary = api.get(f"{MY}/invoices/{head['invoice_uuid']}/summary")
            parts = [summary[name]["amount"] for name in ("product_charges", "overages", "taxes")]
            assert sum(map(Decimal, parts)) == Decimal(head["amount"]) == Decimal(summary["amount"])
            products = [Decimal(item["amount"]) for item in summary["product_charges"]["items"]]
            assert sum(products) == Decimal(summary["product_charges"]["amount"])


def test_tables_are_written_as_in_their_years(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "default", **NOW}, status=200)
    by_month = {head["invoice_period"]: head for head in heads(api)}
    tables = {month: text(api, head) for month, head in by_month.items()}
    first_lines = {month: table.splitlines()[0] for month, table in tables.items()}
    assert first_lines["2026-04"] == (
        "product,group_description,description,hours,start,end,USD,project_name,category"
    )
    for month in ("2019-01", "2020-12"):
        assert first_lines[month] == "product,group_description,description,hours,start,end,USD,project_name"
    assert first_lines["2021-01"].endswith(",category")
    assert first_lines["2017-12"].startswith("\ufeffproduct,")
    assert first_lines["2014-12"] == "Product,Group Description,Description,Hours,Start,End,USD,Project Name"
    assert "\r\n" in tables["2014-12"]
    assert ",($2.12)," in tables["2015-09"]
    assert re.search(r",\$-\d+\.\d\d,", tables["2016-03"])
    assert re.search(r",-\$\d+\.\d\d,", tables["2019-11"])
    assert re.search(r',"-\$1,\d{3}\.\d\d",', tables["2025-09"])
    assert '"$4,529.28"' in tables["2026-04"]
    assert '"api, blue (s-1vcpu-1gb)"' in tables["2019-11"]
    assert '"the ""new"" one"' in tables["2019-11"]


def test_a_month_is_billed_by_the_hour_and_no_more_than_its_price(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "default", **NOW}, status=200)
    billed = [row for head in heads(api) for row in rows(api, head) if row["product"] == "Droplets"]
    whole = [
        row for row in billed if row["description"] == "first (512mb)" and row["hours"] in {"744", "672"}
    ]
    assert {row["usd"] for row in whole} == {"5.00"}
    first = next(row for row in billed if row["start"].startswith("2014-12-03 09:39"))
    assert (first["hours"], first["usd"], first["end"]) == ("686", "5.00", "2015-01-01 00:00:00 +0000")
    parts = [
        row for row in billed if row["hours"] == "310" and "old-web-08 (s-1vcpu-2gb)" in row["description"]
    ]
    assert [row["usd"] for row in parts] == ["4.61"]  # 310 / 672 of 10.00


def test_what_is_there_is_billed_with_its_id_and_project(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "default", **NOW}, status=200)
    listed = items(api, heads(api)[0])
    volumes = {each["id"] for each in api.get("/v2/volumes")["volumes"]}
    droplets = {str(each["id"]) for each in api.get("/v2/droplets?per_page=200")["droplets"]}
    workers = {str(each["id"]) for each in api.get("/v2/droplets?tag_name=k8s")["droplets"]}
    gpus = {str(each["id"]) for each in api.get("/v2/droplets?type=gpus")["droplets"]}
    billed_volumes = {each["resource_uuid"] for each in listed if each["product"] == "Volumes"}
    billed_droplets = {each["resource_id"] for each in listed if each["product"] == "Droplets"}
    assert billed_volumes == volumes
    assert workers
    assert (droplets - workers) | gpus <= billed_droplets
    assert not workers & billed_droplets  # the cluster's line has them
    assert {"acme", "globex", "initech", "arcadia"} <= {each.get("project_name", "") for each in listed}
    spaces = [each for each in listed if each["product"] == "Spaces Subscription"]
    assert [set(each) & {"resource_id", "resource_uuid"} for each in spaces] == [set()]


def test_the_seed_alone_decides() -> None:
    def told(seed: int) -> str:
        with simulated(seed=seed) as api:
            return "".join(text(api, head) for head in heads(api)[60:80])

    assert told(1) == told(1) != told(2)


def test_the_history_has_invoices_payments_and_the_rest_newest_first(reference: Api) -> None:
    first = reference.get(f"{MY}/billing_history?per_page=200")
    entries = (
        first["billing_history"]
        + reference.get(f"{MY}/billing_history?per_page=200&page=2")["billing_history"]
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
    for head in heads(reference):
        entry = by_uuid[head["invoice_uuid"]]
        assert (entry["amount"], entry["invoice_id"]) == (head["amount"], head["invoice_id"])
    assert all(entry["amount"].startswith("-") for entry in entries if entry["type"] == "Payment")
    twice = [entry for entry in entries if entry["type"] == "AttemptFailed"]
    assert twice[0] == twice[1]


def test_an_invoice_is_owed_until_it_is_paid(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "reference", "today": "2026-05-01"}, status=200)
    before, used = api.get(f"{MY}/balance"), preview(api)["amount"]
    assert (before["account_balance"], before["month_to_date_usage"]) == ("86.92", used)
    assert Decimal(before["month_to_date_balance"]) == Decimal("86.92") + Decimal(used)
    assert before["generated_at"] == "2026-05-01T12:00:00Z"
    api.advance(DAY)
    assert api.get(f"{MY}/balance")["account_balance"] == "0.00"


def test_the_preview_grows_and_is_replaced_when_the_month_turns(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "reference", "today": "2026-04-20"}, status=200)
    first = preview(api)
    api.advance(DAY)
    second = preview(api)
    assert first["invoice_uuid"] == second["invoice_uuid"]
    assert Decimal(first["amount"]) < Decimal(second["amount"])
    assert first["updated_at"] < second["updated_at"]
    assert total(rows(api, second)) == second["amount"]
    api.advance(20 * DAY)
    third, final = preview(api), heads(api)[0]
    assert (third["invoice_period"], final["invoice_period"], final["amount"]) == (
        "2026-05",
        "2026-04",
        "86.92",
    )
    assert len({first["invoice_uuid"], third["invoice_uuid"], final["invoice_uuid"]}) == 3
    for path in ("", "/csv", "/summary"):
        api.get(f"{MY}/invoices/{first['invoice_uuid']}{path}", status=404)


def test_what_is_done_to_droplets_is_billed_from_then_on_and_never_before(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "reference", **NOW}, status=200)
    finals = heads(api)
    made = api.create("fresh-01", size="s-2vcpu-4gb")
    web = next(each for each in api.get("/v2/droplets")["droplets"] if each["name"] == "acme-web-01")
    preview(api)
    api.advance(5 * DAY)
    api.delete(f"/v2/droplets/{made['id']}")
    api.patch(f"/_control/droplets/{web['id']}", {"size": "s-2vcpu-4gb"})
    preview(api)
    api.advance(5 * DAY)
    running = {row["description"]: row["hours"] for row in rows(api, preview(api))}
    assert running["fresh-01 (s-2vcpu-4gb)"] == "120"
    assert (running["acme-web-01 (s-1vcpu-1gb)"], running["acme-web-01 (s-2vcpu-4gb)"]) == ("348", "119")
    api.advance(20 * DAY)
    assert heads(api)[1:] == finals
    assert "fresh-01 (s-2vcpu-4gb)" in text(api, heads(api)[0])
    assert "fresh-01" not in text(api, preview(api))


def test_credits_may_stand_in_the_summary_alone(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "reference", **NOW}, status=200)
    changed = api.patch("/_control/invoices/2026-04", {"credits": "25.00"})["invoice"]
    april = heads(api)[0]
    assert (changed["amount"], april["amount"], total(rows(api, april))) == ("61.92", "61.92", "86.92")
    summary = api.get(f"{MY}/invoices/{april['invoice_uuid']}/summary")
    assert (summary["amount"], summary["credits_and_adjustments"]["amount"]) == ("61.92", "-25.00")
    assert api.get(f"{MY}/billing_history")["billing_history"][1]["amount"] == "61.92"
    assert api.refusal("PATCH", "/_control/invoices/1999-01", {"credits": "1"})[0] == 404
    assert api.refusal("PATCH", "/_control/invoices/2026-04", {"credits": "much"})[0] == 400


def test_a_month_may_have_several_final_invoices(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "reference", **NOW}, status=200)
    added = api.post("/_control/invoices", {"month": "2026-03", "lines": 5})["invoice"]
    listed = api.get("/_control/invoices/2026-03")["invoices"]
    assert [each["lines"] for each in listed] == [8, 5]
    assert listed[1] == added
    assert total(rows(api, added)) == added["amount"]
    assert len(heads(api)) == 138
    for wish in ({"month": "2026-05"}, {"month": "soon"}, {"month": "2026-03", "lines": 1}):
        assert api.refusal("POST", "/_control/invoices", wish)[0] == 400


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
    april = heads(api)[0]
    spoiled, good = rows(api, april), rows(api, april)
    assert (len(spoiled), total(spoiled), april["amount"]) == (count, amount, "86.92")
    assert (len(good), total(good)) == (33, "86.92")


def test_a_table_can_be_a_page_or_half_of_itself(reference: Api) -> None:
    april = heads(reference)[0]
    whole = text(reference, april)
    reference.arm("html_answer")
    page = reference.ask("GET", f"{MY}/invoices/{april['invoice_uuid']}/csv")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    reference.arm("truncated", cut="body", path="/csv$")
    assert text(reference, april) == whole[: len(whole) // 2]
    reference.arm("truncated", cut="connection", path="/csv$")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        text(reference, april)


@pytest.mark.parametrize(("wanted", "months"), [(12, 12), (137, 137), (1000, 137)])
def test_there_can_be_fewer_invoices_or_more(wanted: int, months: int) -> None:
    with simulated(invoices=wanted) as api:
        found = heads(api)
        assert len({head["invoice_uuid"] for head in found}) == len(found) == wanted
        assert len({head["invoice_id"] for head in found}) == wanted
        assert len({head["invoice_period"] for head in found}) == months
        assert found[0]["invoice_period"] == "2026-04"
        for head in found[:20]:
            assert total(rows(api, head)) == head["amount"]


def test_numbers_that_make_no_sense_are_refused(api: Api) -> None:
    for wish in ({"invoices": -1}, {"invoice_lines": 1}, {"invoice_lines": 10_000_001}):
        assert api.refusal("POST", "/_control/reset", wish)[0] == 400


# --- Many --------------------------------------------------------------------------------------------------
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
    assert len({head["invoice_uuid"] for head in heads(many)}) == 10_001
    history = many.get(f"{MY}/billing_history?per_page=200&page=100")
    assert (history["meta"]["total"], len(history["billing_history"])) == (20_012, 200)
    headers = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}
    address = f"{many.url}{MY}/invoices/{huge['invoice_uuid']}/csv"
    with requests.get(address, headers=headers, stream=True, timeout=60) as answer:
        assert answer.headers["transfer-encoding"] == "chunked"
        lines = csv.DictReader(line.decode() for line in answer.iter_lines())
        cents = [int(amount(line["USD"]).replace(".", "")) for line in lines]
    assert (len(cents), Decimal(sum(cents)) / 100) == (300_000, Decimal(huge["amount"]))
    assert memory().rss - before < 60_000_000
    page = many.get(f"{MY}/invoices/{huge['invoice_uuid']}?per_page=200&page=1500")["invoice_items"]
    assert page[-1]["product"] == "Taxes"
    droplet = many.get(f"/v2/droplets/{page[0]['resource_id']}")["droplet"]
    assert page[0]["description"] == f"{droplet['name']} ({droplet['size_slug']})"
