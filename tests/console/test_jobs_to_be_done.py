"""The jobs that an operator does every day, in a browser, each within the number of actions that it may take.

An action is a click, a choice, or a text that is typed with its Enter. Looking is none.
"""

import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from arcadia_cloud.kernel.periods import previous_month
from billing.costs.margin_months import compute_margin_month
from billing.models import DailyCost
from inventory.models import Resource
from provisioning.models import SagaRun
from tests.billing.rows import an_invoice
from tests.console.rows import a_saga
from tests.console.test_browser import chromium, console, fleet, keep
from tests.inventory.observations import a_deployment
from tests.provisioning.offers import offer

__all__ = ["chromium", "console", "fleet"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("console", ["light"], indirect=True),
]


class Operator:
    """Acts on the page, and counts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.actions = 0

    def click(self, what: Locator) -> None:
        what.click()
        self.actions += 1

    def choose(self, what: Locator, value: str) -> None:
        what.select_option(value)
        self.actions += 1

    def type(self, what: Locator, text: str) -> None:
        what.fill(text)
        self.actions += 1

    def search(self, text: str) -> Locator:
        """Open the search and type: what it finds stands there without another action."""
        self.page.keyboard.press("Control+k")
        self.page.keyboard.type(text)
        self.actions += 1
        results = self.page.locator(f'#search-results[data-text="{text}"]')
        expect(results.get_by_role("option").first).to_be_visible()
        return results

    def did(self, job: str, *, at_most: int) -> None:
        """Keep a screenshot; fail where the job took more actions than it may."""
        keep(self.page, f"job-{job}")
        assert self.actions <= at_most, f"{job}: {self.actions} actions, {at_most} at most"


@pytest.fixture
def operator(console: Page) -> Operator:
    User.objects.get().groups.add(Group.objects.get(name="billing"))
    return Operator(console)


def home(operator: Operator) -> Page:
    operator.page.goto("/admin/")
    operator.actions = 0
    return operator.page


def a_droplet() -> Resource:
    return Resource.objects.get(kind="droplet", name="shop-web-01")


def test_whose_is_this_address(operator: Operator) -> None:
    shop = a_deployment("acme", "web-shop")
    droplet = a_droplet()
    Resource.objects.filter(pk=droplet.pk).update(tenant_id="acme", deployment=shop, attributed_by="operator")
    home(operator)
    first = operator.search(droplet.attrs["ipv4_public"][0]).get_by_role("option").first
    expect(first).to_contain_text("shop-web-01")
    expect(first).to_contain_text("acme/web-shop")
    operator.did("whose-is-this-address", at_most=1)


def test_what_a_customer_cost_last_month(operator: Operator) -> None:
    month = previous_month(timezone.now())
    a_deployment("acme", "web-shop")
    DailyCost.objects.create(
        day=month.start,
        source="billed",
        kind="droplet",
        resources=1,
        tenant_id="acme",
        amount=Decimal("321.09"),
    )
    compute_margin_month(month)
    page = home(operator)
    operator.search("acme")
    page.keyboard.press("Enter")
    operator.actions += 1
    row = page.get_by_role("row", name=f"{month.start:%B %Y}")
    expect(row).to_contain_text("$321.09")
    operator.did("what-a-customer-cost", at_most=2)


def test_cancel_a_live_saga(operator: Operator) -> None:
    saga = a_saga(subjects=[])
    page = home(operator)
    operator.search(str(saga.pk))
    page.keyboard.press("Enter")  # the same action: what is typed ends so
    page.wait_for_url(re.compile(f"/sagarun/{saga.pk}/"))
    # From the saga's page, which an alert, the list and the search lead to.
    operator.actions = 0
    operator.click(page.get_by_role("button", name="Cancel"))
    operator.click(page.get_by_role("button", name="Cancel the saga"))
    expect(page.get_by_text("Being cancelled.")).to_be_visible()
    operator.did("cancel-a-saga", at_most=2)
    assert SagaRun.objects.get(pk=saga.pk).cancel_requested


def test_read_why_an_invoice_does_not_reconcile(operator: Operator) -> None:
    an_invoice(amount="86.92", ingest_status="mismatch", ingest_error="0.01 is missing from the lines")
    page = home(operator)
    operator.search("529784185")
    page.keyboard.press("Enter")
    operator.actions += 1
    expect(page.locator("#invoice-state").get_by_text("0.01 is missing from the lines")).to_be_visible()
    operator.did("why-an-invoice-differs", at_most=2)


def test_enter_before_the_results_opens_the_only_one_and_lists_several(operator: Operator) -> None:
    """A text is pasted and Enter pressed at once; of several results none was chosen."""
    an_invoice(amount="86.92", ingest_status="mismatch", ingest_error="0.01 is missing from the lines")
    page = home(operator)
    page.keyboard.press("Control+k")
    page.keyboard.insert_text("529784185")
    page.keyboard.press("Enter")
    expect(page.locator("#invoice-state").get_by_text("0.01 is missing from the lines")).to_be_visible()
    home(operator)
    page.keyboard.press("Control+k")
    page.keyboard.insert_text("shop-web")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/admin/search/\?q=shop-web"))


def test_assign_ten_resources(operator: Operator) -> None:
    a_deployment("acme", "web-shop")
    keys = Resource.objects.order_by("pk").values_list("pk", flat=True)
    Resource.objects.exclude(pk__in=list(keys[:10])).update(tenant_id="globex", attributed_by="operator")
    Resource.objects.filter(pk__in=list(keys[:10])).update(tenant_id=None, attributed_by="", project=None)
    page = home(operator)
    operator.click(page.get_by_role("link", name=re.compile("Unattributed")).last)
    operator.click(page.locator("#action-toggle"))
    operator.click(page.get_by_role("button", name="Assign to an owner"))
    operator.type(page.get_by_label("Owner"), "acme/web-shop")
    keep(page, "job-assign-form")
    operator.click(page.get_by_role("button", name="Assign", exact=True))
    expect(page.get_by_text("10 assigned to acme/web-shop")).to_be_visible()
    operator.did("assign-ten-resources", at_most=5)
    assert Resource.objects.filter(deployment__slug="web-shop").count() == 10


def test_see_that_the_worker_is_dead(operator: Operator) -> None:
    page = home(operator)
    expect(page.get_by_text(re.compile("no worker|worker is missing", re.IGNORECASE)).first).to_be_visible()
    operator.did("the-worker-is-dead", at_most=0)


def test_start_a_resize(operator: Operator) -> None:
    droplet = a_droplet()
    sizes = {
        slug: {"price_monthly": price, "regions": [droplet.region], "is_available": True}
        for slug, price in ((droplet.attrs["size_slug"], "6"), ("s-8vcpu-16gb", "96"))
    }
    offer(sizes=sizes)
    page = operator.page
    page.goto(f"/admin/inventory/resource/{droplet.pk}/change/")
    keep(page, "job-droplet")
    operator.actions = 0
    operator.choose(page.get_by_label("New size"), "s-8vcpu-16gb")
    operator.click(page.get_by_role("button", name=re.compile("Resize")))
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    keep(page, "job-resize-plan")
    operator.click(page.get_by_role("button", name="Start", exact=True))
    expect(page.get_by_text("It is started.")).to_be_visible()
    operator.did("start-a-resize", at_most=3)
    assert SagaRun.objects.get().inputs["size"] == "s-8vcpu-16gb"


def test_the_search_is_worked_by_the_keyboard_alone(operator: Operator) -> None:
    page = home(operator)
    dialog = page.get_by_role("dialog", name="Search")
    before = page.get_by_role("link", name=re.compile("Search"))
    before.focus()
    results = operator.search("shop-web")
    expect(dialog).to_be_visible()
    field = dialog.get_by_role("combobox")
    expect(field).to_be_focused()
    expect(results.get_by_role("option", selected=True)).to_have_count(1)
    first = field.get_attribute("aria-activedescendant")
    page.keyboard.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") != first
    page.keyboard.press("ArrowUp")
    assert field.get_attribute("aria-activedescendant") == first
    # The focus never leaves the dialog for the page behind it.
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "!document.activeElement || document.activeElement === document.body"
            " || !!document.activeElement.closest('#search-dialog')"
        )
    keep(page, "search")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(before).to_be_focused()
    operator.click(before)
    expect(dialog).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    keep(page, "search-phone")
