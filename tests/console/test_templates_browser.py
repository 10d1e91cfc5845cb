"""Deployment templates in Chromium: drafted, published, drafted again, and a deployment made from one."""

import json

import pytest
from playwright.sync_api import Page, expect

from deployments.models import DeploymentTemplate
from deployments.services import create_subscription
from provisioning.models import SagaRun
from tests.catalog.rows import published, stored_plan
from tests.console.test_browser import chromium, console, fleet, keep
from tests.deployments.rows import BY, deployed, noon
from tests.provisioning.offers import offer

__all__ = ["chromium", "console", "fleet"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.usefixtures("patient_broker"),
]
ADD = "/admin/deployments/deploymenttemplate/add/"
DROPLET = {"key": "web", "name": "{slug}-web", "size": "s-1vcpu-1gb", "image": "debian-12-x64"}


def spec(**droplet: str) -> str:
    return json.dumps({"project": "{tenant}", "droplets": [{**DROPLET, **droplet}]})


def open_and_leave(console: Page, button: str, heading: str) -> None:
    """Open a dialog and leave it by the keyboard: focus is in it, and goes back to its button."""
    console.get_by_role("button", name=button, exact=True).click()
    dialog = console.locator("#modal-content #dialog")
    expect(dialog.get_by_text(heading)).to_be_visible()
    assert dialog.evaluate("dialog => dialog.contains(document.activeElement)")
    console.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


@pytest.mark.parametrize("console", ["light"], indirect=True)
def test_a_template_is_drafted_corrected_published_and_a_deployment_made_from_it(console: Page) -> None:
    console.goto(ADD)
    console.get_by_label("Code").fill("wiki")
    console.get_by_label("Spec").fill(spec(size="", flavour="blue"))
    console.get_by_role("button", name="Save", exact=True).click()
    expect(console.get_by_text("flavour")).to_be_visible()
    keep(console, "template-refused")
    assert not DeploymentTemplate.objects.exists()

    console.get_by_label("Spec").fill(spec())
    console.get_by_role("button", name="Save and continue editing").click()
    expect(console.get_by_text("wiki v1").first).to_be_visible()
    for _ in range(2):
        open_and_leave(console, "Publish", "Publish this version?")
    console.get_by_role("button", name="Publish", exact=True).click()
    console.locator("#modal-content").get_by_role("button", name="Publish").click()
    expect(console.get_by_text("It is published.")).to_be_visible()
    expect(console.get_by_label("Spec")).to_have_count(0)
    keep(console, "template-published")
    for _ in range(2):
        open_and_leave(console, "New draft", "Draft the next version from this one?")
    console.get_by_role("button", name="New draft").click()
    console.get_by_role("button", name="Make the draft").click()
    expect(console.get_by_text("It is a draft.")).to_be_visible()
    assert list(DeploymentTemplate.objects.order_by("version").values_list("version", flat=True)) == [1, 2]

    offer(droplet_limit=200)
    published(stored_plan(), 5000)
    deployment = deployed("handbook", region="fra1")
    create_subscription(deployment_pk=deployment.pk, plan_code="studio", actor=BY, at=noon(1))
    console.goto("/admin/provisioning/sagarun/start/provision_deployment/")
    console.get_by_label("Deployment id").fill(str(deployment.pk))
    console.get_by_label("Template code").fill("wiki")
    console.get_by_role("button", name="Show what will happen").click()
    expect(console.get_by_text("made from wiki v1")).to_be_visible()
    expect(console.get_by_text("handbook-web").first).to_be_visible()
    keep(console, "template-plan")
    assert not SagaRun.objects.exists()
    console.get_by_role("button", name="Start", exact=True).click()
    expect(console.locator("#saga-timeline")).to_be_visible()
    assert SagaRun.objects.get().kind == "provision_deployment"
    keep(console, "template-saga")
