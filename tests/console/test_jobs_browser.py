"""The jobs page in a browser, with a real worker: switch, run now, move."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import Page, expect

from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from tests.console.test_browser import chromium, console, fleet, keep, pytestmark  # noqa: F401 - fixtures, and the marks
from tests.processes import Workers

PAGE = "/admin/jobs/"
JOB = "kernel: delete expired sessions and old logins"  # at 03:40, as others


@pytest.mark.processes
@pytest.mark.parametrize("console", ["light"], indirect=True)
def test_a_job_is_switched_off_and_on_run_and_moved_in_its_row(console: Page, worker: Workers) -> None:  # noqa: F811
    User.objects.get().groups.add(Group.objects.get(name="admin"))
    seed_schedule()
    task = PeriodicTask.objects.get(name=JOB)
    console.goto("/admin/")
    console.locator("#nav-sidebar-apps").get_by_role("link", name=re.compile("Jobs$")).click()
    expect(console.get_by_role("heading", name="Scheduled jobs")).to_be_visible()
    row = console.locator(f"#job-{task.pk}")
    switch = row.get_by_role("switch")
    expect(row.get_by_text("never ran")).to_be_visible()
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(row.get_by_text("off", exact=True)).to_be_visible()
    switch.press("Enter")
    expect(switch).to_have_attribute("aria-checked", "true")

    row.get_by_role("button", name="now").click()
    expect(row.get_by_text("no worker took it")).to_be_visible()
    keep(console, "jobs-waiting")
    console.evaluate("window.stayed = true")
    worker("cloud_sync_slow")
    expect(row.get_by_text("ok", exact=True)).to_be_visible(timeout=20_000)
    expect(row.get_by_text("by user:operator-1")).to_be_visible()
    assert console.evaluate("window.stayed")  # the page took it over by itself

    row.get_by_role("link", name="Change the time").click()
    form = console.locator("#time-form")
    form.get_by_label("Minute").fill("75")
    form.get_by_role("button", name="Save the time").click()
    expect(form.get_by_text("The minute can't be read")).to_be_visible()
    keep(console, "jobs-edit")
    form.get_by_label("Minute").fill("23")
    form.get_by_label("Hour").fill("4")
    form.get_by_role("button", name="Save the time").click()
    expect(row.get_by_text("every day at 04:23 UTC")).to_be_visible()
    assert PeriodicTask.objects.filter(crontab__hour="3", crontab__minute="40").count() >= 3
    keep(console, "jobs")

    row.get_by_role("link", name=JOB).first.click()
    expect(console.get_by_role("heading", name="Last runs")).to_be_visible()
    keep(console, "job")
    console.set_viewport_size({"width": 390, "height": 844})
    for address in (PAGE, f"{PAGE}?edit={task.pk}", f"{PAGE}{task.pk}/"):
        console.goto(address)
        assert console.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, address
    keep(console, "phone-jobs")
