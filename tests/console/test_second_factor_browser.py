"""Signing in with a second factor, and being locked out, in Chromium."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from arcadia_cloud.main_job.seeds.groups import seed_groups
from tests.console.authenticators import code_of, enrolled, shown_key, wrong_code
from tests.console.conftest import PASSWORD
from tests.console.identity_provider import serve_provider
from tests.console.test_browser import chromium, keep, skip_dark
from tests.console.test_single_sign_on import use_provider

__all__ = ["chromium"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
]
HOME = "Fleet by kind and region"
LOCKED = "the server responded with a status of 429"  # the lock page's own status; Chromium notes it


@pytest.fixture(params=["light", "dark"])
def page(
    request: pytest.FixtureRequest,
    chromium: Browser,
    transactional_db: None,
    settings: Settings,
    live_server: LiveServer,
) -> Iterator[Page]:
    """A browser before the login page, of a console that requires a second factor."""
    skip_dark(request)
    settings.ARCADIA_SECOND_FACTOR_REQUIRED = True
    seed_groups()
    context = chromium.new_context(base_url=live_server.url, color_scheme=request.param)
    context.set_default_timeout(30_000)
    opened = context.new_page()
    opened.set_viewport_size({"width": 1280, "height": 900})
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert [complaint for complaint in complaints if LOCKED not in complaint] == []


def a_user(group: str) -> User:
    user = User.objects.create_user(f"{group}-1", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


def log_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def log_out(page: Page) -> None:
    page.context.clear_cookies()


def enter(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Continue").click()


def assert_no_wider_than_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.set_viewport_size({"width": 1280, "height": 900})


def test_an_operator_enrols_and_signs_in_by_code_and_by_recovery_code(page: Page) -> None:
    user = a_user("operator")
    log_in(page, user.username)
    expect(page.get_by_text("Your login needs a second factor")).to_be_visible()
    qr_code = page.locator("#qr-code svg").bounding_box()
    assert qr_code is not None
    assert qr_code["width"] > 150
    assert_no_wider_than_a_phone(page)
    keep(page, "second-factor-set-up")

    key = shown_key(page.content())
    page.get_by_label("Code that the app shows").fill(wrong_code(key))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("show this code now")).to_be_visible()
    keep(page, "second-factor-wrong")
    assert shown_key(page.content()) == key
    page.get_by_label("Code that the app shows").fill(code_of(key))
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    assert_no_wider_than_a_phone(page)
    keep(page, "second-factor-recovery-codes")
    recovery = page.locator("#recovery-codes li").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", name=HOME)).to_be_visible()

    page.locator("[x-data]").get_by_text(user.username).first.click()
    page.get_by_role("link", name="Second factor").click()
    expect(page.get_by_text("You have 10 recovery codes left.")).to_be_visible()
    expect(page.get_by_role("button", name="Turn it off")).to_have_count(0)
    assert_no_wider_than_a_phone(page)
    keep(page, "second-factor-account")

    log_out(page)
    log_in(page, user.username)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    assert_no_wider_than_a_phone(page)
    keep(page, "second-factor-code")
    enter(page, code_of(key, steps=1))  # the present one was used for the set-up
    expect(page.get_by_role("heading", name=HOME)).to_be_visible()

    log_out(page)
    log_in(page, user.username)
    enter(page, recovery)
    expect(page.get_by_text("9 left")).to_be_visible()
    keep(page, "second-factor-recovered")
    log_out(page)
    log_in(page, user.username)
    enter(page, recovery)
    expect(page.get_by_text("or was used before")).to_be_visible()


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_a_viewer_is_not_asked(page: Page) -> None:
    log_in(page, a_user("viewer").username)
    expect(page.get_by_role("heading", name=HOME)).to_be_visible()


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_an_admin_resets_a_colleagues(page: Page) -> None:
    chief, colleague = a_user("admin"), a_user("operator")
    key = enrolled(chief)
    enrolled(colleague)
    log_in(page, chief.username)
    enter(page, code_of(key))
    page.goto(f"/admin/auth/user/{colleague.pk}/change/")
    page.get_by_role("button", name="Reset the second factor").click()
    expect(page.locator("#dialog").get_by_text("make sure that it is they who ask")).to_be_visible()
    keep(page, "second-factor-reset")
    page.locator("#modal-content").get_by_role("button", name="Reset it").click()
    # The theme hides the page that follows until its scripts have run.
    expect(page.get_by_text("the next sign-in sets up another")).to_be_visible(timeout=20_000)
    page.goto("/admin/auth/user/")
    keep(page, "users")

    log_out(page)
    log_in(page, colleague.username)
    expect(page.get_by_text("Your login needs a second factor")).to_be_visible()


def test_wrong_passwords_and_codes_lock_the_login(page: Page) -> None:
    user = a_user("operator")
    key = enrolled(user)
    for _ in range(4):
        log_in(page, user.username, "wrong-password")
        expect(page.get_by_text(re.compile("correct username and password"))).to_be_visible()
    log_in(page, user.username)
    enter(page, wrong_code(key))
    expect(page.get_by_text("Too many wrong passwords or codes")).to_be_visible()
    assert_no_wider_than_a_phone(page)
    keep(page, "locked")
    page.get_by_role("link", name="Back to the login").click()
    log_in(page, user.username)
    expect(page.get_by_text("refused for 15 minutes")).to_be_visible()


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_a_person_signs_in_through_the_identity_provider(page: Page, settings: Settings) -> None:
    with serve_provider() as provider:
        use_provider(
            settings,
            provider,
            ARCADIA_OIDC_NAME="Example's directory",
            ARCADIA_OIDC_ENFORCES_SECOND_FACTOR="true",
        )
        page.goto("/admin/kernel/alert/")
        keep(page, "single-sign-on")
        page.get_by_role("link", name="Log in with Example's directory").click()
        expect(page.get_by_role("heading", name="Alerts", exact=True)).to_be_visible()
        log_out(page)
        provider.claims = {"groups": []}
        page.goto("/admin/")
        page.get_by_role("link", name="Log in with Example's directory").click()
        expect(page.get_by_text("none of the company")).to_be_visible()
        keep(page, "single-sign-on-refused")
