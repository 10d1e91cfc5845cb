"""Invoices of the simulated account: the same each time, and adding up to the cent."""

import re
from collections import Counter
from decimal import Decimal

import pytest

from tests.simulator.api import Api
from tests.simulator.invoices import (
    BILLING_PATH,
    NOW,
    csv_rows,
    download_csv,
    list_invoices,
    list_items,
    preview,
    reference,
    simulated_api,
    sum_usd,
)

__all__ = ["reference"]


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
    months = [head["invoice_period"] for head in list_invoices(api)]
    assert len(set(months)) == len(months) == count
    assert months == sorted(months, reverse=True)
    assert (months[0] if months else None) == last
    assert preview(api)["invoice_period"] == today[:7]


def test_the_reference_invoice_is_as_it_was(reference: Api) -> None:
    april = list_invoices(reference)[0]
    table = csv_rows(reference, april)
    taxes = [row for row in table if row["product"] == "Taxes"]
    assert (april["invoice_period"], april["amount"], len(table)) == ("2026-04", "86.92", 33)
    assert sum_usd(table) == "86.92"
    assert [(row["description"], row["usd"]) for row in taxes] == [("GST Australia (10.00%)", "7.90")]


def test_six_of_its_lines_are_about_the_fleet_by_name_and_by_id(reference: Api) -> None:
    fleet = {each["name"]: str(each["id"]) for each in reference.get("/v2/droplets")["droplets"]}
    listed = list_items(reference, list_invoices(reference)[0])
    droplets = [each for each in listed if each["product"] == "Droplets"]
    named = [each for each in droplets if each["description"].rpartition(" (")[0] in fleet]
    known = [each for each in droplets if each.get("resource_id") in fleet.values()]
    assert named == known
    assert Counter(each["description"].rpartition(" (")[0] for each in named) == {
        "acme-web-01": 1, "acme-web-02": 1, "acme-db-01": 1, "globex-app-01": 2, "bastion-01": 1,
    }  # fmt: skip
    assert not {each.get("resource_id", "") for each in listed if each not in known} & set(fleet.values())
    other_kinds = {each["description"].split(" (")[0] for each in listed if each["product"] != "Droplets"}
    assert other_kinds & set(fleet) == {"bastion-01"}  # a volume's: no droplet


@pytest.mark.parametrize("fleet", ["default", "reference", "empty"])
def test_every_table_adds_up_and_agrees_with_items_and_summary(fleet: str) -> None:
    with simulated_api(fleet=fleet) as api:
        for head in [*list_invoices(api), preview(api)]:
            table, listed = csv_rows(api, head), list_items(api, head)
            assert sum_usd(table) == head["amount"], head
            keys = ("product", "group_description", "description", "project_name")
            assert [[row[key] for key in keys] for row in table] == [
                [item.get(key, "") for key in keys] for item in listed
            ]
            assert [row["usd"] for row in table] == [item["amount"] for item in listed]
            assert [row["start"][:19] for row in table] == [
                item["start_time"].replace("T", " ")[:19] for item in listed
            ]
            summary = api.get(f"{BILLING_PATH}/invoices/{head['invoice_uuid']}/summary")
            parts = [summary[name]["amount"] for name in ("product_charges", "overages", "taxes")]
            assert sum(map(Decimal, parts)) == Decimal(head["amount"]) == Decimal(summary["amount"])
            products = [Decimal(item["amount"]) for item in summary["product_charges"]["items"]]
            assert sum(products) == Decimal(summary["product_charges"]["amount"])


def test_tables_are_written_as_in_their_years(api: Api) -> None:
    api.post("/_control/reset", {"fleet": "default", **NOW}, status=200)
    by_month = {head["invoice_period"]: head for head in list_invoices(api)}
    tables = {month: download_csv(api, head) for month, head in by_month.items()}
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
    billed = [
        row for head in list_invoices(api) for row in csv_rows(api, head) if row["product"] == "Droplets"
    ]
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
    listed = list_items(api, list_invoices(api)[0])
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
    def download_csvs(seed: int) -> str:
        with simulated_api(seed=seed) as api:
            return "".join(download_csv(api, head) for head in list_invoices(api)[60:80])

    assert download_csvs(1) == download_csvs(1) != download_csvs(2)
