"""The console in Debian's Chromium: every page works without an error in the browser's own console."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from arcadia_cloud.kernel.leases import lease
from arcadia_cloud.kernel.periods import previous_month
from arcadia_cloud.main_job.seeds.groups import seed_groups
from billing.ingest.lease import lease_name
from billing.models import PlanSimulation
from billing.services import run_simulation
from inventory.models import Project, Resource, SyncRun
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.models import SagaRun
from tests.billing.rows import a_balance, an_invoice
from tests.catalog.rows import published, stored_plan
from tests.chromium import CHROMIUM, QUIET
from tests.console.conftest import PASSWORD
from tests.console.rows import a_run, a_saga
from tests.deployments.rows import subscribed
from tests.inventory.observations import minute
from tests.provisioning.sagas import run_to_end
from tests.simulated import Simulated

SCREENSHOTS = Path(".arcadia/screenshots")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser; its library keeps an event loop in this thread, next to which Django refuses queries."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def fleet(transactional_db: None, simulator: Simulated) -> None:
    """The simulator's droplets, synced, and an operator to look at it."""
    seed_groups()
    user = User.objects.create_user("operator-1", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="operator"))
    simulator.reset(fleet="droplets")
    sync_inventory(mode=RunMode.FULL, actor="a test")


@pytest.fixture(params=["light", "dark"])
def console(request: pytest.FixtureRequest, chromium: Browser, live_server: LiveServer) -> Iterator[Page]:
    """The home page, logged in. What the browser complains of, or loads from elsewhere, fails the test."""
    skip_dark(request)
    request.getfixturevalue("fleet")
    context = chromium.new_context(base_url=live_server.url, color_scheme=request.param)
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.set_viewport_size({"width": 1440, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda call: note_foreign(call.url, live_server.url, complaints))
    client = Client()
    client.force_login(User.objects.get(username="operator-1"))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Fleet by kind and region")).to_be_visible()
    yield page
    context.close()
    assert complaints == []


def skip_dark(request: pytest.FixtureRequest) -> None:
    """Every day in light alone: what dark changes is what can be read on what, which the crawler looks at."""
    if request.param == "dark" and not request.config.getoption("--matrix"):
        pytest.skip("in dark: --matrix")


def note_foreign(address: str, ours: str, complaints: list[str]) -> None:
    if not address.startswith((ours, "data:")):
        complaints.append(f"loads {address}")


def keep(page: Page, name: str) -> None:
    """Keep a screenshot as an artefact of the test."""
    scheme = "dark" if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}.png", full_page=True)


def test_a_resource_is_found_from_home_by_its_name(console: Page) -> None:
    keep(console, "home")
    console.get_by_role("link", name=re.compile("Resources$")).first.click()
    console.wait_for_load_state("networkidle")
    keep(console, "resources")
    console.get_by_placeholder(re.compile("A part of the name")).fill("shop-web-01")
    console.keyboard.press("Enter")
    console.get_by_role("link", name="shop-web-01", exact=True).click()
    expect(console.get_by_role("heading", name="History")).to_be_visible()
    expect(console.get_by_role("link", name=re.compile("open its page"))).to_have_attribute(
        "href",
        f"https://cloud.digitalocean.com/droplets/{a_droplet('shop-web-01').provider_id}",
    )
    keep(console, "resource")
    console.goto(f"/admin/inventory/syncrun/{SyncRun.objects.get(kind='droplet').pk}/change/")
    keep(console, "sync-run")


def a_droplet(name: str) -> Resource:
    return Resource.objects.get(kind="droplet", name=name)


def test_a_search_and_a_filter_narrow_the_list(console: Page) -> None:
    console.goto("/admin/inventory/resource/")
    console.get_by_placeholder(re.compile("A part of the name")).fill("CRM")
    console.keyboard.press("Enter")
    expect(console.locator("#result_list tbody tr")).to_have_count(
        Resource.objects.filter(name__contains="crm").count()
    )

    console.goto("/admin/inventory/resource/")
    console.get_by_role("button", name="Filters").click()
    console.locator("input[name=region]").fill("fra1")
    keep(console, "filters")
    console.locator("#filter-form").get_by_role("button", name=re.compile("Apply")).click()
    expect(console.locator("#result_list tbody tr")).to_have_count(
        Resource.objects.filter(region="fra1").count()
    )


def test_resources_are_assigned_to_a_tenant_and_exported(console: Page) -> None:
    console.goto("/admin/inventory/resource/?q=shop-web-0&kind=droplet")
    console.locator("#action-toggle").check()
    console.get_by_role("button", name="Assign to an owner").click()
    console.get_by_label("Owner").fill("hooli")
    keep(console, "assign")
    console.get_by_role("button", name="Assign", exact=True).click()
    expect(console.get_by_text("There is no tenant hooli.")).to_be_visible()
    keep(console, "assign-refused")
    console.get_by_label("It is a new tenant").check()
    console.get_by_role("button", name="Assign", exact=True).click()
    expect(console.get_by_text("assigned to hooli")).to_be_visible()
    assert a_droplet("shop-web-01").tenant_id == "hooli"

    with console.expect_download() as download:
        console.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 1 + Resource.objects.filter(name__contains="shop-web-0", kind="droplet").count()


def test_a_project_is_given_to_a_tenant(console: Page) -> None:
    console.goto("/admin/inventory/project/")
    console.get_by_role("link", name="globex").click()
    console.get_by_label("Tenant").fill("hooli")
    keep(console, "project")
    console.get_by_role("button", name="Save", exact=True).click()

    expect(console.get_by_text("Its resources follow within moments.")).to_be_visible()
    assert Project.objects.get(name="globex").tenant_id == "hooli"


def test_a_sync_is_started_and_a_running_one_moves(console: Page) -> None:
    run = a_run(1, kind="volume", outcome="")
    console.goto("/admin/inventory/syncrun/")
    expect(console.get_by_label("Sync of Volume")).to_be_visible()
    keep(console, "sync-running")

    SyncRun.objects.filter(pk=run.pk).update(seen=90)
    expect(console.locator("#running-syncs span").get_by_text("90 of 100")).to_be_visible(timeout=8000)

    console.get_by_text("Sync now").click()
    expect(console.get_by_label("What to sync")).to_be_visible()
    keep(console, "sync-now")
    console.get_by_role("button", name="Start").click()
    expect(console.get_by_text("A worker was asked for a full sync.")).to_be_visible()


def test_a_running_syncs_page_moves_by_itself_and_keeps_its_form(console: Page) -> None:
    run = a_run(1, kind="volume", outcome="")
    console.goto(f"/admin/inventory/syncrun/{run.pk}/change/")
    console.evaluate("document.querySelector('#syncrun_form').dataset.stayed = 'yes'")
    SyncRun.objects.filter(pk=run.pk).update(seen=90, pages=7)

    expect(console.locator("#running-sync span").get_by_text("90 of 100")).to_be_visible(timeout=8000)
    expect(console.locator("#run-result").get_by_text("7 pages")).to_be_visible()
    keep(console, "sync-run-running")
    SyncRun.objects.filter(pk=run.pk).update(outcome="failed", error="it is away", finished_at=minute(3))
    expect(console.locator("#run-result").get_by_text("it is away")).to_be_visible(timeout=8000)
    expect(console.locator("#running-sync progress")).to_have_count(0)
    assert console.evaluate("document.querySelector('#syncrun_form').dataset.stayed") == "yes"


def test_an_invoices_page_moves_while_a_worker_has_it_and_its_difference_is_accepted(console: Page) -> None:
    User.objects.get().groups.add(Group.objects.get(name="billing"))
    invoice = an_invoice(amount="86.92")
    with lease(lease_name(invoice.pk)):
        console.goto(f"/admin/billing/providerinvoice/{invoice.pk}/change/")
        console.evaluate("document.querySelector('#providerinvoice_form').dataset.stayed = 'yes'")
        expect(console.get_by_role("button", name="Accept the difference")).to_have_count(0)
        invoice.ingest_status, invoice.ingest_error = "mismatch", "0.01 is missing from the lines"
        invoice.save()
        expect(console.locator("#invoice-state").get_by_text("0.01 is missing")).to_be_visible(timeout=8000)
        keep(console, "invoice-busy")

    console.get_by_role("button", name="Accept the difference").click()
    expect(console.locator("#dialog").get_by_text("0.01 is missing")).to_be_visible()
    assert console.evaluate("document.querySelector('#providerinvoice_form').dataset.stayed") == "yes"
    console.get_by_label("Why it is right").fill("ticket 42")
    keep(console, "invoice-accept")
    console.get_by_role("button", name="Accept", exact=True).click()
    expect(console.locator("#invoice-state").get_by_text("ticket 42")).to_be_visible()
    expect(console.get_by_role("button", name="Push again")).to_be_visible()
    keep(console, "invoice-accepted")


def test_home_keeps_its_chart_while_a_sync_moves(console: Page) -> None:
    run = a_run(1, kind="volume", outcome="")
    a_balance(timezone.now(), "1011.21")
    an_invoice(amount="86.92", ingest_status="mismatch", ingest_error="0.01 is missing")
    console.goto("/admin/")
    SyncRun.objects.filter(pk=run.pk).update(seen=90)

    expect(console.locator("#home-operations span").get_by_text("90 of 100")).to_be_visible(timeout=8000)
    drawn = console.evaluate("() => Boolean(Chart.getChart(document.querySelector('canvas.chart')))")
    assert drawn
    expect(console.get_by_text("$1,011.21")).to_be_visible()
    keep(console, "home-running")


def test_on_a_phone_nothing_is_cut_off(console: Page) -> None:
    console.set_viewport_size({"width": 390, "height": 844})
    for address in (
        "/admin/",
        "/admin/inventory/resource/",
        "/admin/inventory/syncrun/",
        "/admin/provisioning/sagarun/",
    ):
        console.goto(address)
        wider = console.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, address
        keep(console, f"phone-{address.strip('/').replace('/', '-')}")


def test_a_sagas_page_moves_by_itself_and_cancels_it(console: Page) -> None:
    saga = a_saga(subjects=[])
    console.goto(f"/admin/provisioning/sagarun/{saga.pk}/change/")
    timeline = console.locator("#saga-timeline")
    expect(timeline.get_by_text("waits: the provider is slow")).to_be_visible()
    console.evaluate("window.stayed = true")
    SagaRun.objects.filter(pk=saga.pk).update(wait_reason="it is nearly there")
    expect(timeline.get_by_text("waits: it is nearly there")).to_be_visible(timeout=8000)
    keep(console, "saga-live")

    console.get_by_role("button", name="Cancel").click()
    expect(console.get_by_role("button", name="Keep it running")).to_be_visible()
    keep(console, "saga-cancel")
    assert console.evaluate("window.stayed")
    console.get_by_role("button", name="Cancel the saga").click()
    # The page may refresh itself once more before the next one, which the dialog leads to, is there.
    console.wait_for_function("!window.stayed")
    expect(console.get_by_text("Being cancelled.")).to_be_visible()

    console.evaluate("window.stayed = true")
    assert run_to_end(saga).status == "rolled_back"
    expect(console.locator("#saga-live").get_by_text("rolled back")).to_be_visible(timeout=8000)
    expect(timeline.get_by_text("undone", exact=True)).to_have_count(2)
    expect(console.get_by_role("button", name="Retry")).to_be_visible()
    expect(console.get_by_role("button", name="Cancel")).to_have_count(0)
    assert console.evaluate("window.stayed")
    keep(console, "saga-rolled-back")


def open_twice(console: Page, button: str, heading: str) -> None:
    """Open a dialog, close it, and open it again after the page has refreshed itself."""
    for _ in range(2):
        with console.expect_response(lambda response: response.url == console.url):
            pass
        console.get_by_role("button", name=button).click()
        dialog = console.locator("#modal-content #dialog")
        expect(dialog.get_by_text(heading)).to_be_visible()
        assert dialog.bounding_box() is not None
        console.keyboard.press("Escape")
        expect(dialog).to_be_hidden()


def test_a_dialog_of_a_page_that_refreshes_opens_again_and_again(console: Page) -> None:
    saga = a_saga(subjects=[])
    console.goto(f"/admin/provisioning/sagarun/{saga.pk}/change/")
    open_twice(console, "Cancel", "Cancel this saga?")

    User.objects.get().groups.add(Group.objects.get(name="billing"))
    invoice = an_invoice(amount="86.92", ingest_status="mismatch", ingest_error="0.01 is missing")
    with lease(lease_name(invoice.pk)):
        console.goto(f"/admin/billing/providerinvoice/{invoice.pk}/change/")
        open_twice(console, "Accept the difference", "0.01 is missing")


def test_all_sagas_are_paused_and_a_resource_protected(console: Page) -> None:
    console.get_by_role("button", name="Pause all sagas").click()
    console.get_by_label("Why").fill("moving the database")
    keep(console, "pause")
    console.get_by_role("button", name="Pause", exact=True).click()
    expect(console.get_by_text("moving the database")).to_be_visible()
    console.goto("/admin/")
    keep(console, "home-paused")
    console.get_by_role("button", name="Lift the pause").click()
    console.get_by_role("button", name="Lift", exact=True).click()
    expect(console.get_by_text("Sagas go on.")).to_be_visible()

    console.goto(f"/admin/inventory/resource/{a_droplet('shop-web-01').pk}/change/")
    console.get_by_role("button", name="Protect").click()
    console.get_by_label("Why").fill("holds the keys")
    console.locator("#modal-content").get_by_role("button", name="Protect").click()
    expect(console.get_by_text("holds the keys")).to_be_visible()
    keep(console, "resource-protected")


@pytest.mark.parametrize("console", ["light"], indirect=True)
def test_a_new_price_is_drafted_tried_out_and_published(console: Page) -> None:
    User.objects.get().groups.add(Group.objects.get(name="billing"))
    first = published(stored_plan(), 5000, dns_zones=5)
    subscribed("studio", at=previous_month(timezone.now()).starts_at)
    console.goto(f"/admin/catalog/plan/{first.plan_id}/change/")
    keep(console, "catalog-plan")
    console.get_by_role("button", name="New draft").click()
    console.get_by_role("button", name="Make a draft").click()
    expect(console.get_by_text("nothing that is sold has changed")).to_be_visible()
    console.get_by_label("Base price cents").fill("6000")
    console.get_by_role("button", name="Save and continue editing").click()
    keep(console, "catalog-draft")

    console.get_by_role("link", name="Quote preview").click()
    console.get_by_label("DNS zones").fill("7")
    console.get_by_role("button", name="Quote", exact=True).click()
    expect(console.locator("#quote").get_by_text("AUD 62.00").first).to_be_visible()
    keep(console, "catalog-preview")

    console.get_by_role("link", name="Back to the version").click()
    console.get_by_role("link", name="Publish", exact=True).click()
    expect(console.locator("#differences").get_by_text("AUD 60.00")).to_be_visible()
    expect(console.get_by_label("Why it is published all the same")).to_be_visible()
    keep(console, "catalog-publish-unsimulated")

    console.get_by_role("button", name="Simulate").click()
    expect(console.locator("#running-simulation").get_by_text("queued")).to_be_visible()
    keep(console, "catalog-simulation-queued")
    run_simulation(simulation_pk=PlanSimulation.objects.get().pk)
    # The page takes the result over by itself.
    expect(console.locator("#running-simulation").get_by_text("completed")).to_be_visible()
    expect(console.locator("#simulation-tenants").get_by_text("AUD 10.00")).to_be_visible()
    keep(console, "catalog-simulation")
    console.get_by_role("link", name="studio/2", exact=True).click()
    expect(console.locator("#simulations").get_by_text("completed")).to_be_visible()
    keep(console, "catalog-simulated")
    console.get_by_role("link", name="Publish", exact=True).click()
    expect(console.get_by_label("Why it is published all the same")).to_have_count(0)
    keep(console, "catalog-publish")
    console.get_by_role("button", name="Publish studio/2").click()
    expect(console.get_by_text("is what new subscriptions get from now on")).to_be_visible()
    assert list(first.plan.versions.values_list("status", flat=True)) == ["retired", "active"]
    keep(console, "catalog-published")
