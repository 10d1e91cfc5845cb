"""The console's margin, tenants, and what a deployment costs; and the margin in the API."""

import csv
import json
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from io import StringIO

import pytest
from django.test import Client
from django.utils import timezone

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.periods import Period, month_of, previous_month
from billing.costs.margin_months import compute_margin_month
from billing.models import DailyCost, MarginCost, MarginMonth, MarginRevenue
from deployments.models import Deployment
from deployments.services import create_deployment, create_subscription
from inventory.models import Resource
from tests.access import bearer, token_of
from tests.billing.margins import a_computed_day, a_plan, a_rate
from tests.billing.rows import a_resource
from tests.console.conftest import Login
from tests.console.rows import a_saga, queries_of

pytestmark = pytest.mark.django_db
MARGIN = "/admin/billing/dailycost/margin/"
TENANTS = "/admin/billing/dailycost/tenants/"
TENANT = f"{TENANTS}one/?tenant="
API = "/api/v1/costs/margin"


def chart_of(client: Client, address: str) -> list[tuple[str, list[float | None]]]:
    """The chart's lines: a label, and the months of which there is something, the others being gaps."""
    chart = json.loads(client.get(address).context["chart"])
    return [
        (each["label"], [value for value in each["data"] if value is not None]) for each in chart["datasets"]
    ]


def test_a_month_of_which_nothing_is_stored_is_a_gap_and_without_any_the_page_says_so(viewer: Client) -> None:
    assert "No margin of a plan is known in these months" in viewer.get(MARGIN).content.decode()
    a_book(1, 2)
    a_rate("0.65", day=last_month().start)
    shop = Deployment.objects.get()
    assert chart_of(viewer, MARGIN) == [("studio", [-7.5])]
    assert chart_of(viewer, f"{TENANT}tenant-1") == [("Cost", [40.0]), ("Revenue", [32.5])]
    assert chart_of(viewer, f"{MARGIN}deployment/{shop.pk}/") == [("Cost", [40.0]), ("Revenue", [32.5])]
    Deployment.objects.create(tenant_id="new", slug="shop")
    assert "Nothing that it earned or cost is stored" in viewer.get(f"{TENANT}new").content.decode()


def last_month() -> Period:
    return previous_month(timezone.now())


def asked(month: Period) -> str:
    return f"{month.start:%Y-%m}"


def a_book(first: int, last: int) -> None:
    """Tenants with a deployment of AUD 50.00 that costs 40 dollars, and a saga with an alert; last month."""
    month = last_month()
    a_plan()
    for number in range(first, last):
        tenant = f"tenant-{number}"
        shop = create_deployment(tenant_id=tenant, slug="shop", actor="a test", at=month.starts_at)
        create_subscription(deployment_pk=shop.pk, plan_code="studio", actor="a test", at=month.starts_at)
        a_resource(f"web-{number}", tenant_id=tenant, deployment=shop, monthly_price_cents=4000)
        DailyCost.objects.create(
            day=month.start, source="billed", kind="droplet", tenant_id=tenant, deployment=shop,
            amount=Decimal(40), resources=1,
        )  # fmt: skip
        saga = a_saga(number, tenant_id=tenant)
        raise_alert(code="test", subject=f"saga:{saga.pk}", message="Something is wrong")
    DailyCost.objects.get_or_create(
        day=month.start, source="billed", part="tax", kind="tax", defaults={"amount": 7, "resources": 0}
    )
    compute_margin_month(month)


@pytest.fixture
def rates() -> None:
    for month in (last_month(), month_of(timezone.now())):
        a_rate("0.65", day=month.start)


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content[:500]
    return unescape(" ".join(answer.content.decode().split()))


def test_the_margin_of_a_month_has_both_sides_and_a_total(viewer: Client, rates: None) -> None:
    a_book(0, 2)
    text = text_of(viewer, f"{MARGIN}?period={asked(last_month())}")
    for part in (
        "tenant-0/shop",
        "AUD 50.00",
        "$32.50",
        "$40.00",
        "-$7.50",
        "-23.1 %",
        "tax, apart",
        "$7.00",
    ):
        assert part in text
    assert "-$22.00" in text  # two losses and the tax
    assert 'data-type="line"' in text
    spread = text_of(viewer, f"{MARGIN}?period={asked(last_month())}&by=tenant&spread=evenly")
    assert "-$11.00" in spread
    assert "apart" not in spread.split("<tbody>")[1]


def test_the_file_is_exact_and_sums_to_its_total(viewer: Client, rates: None) -> None:
    a_book(0, 3)
    answer = viewer.get(f"{MARGIN}?period={asked(last_month())}&by=plan&spread=direct_cost&format=csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    *rows, total = csv.DictReader(StringIO(answer.content.decode()))
    assert total["name"] == "total"
    for column in ("revenue_usd", "cost_usd", "shared_usd", "margin_usd", "unpriced"):
        assert sum(Decimal(row[column]) for row in rows) == Decimal(total[column])
    assert total["margin_usd"] == "-29.50"


def test_the_file_counts_the_resources_that_are_in_no_cost(viewer: Client, rates: None) -> None:
    a_book(0, 2)
    DailyCost.objects.filter(tenant_id="tenant-1").update(unpriced=3)
    compute_margin_month(last_month())
    answer = viewer.get(f"{MARGIN}?period={asked(last_month())}&by=tenant&spread=direct_cost&format=csv")
    found = {row["name"]: row["unpriced"] for row in csv.DictReader(StringIO(answer.content.decode()))}
    assert found == {"tenant-0": "0", "tenant-1": "3", "total": "3"}


def test_a_missing_rate_is_named_with_the_way_to_add_it(viewer: Client) -> None:
    a_book(0, 1)
    last_day = last_month().end - timedelta(days=1)
    text = text_of(viewer, f"{MARGIN}?period={asked(last_month())}")
    assert f"there is no exchange rate from AUD to USD on {last_day}" in text
    assert "/admin/billing/exchangerate/add/" in text
    assert "there is no exchange rate" in text_of(viewer, TENANTS)
    assert "there is no exchange rate" in text_of(viewer, f"{TENANT}tenant-0")


def test_a_deployments_month_has_its_lines_and_its_page_the_cost(viewer: Client, rates: None) -> None:
    a_book(0, 1)
    shop = Deployment.objects.get()
    lines = text_of(viewer, f"{MARGIN}deployment/{shop.pk}/?period={asked(last_month())}")
    for part in ("Base fee: studio", "AUD 50.00", "Droplet", "Billed", "$40.00"):
        assert part in lines
    page = text_of(viewer, f"/admin/deployments/deployment/{shop.pk}/change/")
    assert f"{last_month().start:%B %Y}" in page
    assert "$40.00" in page


def test_tenants_are_listed_and_sorted_and_each_has_a_page(viewer: Client, rates: None) -> None:
    a_book(0, 2)
    Resource.objects.filter(tenant_id="tenant-1").update(monthly_price_cents=9900)
    a_resource("extra", tenant_id="tenant-1")
    text = text_of(viewer, TENANTS)
    for part in ("tenant-0", "at least $99.00", "$40.00", "$32.50", "-$7.50 (-23.1 %)", "2 in all"):
        assert part in text
    assert text.index("tenant-0") < text.index("tenant-1")
    dearest = text_of(viewer, f"{TENANTS}?order=list_price")
    assert dearest.index("tenant-1") < dearest.index("tenant-0")
    page = text_of(viewer, f"{TENANT}tenant-1")
    for part in ("shop", "Droplet", "echo", "Something is wrong", "$32.50", "All its sagas"):
        assert part in page


def test_what_has_no_price_makes_a_cost_a_least_and_a_margin_a_most(viewer: Client, rates: None) -> None:
    a_book(0, 1)
    shop = Deployment.objects.get()
    month = asked(last_month())
    pages = [
        *(f"{MARGIN}?period={month}&by={by}" for by in ("deployment", "tenant", "plan")),
        f"{TENANT}tenant-0",
        f"/admin/deployments/deployment/{shop.pk}/change/",
        f"{MARGIN}deployment/{shop.pk}/?period={month}",
    ]
    assert not [address for address in pages if "at least $40.00" in text_of(viewer, address)]
    MarginCost.objects.filter(deployment=shop).update(unpriced=2)
    assert [address for address in pages if "at least $40.00" in text_of(viewer, address)] == pages
    with_margin = [*pages[:4], TENANTS]
    assert [address for address in with_margin if "at most -$7.50" in text_of(viewer, address)] == with_margin
    for rows in (MarginCost.objects.all(), MarginRevenue.objects.all(), MarginMonth.objects.all()):
        rows.update(month=month_of(timezone.now()).start)  # which home shows
    home = text_of(viewer, "/admin/")
    assert home.count("at least $40.00") == home.count("at most -$7.50") == 1


def test_a_month_without_a_computed_day_shows_no_cost_anywhere(
    viewer: Client, client: Client, rates: None
) -> None:
    """On the first of each month: every report has the fees, and a dash for what isn't known yet."""
    a_book(0, 1)
    running = month_of(timezone.now())
    DailyCost.objects.all().delete()
    before = previous_month(last_month().start)
    a_computed_day(before.start)  # with no plan's cost or revenue: that month is no point of the chart either
    for month in (before, last_month(), running):
        compute_margin_month(month)
    shop = Deployment.objects.get()
    report = f"{MARGIN}?period={asked(running)}"
    pages = [
        "/admin/",
        *(f"{report}&by={by}&spread=evenly" for by in ("deployment", "tenant", "plan")),
        f"{TENANT}tenant-0",
        TENANTS,
        f"/admin/deployments/deployment/{shop.pk}/change/",
    ]
    for address in pages:
        text = text_of(viewer, address)
        assert "$32.50" in text, address
        cells = re.findall(r"<td[^>]*>(?:<strong>)?([^<]*)(?:</strong>)?</td>", text)
        assert "$0.00" not in cells, address
        # The revenue stands once in a row: a margin of all of it would stand a second time.
        for row in re.findall(r"<tr>.*?</tr>", text):
            assert row.count("$32.50") <= 1, (address, row)
    assert "No day of this month has computed costs yet" in text_of(viewer, report)
    assert "No margin of a plan is known in these months" in text_of(viewer, report)  # no empty chart

    file = viewer.get(f"{report}&format=csv").content.decode()
    *_, total = csv.DictReader(StringIO(file))
    assert [total[f"{name}_usd"] for name in ("revenue", "cost", "shared", "margin")] == ["32.50", "", "", ""]
    found = client.get(API, headers=bearer(token_of("platform_admin"))).json()
    for figures in (found["total"], *found["rows"]):
        shown = [figures[name] for name in ("revenue", "cost", "shared", "margin", "percent")]
        assert shown == ["32.50", None, None, None, None]
    assert found["costs_until"] is None


@pytest.mark.parametrize(
    "address",
    [
        f"{MARGIN}?period=2026-13",
        f"{MARGIN}?by=colour",
        f"{MARGIN}?spread=x",
        f"{MARGIN}deployment/999999/",
        f"{TENANTS}?order=x",
        f"{TENANT}nobody",
        f"{TENANTS}one/",
    ],
)
def test_what_no_page_offers_is_not_found(viewer: Client, address: str) -> None:
    assert viewer.get(address).status_code == 404


@pytest.mark.parametrize("address", [MARGIN, TENANTS, f"{TENANT}tenant-0"])
def test_who_may_see_no_costs_sees_none_of_it(login: Login, client: Client, address: str) -> None:
    assert login("").get(address).status_code == 403
    assert client.get(address).headers["Location"].startswith("/admin/login/")


def test_the_pages_ask_as_many_queries_for_twenty_tenants_as_for_one(viewer: Client, rates: None) -> None:
    a_book(0, 1)
    shop = Deployment.objects.get()
    month = asked(last_month())
    pages = [
        *(f"{MARGIN}?period={month}&by={by}&spread=evenly" for by in ("deployment", "tenant", "plan")),
        f"{MARGIN}deployment/{shop.pk}/?period={month}",
        TENANTS,
        f"{TENANT}tenant-0",
        f"/admin/deployments/deployment/{shop.pk}/change/",
    ]
    alone = {address: len(queries_of(viewer, address)) for address in pages}
    a_book(1, 21)
    assert {address: len(queries_of(viewer, address)) for address in pages} == alone


def test_months_and_kinds_are_named_as_people_name_them(viewer: Client, rates: None) -> None:
    a_book(0, 1)
    month = last_month()
    DailyCost.objects.filter(kind="droplet").update(kind="spaces_bucket")
    compute_margin_month(month)
    shop = Deployment.objects.get()
    option = f'<option value="{asked(month)}" selected>{month.start:%B %Y}</option>'
    assert option in text_of(viewer, f"{MARGIN}?period={asked(month)}")
    assert f">{month.start:%B %Y}</a>" in text_of(viewer, f"{TENANT}tenant-0")
    day = DailyCost.objects.get(kind="spaces_bucket")
    for address in (
        f"{MARGIN}deployment/{shop.pk}/?period={asked(month)}",
        "/admin/billing/dailycost/",
        f"/admin/billing/dailycost/{day.pk}/change/",
    ):
        assert re.search(r">\s*Spaces bucket\s*<", text_of(viewer, address)), address


def test_an_empty_console_says_how_margins_come(viewer: Client) -> None:
    assert "Nothing is stored of" in text_of(viewer, MARGIN)
    assert "There is no tenant yet" in text_of(viewer, TENANTS)


def test_the_api_has_the_margin_for_operators_alone(client: Client, rates: None) -> None:
    a_book(0, 2)
    month = asked(last_month())
    operator = bearer(token_of("platform_admin"))
    found = client.get(API, {"period": month, "by": "tenant", "limit": "1"}, headers=operator).json()
    assert (found["total"]["revenue"], found["total"]["margin"]) == ("65.00", "-22.00")
    assert found["apart"] == [{"part": "tax", "amount": "7.00"}]
    assert [(row["key"], row["name"], row["margin"]) for row in found["rows"]] == [
        ("tenant-0", "tenant-0", "-7.50"),
        (None, "1 others", "-7.50"),
    ]
    assert found["rows"][0]["revenues"] == [{"currency": "AUD", "amount_minor": 5000}]
    assert (found["rows"][0]["percent"], found["sources"], found["is_to_date"]) == (
        "-23.1",
        ["billed"],
        False,
    )
    assert client.get(API, {"period": month}).status_code == 401
    assert client.get(API, headers=bearer(token_of(tenant="tenant-0"))).status_code == 403
    wrong = client.get(API, {"by": "x", "spread": "x", "limit": "0", "period": "x"}, headers=operator)
    assert (wrong.status_code, set(wrong.json()["errors"])) == (400, {"by", "spread", "limit", "period"})


def test_the_api_names_a_missing_rate(client: Client) -> None:
    a_book(0, 1)
    answer = client.get(API, {"period": asked(last_month())}, headers=bearer(token_of("platform_admin")))
    assert answer.status_code == 409
    assert "from AUD to USD" in answer.json()["detail"]
