"""The margin and the tenants in a browser: the demo's loss is found from the menu, down to its lines."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from arcadia_cloud.kernel.periods import Period, month_of, previous_month
from arcadia_cloud.main_job.pipeline import run_margin
from arcadia_cloud.main_job.seeds.demo import seed_demo
from billing.costs.days import accrue_day
from billing.models import MarginMonth
from billing.services import read_provider_prices
from catalog.models import PlanVersion
from inventory.services import sync_inventory
from inventory.values import RunMode
from tests.console.test_browser import chromium, console, fleet, keep  # noqa: F401 - fixtures
from tests.simulated import Simulated

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def demo(transactional_db: None, simulator: Simulated) -> None:
    """The demo's tenants with the costs of the last month and of the running one, before the fleet's sync."""
    seed_demo()
    sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["droplet"])
    at = timezone.now()
    read_provider_prices(day=at.date())
    for day in Period(previous_month(at).start, month_of(at).end):
        if day < at.date():
            accrue_day(day)
    list(run_margin(lambda _text: None))
    assert MarginMonth.objects.count() == 14


def test_the_demos_loss_is_found_from_the_menu_down_to_its_lines(demo: None, console: Page) -> None:  # noqa: F811
    console.get_by_role("link", name=re.compile("Margin$")).first.click()
    expect(console.get_by_role("heading", name=re.compile("Margin in "))).to_be_visible()
    # Without a chart on the first of a month: no plan of the demo has a margin before its costs are computed.
    expect(console.get_by_role("heading", name="Margin per plan over twelve months")).to_be_visible()
    keep(console, "margin")
    last = f"{previous_month(timezone.now()).start:%Y-%m}"
    console.get_by_label("Month", exact=True).select_option(last)
    console.get_by_label("Costs without an owner").select_option("evenly")
    console.get_by_role("button", name="Show", exact=True).click()
    console.get_by_role("link", name="initech/reports").click()
    expect(console.get_by_role("heading", name="Cost, in US dollars")).to_be_visible()
    keep(console, "margin-lines")

    console.get_by_role("link", name=re.compile("Tenants$")).first.click()
    keep(console, "tenants")
    console.get_by_role("link", name="Margin", exact=True).last.click()
    console.get_by_role("link", name="initech", exact=True).click()
    expect(console.get_by_role("heading", name="Sagas")).to_be_visible()
    expect(console.locator("canvas.chart").first).to_be_visible()
    keep(console, "tenant")
    console.get_by_role("link", name="reports", exact=True).click()
    expect(console.get_by_role("heading", name="Cost", exact=True)).to_be_visible()
    keep(console, "deployment-cost")
    console.goto(f"/admin/catalog/planversion/{PlanVersion.objects.get(plan__code='starter').pk}/change/")
    expect(console.get_by_text("At full allowance this version")).to_be_visible()
    keep(console, "break-even")


def test_no_page_of_it_scrolls_sideways_on_a_phone(demo: None, console: Page) -> None:  # noqa: F811
    console.set_viewport_size({"width": 400, "height": 800})
    for address in ("margin/", "tenants/", "tenants/one/?tenant=acme"):
        console.goto(f"/admin/billing/dailycost/{address}")
        assert console.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
