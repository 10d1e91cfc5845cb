"""The console by the keyboard alone: past the menu, into a dialog, round in it, and out again."""

import pytest
from playwright.sync_api import Page, expect

from provisioning.models import SagaRun
from tests.console.rows import a_saga
from tests.console.test_browser import chromium, console, fleet  # noqa: F401 - fixtures

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("console", ["light"], indirect=True),
]
IS_INSIDE = "selector => Boolean(document.activeElement.closest(selector))"


def test_the_first_stop_leads_past_the_menu(console: Page) -> None:  # noqa: F811
    console.goto("/admin/inventory/resource/")
    console.keyboard.press("Tab")
    skip = console.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    console.keyboard.press("Enter")
    console.keyboard.press("Tab")
    assert console.evaluate(IS_INSIDE, "main")


def test_a_dialog_takes_the_focus_keeps_it_and_gives_it_back(console: Page) -> None:  # noqa: F811
    saga = a_saga(subjects=[])
    # It waits for long: a page that refreshes itself is another test's.
    SagaRun.objects.filter(pk=saga.pk).update(status="rolled_back", finished_at=saga.created_at, wake_at=None)
    console.goto(f"/admin/provisioning/sagarun/{saga.pk}/change/")
    opener = console.get_by_role("button", name="Retry")
    for _ in range(2):
        opener.focus()
        console.keyboard.press("Enter")
        dialog = console.get_by_role("dialog", name="Retry this saga?")
        expect(dialog).to_be_visible()
        # More stops than the dialog has: none of them is outside of the page's window.
        for _ in range(8):
            assert console.evaluate("document.activeElement === document.body") or console.evaluate(
                IS_INSIDE, "#modal"
            )
            console.keyboard.press("Tab")
        console.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()


def test_the_filters_open_by_the_keyboard_and_close_again(console: Page) -> None:  # noqa: F811
    console.goto("/admin/inventory/resource/")
    opener = console.get_by_role("button", name="Filters")
    for _ in range(2):
        opener.focus()
        console.keyboard.press("Enter")
        expect(console.get_by_role("dialog", name="Filters")).to_be_visible()
        assert console.evaluate(IS_INSIDE, "#changelist-filter")
        console.keyboard.press("Escape")
        expect(console.get_by_role("dialog", name="Filters")).to_be_hidden()
        expect(opener).to_be_focused()
