"""Costs in Chromium: an anomaly is dismissed, and leftovers are cleaned up to the end of their sagas."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from playwright.sync_api import Page, expect

from billing.models import CostAnomaly
from billing.services import seed_prices
from inventory.models import Resource
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.models import SagaRun
from tests.console.test_browser import chromium, console, fleet, keep
from tests.provisioning.sagas import run_to_end
from tests.simulated import Simulated

__all__ = ["chromium", "console", "fleet"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.usefixtures("patient_broker"),
]


@pytest.mark.parametrize("console", ["light"], indirect=True)
def test_an_anomaly_is_dismissed_by_its_button_whose_dialog_opens_again_and_again(console: Page) -> None:
    User.objects.get(username="operator-1").groups.add(Group.objects.get(name="billing"))
    now = timezone.now()
    anomaly = CostAnomaly.objects.create(
        tenant_id="acme", kind="droplet", direction="up", source="accrued", began_on=now.date(),
        last_day=now.date(), amount=15, expected=5, cause="Cost of acme +200 %.", detected_at=now,
        parts=[{"cause": "rest", "text": "nothing in our history", "amount": "10"}],
    )  # fmt: skip
    console.goto(f"/admin/billing/costanomaly/{anomaly.pk}/change/")
    dialog = console.locator("#modal-content #dialog")
    for closing in ("Back", "Close", ""):
        console.get_by_role("button", name="Dismiss", exact=True).click()
        expect(dialog.get_by_text("Dismiss this anomaly?")).to_be_visible()
        if closing:
            dialog.get_by_role("button", name=closing, exact=True).click()
            expect(dialog).to_be_hidden()
    keep(console, "anomaly-dismiss")
    dialog.get_by_label("Why").fill("the shop's sale")
    dialog.get_by_role("button", name="Dismiss", exact=True).click()
    expect(console.get_by_text("Dismissed.")).to_be_visible()
    expect(console.get_by_role("button", name="Dismiss", exact=True)).to_have_count(0)
    anomaly.refresh_from_db()
    assert (anomaly.status, anomaly.dismissed_reason) == ("dismissed", "the shop's sale")


def test_a_leftover_is_cleaned_up_from_the_list_and_leaves_it(console: Page, simulator: Simulated) -> None:
    simulator.reset(fleet="default", speed=200.0)
    sync_inventory(mode=RunMode.FULL, actor="a test")
    seed_prices()
    console.get_by_role("link", name=re.compile("Leftovers$")).first.click()
    expect(console.get_by_role("heading", name="Leftovers").first).to_be_visible()
    keep(console, "leftovers")
    for _ in range(2):  # gone back to, the list is as it was, and the page opens again
        console.get_by_label("Clean up old-files", exact=True).check()
        console.get_by_role("button", name=re.compile("Clean up the ticked")).click()
        expect(console.get_by_text("What will happen")).to_be_visible()
        expect(console.get_by_text("$50.00 a month").first).to_be_visible()
        keep(console, "clean-up")
        console.get_by_role("link", name="Back to the leftovers").click()
    assert not SagaRun.objects.exists()
    console.get_by_label("Clean up old-files", exact=True).check()
    console.get_by_role("button", name=re.compile("Clean up the ticked")).click()
    console.get_by_role("button", name="Delete them").click()
    saga = SagaRun.objects.get()
    expect(console.get_by_text(f"1 saga started: {saga.pk}.")).to_be_visible()
    assert run_to_end(saga).status == "completed"
    console.reload()
    expect(console.get_by_label("Clean up old-files", exact=True)).to_have_count(0)
    keep(console, "leftovers-after")
    assert Resource.objects.get(kind="volume", name="old-files").deleted_at is not None
    for address in ("undercharges/", "accuracy/"):
        console.goto(f"/admin/billing/dailycost/{address}")
        keep(console, address.rstrip("/"))
