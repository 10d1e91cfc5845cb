"""The console's metering: a deployment's usage and quote, terms, bandwidth."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from catalog.services import seed_catalog
from deployments.models import Deployment
from deployments.services import create_deployment, create_subscription
from metering.models import BandwidthSource, MeteringConfig, UsageRecord
from tests.console.conftest import Login
from tests.console.rows import queries_of
from tests.console.test_browser import SCREENSHOTS, chromium, console, fleet  # noqa: F401 - fixtures
from tests.deployments.rows import BY, noon

PAGE = "/admin/deployments/deployment/{}/change/"
TERMS = "/admin/metering/meteringconfig/add/"
SOURCES = "/admin/metering/bandwidthsource/add/"


def a_subscriber(slug: str = "shop", plan: str = "studio") -> Deployment:
    long_ago = timezone.now() - timedelta(days=70)
    made = create_deployment(tenant_id="acme", slug=slug, actor=BY, at=long_ago)
    create_subscription(deployment_pk=made.pk, plan_code=plan, actor=BY, at=long_ago)
    return made


def use(deployment: Deployment, kind: str, qty: str, *, days: int) -> None:
    """Record usage of the first days of the running month."""
    first = timezone.now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    UsageRecord.objects.bulk_create(
        UsageRecord(
            deployment=deployment, resource_kind=kind, granularity="daily", qty=Decimal(qty),
            period_start=first + timedelta(days=day), period_end=first + timedelta(days=day + 1),
        )
        for day in range(days)
    )  # fmt: skip


@pytest.fixture
def shop(db: None) -> Deployment:
    seed_catalog(at=noon(1))
    return a_subscriber()


def test_a_deployments_page_shows_its_usage_against_allowances_and_the_running_quote(
    login: Login, shop: Deployment
) -> None:
    use(shop, "droplet_hours", "1500", days=1)
    text = unescape(login("viewer").get(PAGE.format(shop.pk)).content.decode())
    for part in ("Usage in", "Droplet hours (over)", "1,488", "Running quote", "quantity * price / unit"):
        assert part in text
    assert 'data-type="line"' in text
    never = create_deployment(tenant_id="acme", slug="never", actor=BY, at=timezone.now())
    assert "nothing has an allowance" in login("operator").get(PAGE.format(never.pk)).content.decode()
    assert "Usage in" not in login("superuser").get("/admin/metering/usagerecord/").content.decode()


def test_the_page_costs_as_many_queries_for_much_usage_as_for_little(login: Login, shop: Deployment) -> None:
    viewer = login("viewer")
    use(shop, "droplet_hours", "24", days=1)
    few = len(queries_of(viewer, PAGE.format(shop.pk)))
    use(shop, "dns_zones", "1", days=25)
    use(shop, "llm_tokens", "1", days=25)
    assert len(queries_of(viewer, PAGE.format(shop.pk))) == few


def test_terms_are_set_for_a_day_to_come_and_refused_for_one_that_has_begun(login: Login) -> None:
    operator = login("operator")
    today = timezone.now().astimezone(UTC).date()
    values = {"resource_kind": "dns_zones", "granularity": "hourly", "retention_days": "90"}
    refused = operator.post(TERMS, {**values, "effective_from": today.isoformat()})
    assert "has begun" in refused.content.decode()
    assert MeteringConfig.objects.count() == 0
    tomorrow = today + timedelta(days=1)
    assert operator.post(TERMS, {**values, "effective_from": tomorrow.isoformat()}).status_code == 302
    [terms] = MeteringConfig.objects.all()
    assert (terms.granularity, terms.effective_from, terms.set_by) == ("hourly", tomorrow, "user:operator-1")
    assert LogEntry.objects.get().object_id == str(terms.pk)
    page = operator.get(f"/admin/metering/meteringconfig/{terms.pk}/change/")
    assert "_save" not in page.content.decode(), "what is set isn't edited"
    assert login("viewer").get(TERMS).status_code == 403


def test_a_source_of_bandwidth_is_set_or_refused_at_its_field(login: Login, shop: Deployment) -> None:
    operator = login("operator")
    today = timezone.now().astimezone(UTC).date()
    values = {"deployment": str(shop.pk), "source": "intake"}
    yesterday = (today - timedelta(days=1)).isoformat()
    refused = operator.post(SOURCES, {**values, "effective_from": yesterday})
    assert "today at the earliest" in refused.content.decode()
    assert operator.post(SOURCES, {**values, "effective_from": today.isoformat()}).status_code == 302
    [source] = BandwidthSource.objects.all()
    assert (source.source, source.set_by) == ("intake", "user:operator-1")


@pytest.mark.parametrize("name", ["usagerecord", "meteringconfig", "bandwidthsource", "bandwidthmeasurement"])
def test_the_lists_open_full_and_narrowed(login: Login, shop: Deployment, name: str) -> None:
    use(shop, "droplet_hours", "24", days=2)
    client: Client = login("viewer")
    assert client.get(f"/admin/metering/{name}/").status_code == 200
    page = client.get(
        "/admin/metering/usagerecord/", {"deployment_id": str(shop.pk), "resource_kind": "dns_zones"}
    )
    assert page.context["cl"].result_count == 0


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_the_chart_is_drawn(console: Page) -> None:  # noqa: F811 - the fixture
    seed_catalog(at=datetime(2026, 1, 1, tzinfo=UTC))
    shop = a_subscriber("chart")
    days = max(1, timezone.now().astimezone(UTC).day - 1)
    use(shop, "droplet_hours", "60", days=days)
    use(shop, "llm_tokens", "12000", days=days)
    use(shop, "spaces_gb_month", "6.5", days=days)
    console.goto(console.url.split("/admin")[0] + PAGE.format(shop.pk))
    console.get_by_text("Explanation").click()
    expect(console.get_by_text("Per cent of each allowance")).to_be_visible()
    drawn = (
        "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(v => v)"
    )
    assert console.locator("canvas.chart").first.evaluate(drawn), "the chart is empty"
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    console.screenshot(path=SCREENSHOTS / "deployment-usage.png", full_page=True)
