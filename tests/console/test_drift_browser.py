"""A day with drift in Chromium: grouped, accepted, put back and snoozed, with few clicks."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from drift.models import Drift
from drift.services import adopt_many, detect_all
from inventory.models import Resource
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.models import SagaRun
from tests.console.test_browser import chromium, console, fleet, keep
from tests.provisioning.sagas import run_to_end
from tests.simulated import Simulated
from tests.simulator.api import Api

__all__ = ["chromium", "console", "fleet"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.usefixtures("patient_broker"),
]


def a_bad_morning(simulator: Simulated, *, retagged: int) -> None:
    """Droplets whose tag was renamed, three that somebody switched off, and one that was destroyed."""
    made = simulator.control(
        "POST",
        "droplets",
        name="fleet",
        size="s-1vcpu-1gb",
        region="fra1",
        count=retagged + 4,
        tags=["role:fleet"],
    )["droplets"]
    sync_inventory(mode=RunMode.FAST, actor="a test", kinds=["droplet"])
    rows = Resource.objects.filter(provider_id__in=[str(each["id"]) for each in made])
    adopt_many(resource_pks=list(rows.values_list("pk", flat=True)), actor="a test", at=timezone.now())
    for droplet in made[:retagged]:
        simulator.control("PATCH", f"droplets/{droplet['id']}", tags=["role:flotte"])
    for droplet in made[retagged : retagged + 3]:
        simulator.control("PATCH", f"droplets/{droplet['id']}", status="off")
    with Api(simulator.url, simulator.token) as api:
        api.ask("DELETE", f"/v2/droplets/{made[-1]['id']}")
    for _ in range(4):  # three strikes
        sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["droplet"])
    detect_all(at=timezone.now())


@pytest.mark.parametrize("console", ["light"], indirect=True)
def test_a_days_drift_is_settled_with_seven_clicks(
    console: Page, simulator: Simulated, request: pytest.FixtureRequest
) -> None:
    retagged = 40 if request.config.getoption("--matrix") else 4
    a_bad_morning(simulator, retagged=retagged)
    console.reload()
    clicks = 0

    def click(name: str, *, role: str = "link", row: str = "") -> None:
        nonlocal clicks
        place = console.locator("#causes tr", has_text=row) if row else console
        place.get_by_role(role, name=re.compile(name)).first.click()  # type: ignore[arg-type] # a role
        console.wait_for_load_state("networkidle")
        clicks += 1

    click("Drift$")
    expect(console.locator("#causes tbody tr")).to_have_count(3)
    keep(console, "drift-inbox")
    click("Revert", row="tags")
    expect(console.get_by_text("the tags that are missing are put on")).to_be_visible()
    keep(console, "drift-revert")
    click("Put back", role="button")
    expect(console.get_by_text(f"{retagged} are being put back by {retagged} sagas")).to_be_visible()
    keep(console, "drift-reverting")
    click("Accept", row="exists")
    click("Accept", role="button")
    click("Ignore", row="status")
    console.get_by_label("Why").fill("maintenance until Monday")
    keep(console, "drift-snooze")
    click("Ignore, or snooze", role="button")
    expect(console.get_by_text("3 ignored").first).to_be_visible()
    assert clicks == 7

    for saga in SagaRun.objects.filter(kind="revert_drift"):
        assert run_to_end(saga).status == "completed"
    detect_all(at=timezone.now())
    counts = {
        status: Drift.objects.filter(status=status).count() for status in ("open", "reverted", "ignored")
    }
    assert counts == {"open": 0, "reverted": retagged, "ignored": 3}
    assert Drift.objects.get(status="accepted").field == "exists"
    console.get_by_role("link", name=re.compile("Drift$")).first.click()
    expect(console.get_by_text("0 open")).to_be_visible()
    keep(console, "drift-settled")


@pytest.mark.parametrize("console", ["dark"], indirect=True)
def test_the_dialogs_of_a_row_open_again_and_again(console: Page, simulator: Simulated) -> None:
    a_bad_morning(simulator, retagged=1)
    row = Drift.objects.get(field="tags")
    console.goto(f"/admin/drift/drift/{row.pk}/change/")
    keep(console, "drift-row")
    dialog = console.locator("#modal-content #dialog")
    for button, heading in (
        ("Accept", "Accept the live value?"),
        ("Ignore", "Ignore this difference?"),
        ("Revert", "Put it back to what is desired?"),
    ):
        for _ in range(2):
            console.get_by_role("button", name=button, exact=False).first.click()
            expect(dialog.get_by_text(heading)).to_be_visible()
            console.keyboard.press("Escape")
            expect(dialog).to_be_hidden()
