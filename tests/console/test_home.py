"""The home page: money and who may see it, zero figures, and when what isn't known will be."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from pytest_django.fixtures import Settings

from arcadia_cloud.console.fleet_table import COLOURS
from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.processes import record_heartbeat
from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from billing.models import AuditRun, CostDay, DailyCost, MarginCost, MarginMonth, MarginRevenue
from deployments.models import Deployment
from deployments.services import create_subscription
from inventory.values import Kind
from tests.billing.rows import a_balance, an_invoice
from tests.catalog.rows import published, stored_plan
from tests.console.conftest import Login
from tests.inventory.observations import observed, seen

INVOICES = "/admin/billing/providerinvoice/"
NOW = datetime(2026, 5, 10, 14, 30, tzinfo=UTC)
TOLD = datetime(2026, 5, 10, 14, 6, tzinfo=UTC)
FIGURE = re.compile(
    r'<a href="([^"]+)"[^>]*> <span[^>]*>([^<]+)</span> '
    r'<strong class="[^"]*?(?:console-(\w+)|text-important)">([^<]+)</strong> <span[^>]*>([^<]+)</span>'
)
ZEROS = re.compile(r'<p id="home-zeros"[^>]*>(.*?)</p>')


@pytest.fixture(autouse=True)
def _in_may(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def text_of(client: Client) -> str:
    text = " ".join(client.get("/admin/").content.decode().split())
    return text.replace("&#x27;", "'").replace("&amp;", "&")


def figures(client: Client) -> dict[str, tuple[str, str, str, str]]:
    """By name: value, what stands beside it, colour and link."""
    found = FIGURE.findall(text_of(client))
    return {name: (value, caption, tone, href) for href, name, tone, value, caption in found}


def zeros(client: Client) -> dict[str, str]:
    """The figures of which there is none, in one line: the link of each."""
    line = ZEROS.search(text_of(client))
    assert line is not None
    return {name: href for href, name in re.findall(r'href="([^"]+)">([^<]+)</a>', line[1])}


def listed(client: Client, address: str) -> int:
    return len(client.get(address).context["cl"].result_list)


def unknowns(client: Client) -> list[str]:
    """The unknowns, with when they end."""
    shown = re.findall(r'unknown</span> <span class="console-strip-text">([^<]+)</span>', text_of(client))
    return [each.strip() for each in shown]


def test_the_months_spend_stands_beside_that_of_the_month_before(viewer: Client) -> None:
    balances = "/admin/billing/balancesnapshot/"
    seed_schedule()
    caption = "no balance was read yet; next at 15:07 UTC, if beat and a worker run by then"
    assert figures(viewer)["Spend this month"] == ("-", caption, "", balances)
    a_balance(TOLD, "11.21")
    caption = "nothing is known of April; as of 10 May at 14:06 UTC"
    assert figures(viewer)["Spend in May"] == ("$11.21", caption, "", balances)
    an_invoice(amount="86.92")
    caption = "April in all: $86.92; as of 10 May at 14:06 UTC"
    assert figures(viewer)["Spend in May"] == ("$11.21", caption, "", balances)
    a_balance(TOLD.replace(month=4), "1007.40")
    caption = "April by then: $1,007.40; as of 10 May at 14:06 UTC"
    assert figures(viewer)["Spend in May"] == ("$11.21", caption, "", balances)


def test_a_balance_that_is_hours_old_is_marked(viewer: Client) -> None:
    a_balance(datetime(2026, 4, 30, 23, 6, tzinfo=UTC), "80.00")
    value, caption, tone, _ = figures(viewer)["Spend in April"]
    assert (value, caption, tone) == (
        "$80.00",
        "nothing is known of March; as of 30 Apr at 23:06 UTC",
        "warning",
    )


def test_invoices_that_need_attention_are_counted_and_listed(viewer: Client) -> None:
    nothing = zeros(viewer)
    assert {"Invoices that don't add up", "Not pushed to finance", "Dead letters"} <= set(nothing)
    assert all(listed(viewer, href) == 0 for href in nothing.values())
    an_invoice("a", ingest_status="failed")
    an_invoice("b", ingest_status="mismatch")
    an_invoice("c", ingest_status="failed", is_preview=True)
    assert figures(viewer)["Not pushed to finance"][:3] == ("2", "2 waiting", "warning")
    an_invoice("d", ingest_status="ingested", push_status="refused")
    an_invoice("e", ingest_status="ingested", push_status="pushed", pushed_to_finance_at=NOW)

    value, caption, tone, href = figures(viewer)["Invoices that don't add up"]
    assert (value, caption, tone) == ("2", "or can't be read", "bad")
    assert listed(viewer, href) == 2
    value, caption, tone, href = figures(viewer)["Not pushed to finance"]
    assert (value, caption, tone) == ("3", "1 refused, 2 waiting", "bad")
    assert listed(viewer, href) == 3


def test_where_pushing_is_switched_off_nothing_waits(viewer: Client, settings: Settings) -> None:
    settings.SKYAI_FINANCE_ENABLED = False
    an_invoice()
    assert figures(viewer)["Not pushed to finance"][:3] == ("1", "pushing is switched off", "")


@pytest.mark.parametrize("withheld", ["view_balancesnapshot", "view_providerinvoice", "view_dailycost"])
def test_a_viewer_who_may_not_see_billing_sees_no_money(login: Login, withheld: str) -> None:
    observed(seen("1", monthly_price_cents=1250))
    a_balance(TOLD, "11.21")
    costs_of(NOW - timedelta(days=1), "7.50")
    invoice = an_invoice(ingest_status="mismatch", push_error="finance answered 503")
    for subject in (f"invoice:{invoice.pk}", "audit:spans_overlap", "cost_anomaly:1", "billing:balance"):
        raise_alert(code="x", subject=subject, message="$86.92 is missing")
    client = login("viewer")
    assert "Spend in May" in figures(client)
    assert "$86.92" in text_of(client)
    Group.objects.get(name="viewer").permissions.remove(Permission.objects.get(codename=withheld))

    shown = figures(client)
    text = text_of(client)
    assert "Live resources" in shown
    assert not set(shown) & {
        "Spend in May",
        "Invoices that don't add up",
        "Not pushed to finance",
        "Money audit",
    }
    assert not re.search(r"\$[0-9]", text)
    assert "home-money" not in text
    assert unknowns(client) == [each for each in unknowns(client) if each.startswith("Never read")]


def costs_of(at: datetime, amount: str, *, unpriced: int = 0, tenant: str = "acme") -> None:
    """A day's costs, computed."""
    day = at.date()
    CostDay.objects.get_or_create(day=day, source="accrued", defaults={"computed_at": at})
    CostDay.objects.filter(day=day).update(computed_at=at)
    DailyCost.objects.create(
        day=day, source="accrued", part="matched", tenant_id=tenant, kind="droplet",
        amount=Decimal(amount), resources=1, unpriced=unpriced,
    )  # fmt: skip


def test_the_months_costs_stand_against_the_last_months_curve_and_say_what_they_lack(viewer: Client) -> None:
    name = "Costs by day, this month"
    assert figures(viewer)[name][:2] == ("-", "no day is computed yet")
    for day, amount in ((1, "4.00"), (9, "6.00")):
        costs_of(datetime(2026, 5, day, tzinfo=UTC), amount)
        costs_of(datetime(2026, 4, day, tzinfo=UTC), amount)
    costs_of(datetime(2026, 4, 20, tzinfo=UTC), "50.00")
    assert figures(viewer)[name][:2] == ("$10.00", "up to 9 May; April by then: $10.00")
    # Computed anew, with resources that have no price: what was summed before is not shown again.
    costs_of(datetime(2026, 5, 9, 1, tzinfo=UTC), "0.28", unpriced=51, tenant="globex")
    value, caption, _, href = figures(viewer)[name]
    assert (value, caption) == (
        "at least $10.28",
        "up to 9 May; 51 resources without a price; April by then: $10.00",
    )
    assert href == "/admin/billing/dailycost/"
    # The better source of a day counts alone.
    CostDay.objects.create(day="2026-05-01", source="billed", computed_at=NOW)
    DailyCost.objects.create(
        day="2026-05-01", source="billed", part="matched", kind="droplet", amount=1, resources=1
    )
    assert figures(viewer)[name][0] == "at least $7.28"


def test_every_kind_has_a_colour_of_its_own() -> None:
    assert set(COLOURS) == set(Kind.values)
    assert len(set(COLOURS.values())) == len(Kind.values)


def test_what_is_not_known_is_grey_and_says_by_the_schedule_when_it_will_be(login: Login) -> None:
    client = login("admin")
    assert unknowns(client)[-1] == "The money audit has not run yet; not in the schedule"
    seed_schedule()
    record_heartbeat("beat@host", queues=[], started_at=NOW, at=NOW)
    queues = ["cloud_sync_full", "cloud_sync_slow", "cloud_billing"]
    record_heartbeat("one@host", queues=queues, started_at=NOW, at=NOW)
    assert unknowns(client) == [
        "Never read: Kubernetes cluster, Droplet, Database and 11 more; next at 15:15 UTC",
        "Never read: Custom image, Droplet backup, Spaces bucket; next at 00:40 UTC",
        "No balance was read yet; next at 15:07 UTC",
        "No invoice was read yet; next at 02:23 UTC",
        "No day's costs are computed yet; next at 03:10 UTC",
        "The money audit has not run yet; next at 03:55 UTC",
    ]
    # What an operator changes in the schedule is what the page says, everywhere.
    task = PeriodicTask.objects.get(task="billing.audit_money")
    task.crontab = CrontabSchedule.objects.create(
        minute="5", hour="6", day_of_month="12", month_of_year="*", day_of_week="*", timezone="UTC"
    )
    task.save()
    assert unknowns(client)[-1] == "The money audit has not run yet; next on 12 May at 06:05 UTC"
    assert figures(client)["Money audit"][1:3] == ("not run yet; next on 12 May at 06:05 UTC", "")
    assert "next on 12 May at 06:05 UTC" in client.get("/admin/billing/auditfinding/").content.decode()
    PeriodicTask.objects.filter(pk=task.pk).update(enabled=False)
    assert unknowns(client)[-1] == "The money audit has not run yet; switched off in the schedule"
    PeriodicTask.objects.filter(pk=task.pk).update(enabled=True)

    text = text_of(client)
    for name in ("sync-now", "read-bills", "audit-now"):
        assert f'id="{name}"' in text
    for_viewer = text_of(login("viewer"))
    for name in ("sync-now", "read-bills", "audit-now"):
        assert f'id="{name}"' not in for_viewer
    a_balance(TOLD, "11.21")
    an_invoice(ingest_status="ingested", push_status="pushed", pushed_to_finance_at=NOW)
    costs_of(NOW - timedelta(days=1), "1")
    AuditRun.objects.create(
        started_at=NOW, finished_at=NOW, requested_by="a test", red=0, yellow=0, opened=0, closed=0
    )
    assert len(unknowns(client)) == 2


def test_plans_stand_with_their_cost_and_revenue(viewer: Client) -> None:
    assert "Nothing is computed of this month yet" in text_of(viewer)
    published(stored_plan("basic"), dns_zones=5)
    subscription = create_subscription(
        deployment_pk=Deployment.objects.create(tenant_id="acme", slug="shop").pk,
        plan_code="basic",
        actor="a test",
        at=NOW,
    )
    of_plan = {"month": NOW.date().replace(day=1), "plan_version": subscription.plan_version}
    of_plan["deployment"] = subscription.deployment
    MarginRevenue.objects.create(
        **of_plan, subscription=subscription, currency="USD", amount_cents=2600, lines=[]
    )
    MarginMonth.objects.create(month=NOW.date().replace(day=1), computed_at=NOW, costs_until=NOW.date())
    for amount, owner in (("30.50", of_plan), ("12.50", {"month": of_plan["month"]})):
        MarginCost.objects.create(
            **owner, source="accrued", part="matched", tenant_id="acme", kind="droplet",
            amount=Decimal(amount), last_day=NOW.date(),
        )  # fmt: skip
    rows = re.findall(
        r'by=plan">([^<]+)</a></td> <td class="console-number">([^<]+)</td> '
        r'<td class="console-number">([^<]+)</td> <td class="console-number console-(\w+)">([^<]+)</td>',
        text_of(viewer),
    )
    assert rows == [
        ("basic", "$26.00", "$30.50", "bad", "-$4.50"),
        ("without a plan", "$0.00", "$12.50", "bad", "-$12.50"),
    ]
