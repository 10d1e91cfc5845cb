"""Every page that the console links to, as each role, at three widths, light and dark, full and empty.

Every day one role in a browser, each page once and then resized, and the others' links. All of it: `--matrix`.
"""

import re
from contextlib import closing
from itertools import product
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from tests.console.conftest import Login
from tests.console.crawl import HOME, Visit, crawl
from tests.console.rows import a_run, a_saga, some_of_everything
from tests.inventory.observations import minute
from tests.console.test_browser import CHROMIUM, SCREENSHOTS, chromium, note_foreign  # noqa: F401 - a fixture

ROLES: Final = ("admin", "viewer", "operator", "billing")
WIDTHS: Final = (1440, 1024, 400)
THEMES: Final = ("light", "dark")
MOST_BYTES: Final = 150_000
AXE: Final = Axe()
RULES: Final = {"resultTypes": ["violations"]}
# What differs between light and dark is what can be read on what.
CONTRAST: Final = {**RULES, "runOnly": ["color-contrast"]}

pytestmark = pytest.mark.xdist_group("browser")
in_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium isn't there (Debian: apt-get install chromium)")


@pytest.fixture
def full(transactional_db: None) -> None:
    """Rows in every list, the schedule as it is seeded, and what moves by itself."""
    some_of_everything(2)
    seed_schedule()
    a_run(500, kind="volume", outcome="")
    failed = {"status": "failed", "error": {"reason": "DigitalOcean answered 422"}}
    a_saga(501, **failed, finished_at=minute(502), wake_at=None, wait_reason="")


def complaints_about(visit: Visit) -> list[str]:
    """What is wrong with an answer, or with what a page says of itself."""
    if visit.status >= 400:
        return [f"answers {visit.status}, linked on {visit.found_on}"]
    if "<html" not in visit.html:  # a dialog, or a file
        return []
    facts = visit.facts
    wrong = []
    if len(facts.headings) != 1 or not facts.headings[0]:
        wrong.append(f"has the headings {facts.headings}")
    if not facts.title.startswith(facts.headings[0] if facts.headings else "?"):
        wrong.append(f"is titled {facts.title!r} and headed {facts.headings}")
    if facts.landmarks["main"] != 1:
        wrong.append(f"has {facts.landmarks['main']} main landmarks")
    if facts.first_link != "#content" or not facts.ids["content"]:
        wrong.append(f"has no link past its menu: the first leads to {facts.first_link}")
    wrong += [f"has the id {name} {count} times" for name, count in facts.ids.items() if count > 1]
    return wrong


def report(findings: dict[str, list[str]]) -> str:
    """Findings by page, as a failed test shows them."""
    return "\n".join(f"{address}\n    " + "\n    ".join(wrong) for address, wrong in findings.items() if wrong)


def entries_of(client: Client) -> dict[str, str]:
    """The navigation's entries for the client's user: address and title."""
    context = client.get(HOME).context
    return {
        str(entry["link"]): str(entry["title"])
        for group in context["sidebar_navigation"]
        for entry in group["items"]
        if entry["has_permission"]
    }


@pytest.mark.parametrize("rows", ["full", "empty"])
@pytest.mark.parametrize("role", ROLES)
def test_every_link_leads_to_a_page_that_says_what_it_is(
    request: pytest.FixtureRequest, login: Login, role: str, rows: str
) -> None:
    whole = request.config.getoption("--matrix")
    if rows == "empty" and role not in {"admin"} and not whole:
        pytest.skip("the other roles' empty pages: --matrix")
    if rows == "full":
        request.getfixturevalue("full")
    client = login(role)
    visits = list(crawl(client, examples=2 if whole else 1))
    findings = {visit.address: complaints_about(visit) for visit in visits}
    by_address = {visit.address: visit for visit in visits}
    for address, title in entries_of(client).items():
        findings[address] += [] if by_address[address].facts.headings == [title] else [f"isn't headed {title}"]

    assert not report(findings)
    assert len(visits) > 60


@pytest.mark.browser
@in_chromium
@pytest.mark.parametrize("rows", ["full", "empty"])
@pytest.mark.parametrize("role", ROLES)
def test_every_page_is_readable_at_every_width(
    request: pytest.FixtureRequest, login: Login, live_server: LiveServer, chromium: Browser, role: str, rows: str  # noqa: F811
) -> None:
    whole = request.config.getoption("--matrix")
    if (role, rows) != ("admin", "full") and not whole:
        pytest.skip("the other roles' pages, and empty ones: --matrix")
    if rows == "full":
        request.getfixturevalue("full")
    client = login(role)
    visits = pages_to_look_at(client, whole=whole)
    findings: dict[str, list[str]] = {}
    with closing(Looker(chromium, client, live_server.url, shots=f"{role}-{rows}" if whole else "")) as looker:
        for visit, theme in product(visits, THEMES if whole else THEMES[:1]):
            findings.setdefault(visit.address, []).extend(looker.look(visit, theme))

    assert not report(findings)


def pages_to_look_at(client: Client, *, whole: bool) -> list[Visit]:
    """One page of each route; every day without those that look like each other, as the histories."""
    seen: set[str] = set()
    chosen = []
    for visit in crawl(client, examples=1):
        alike = visit.route.endswith(("/history/", "/delete/", "/add/"))
        if "<html" in visit.html and visit.route not in seen and (whole or not alike):
            seen.add(visit.route)
            chosen.append(visit)
    return chosen


class Looker:
    """A browser's page, logged in as a client of the tests, that tells what is wrong with what it opens."""

    def __init__(self, browser: Browser, client: Client, url: str, *, shots: str) -> None:
        self._url = url
        self._shots = SCREENSHOTS / "crawl" / shots if shots else None
        self._context = browser.new_context(base_url=url)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        self._context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])
        self._context.set_default_timeout(20_000)
        self._page = self._context.new_page()
        self._complaints: list[str] = []
        self._page.on("console", lambda told: self._complain(told.text) if told.type == "error" else None)
        self._page.on("pageerror", lambda error: self._complain(str(error)))
        self._page.on("request", lambda call: note_foreign(call.url, url, self._complaints))

    def close(self) -> None:
        self._context.close()

    def _complain(self, text: str) -> None:
        self._complaints.append(f"the browser: {text}")

    def look(self, visit: Visit, theme: str) -> list[str]:
        """Open a page once, and look at it at every width."""
        self._complaints.clear()
        self._page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        self._page.emulate_media(color_scheme=theme)
        self._page.goto(visit.address)
        found = [f"{theme}: {text}" for text in self._breaches(RULES if theme == "light" else CONTRAST)]
        for width in WIDTHS:
            self._page.set_viewport_size({"width": width, "height": 900})
            wider = self._page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            found += [f"scrolls {wider} px sideways at {width} px"] if wider > 0 else []
            self._keep(f"{visit.route}-{width}-{theme}")
        if self._shots is None:
            # Both grounds in one go: a class is all that is different.
            self._page.evaluate("document.documentElement.classList.add('dark')")
            found += [f"dark: {text}" for text in self._breaches(CONTRAST)]
        return [*found, *self._complaints]

    def _breaches(self, rules: dict[str, Any]) -> list[str]:
        violations = AXE.run(self._page, options=rules).response["violations"]
        return [
            f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for violation in violations
            for node in violation["nodes"]
        ]

    def _keep(self, name: str) -> None:
        if self._shots is not None:
            self._shots.mkdir(parents=True, exist_ok=True)
            name = re.sub(r"[^a-z0-9_-]+", "_", name.lower().removeprefix("admin/"))
            self._page.screenshot(path=self._shots / f"{name}.png", full_page=True)
