"""Every page that the console links to, as each role, at three widths, light and dark, full and empty.

Each page is opened once, then resized, then darkened. Every day one role in a browser, each page on one
ground and at the two outer widths, the menu on two of them; and the others' links. All with `--matrix`.
"""

import gzip
import re
from contextlib import closing
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from tests.console.conftest import Login
from tests.console.crawl import ALIKE, HOME, Visit, crawl
from tests.console.rows import EVERY_LIST, a_run, a_saga, some_of_everything
from tests.console.test_browser import SCREENSHOTS, chromium, note_foreign  # noqa: F401 - a fixture
from tests.inventory.observations import minute

ROLES: Final = ("admin", "viewer", "operator", "billing")
WIDTHS: Final = (1440, 1024, 400)
MOST_BYTES: Final = 150_000
AXE: Final = Axe()
RULES: Final = {"resultTypes": ["violations"]}
# Charts follow the window a frame later.
OVERFLOW: Final = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
    done(document.documentElement.scrollWidth - window.innerWidth))))"""
# What differs between light and dark is what can be read on what.
CONTRAST: Final = {**RULES, "runOnly": ["color-contrast"]}
MENU: Final = "#nav-sidebar"

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture
def full(transactional_db: None) -> None:
    """Rows in every list, the schedule as it is seeded, and what moves by itself."""
    some_of_everything(2)
    seed_schedule()
    a_run(500, kind="volume", outcome="")
    failed = {"status": "failed", "error": {"reason": "DigitalOcean answered 422"}}
    a_saga(501, **failed, finished_at=minute(502), wake_at=None, wait_reason="")


def complaints_about(visit: Visit) -> list[str]:
    """The faults of an answer, or of its page's heading, title, landmarks and ids."""
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
    return "\n".join(
        f"{address}\n    " + "\n    ".join(wrong) for address, wrong in findings.items() if wrong
    )


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
    # The browser below follows the admin's among full lists.
    if (role == "admin") == (rows == "full") and not whole:
        pytest.skip(
            "every day the admin's among empty lists, the others' among full ones; more with --matrix"
        )
    if rows == "full":
        request.getfixturevalue("full")
    client = login(role)
    visits = list(crawl(client, examples=2 if whole else 1, whole=whole))

    assert not report(findings_of(client, visits))
    assert len(visits) > 60


@pytest.mark.browser
@pytest.mark.timeout(3600)  # with --matrix: a minute each day
@pytest.mark.parametrize("rows", ["full", "empty"])
@pytest.mark.parametrize("role", ROLES)
def test_every_page_is_readable_at_every_width(
    request: pytest.FixtureRequest,
    login: Login,
    live_server: LiveServer,
    chromium: Browser,  # noqa: F811
    role: str,
    rows: str,
) -> None:
    whole = request.config.getoption("--matrix")
    if (role, rows) != ("admin", "full") and not whole:
        pytest.skip("the other roles' pages, and empty ones: --matrix")
    if rows == "full":
        request.getfixturevalue("full")
    client = login(role)
    visits = list(crawl(client, examples=1, whole=whole))
    findings = findings_of(client, visits)
    with closing(Looker(chromium, client, live_server.url, f"{role}-{rows}" if whole else "")) as looker:
        for number, visit in enumerate(different(visits)):
            looked = looker.look(visit) if whole else looker.glance(visit, number)
            findings[visit.address] += looked
            looker.note(report({visit.address: findings[visit.address]}))

    assert not report(findings)


def test_a_list_of_fifty_is_light(login: Login) -> None:
    client = login("superuser")
    some_of_everything(50)
    sizes = {
        address: len(gzip.compress(client.get(address).content))
        for address in (f"/admin/{name}/" for name in EVERY_LIST)
    }

    assert {address: size for address, size in sizes.items() if size > MOST_BYTES} == {}


def findings_of(client: Client, visits: list[Visit]) -> dict[str, list[str]]:
    """The faults of the answers, by address; an entry of the navigation heads its page."""
    findings = {visit.address: complaints_about(visit) for visit in visits}
    headings = {visit.address: visit.facts.headings for visit in visits}
    for address, title in entries_of(client).items():
        if headings.get(address) != [title]:
            findings.setdefault(address, []).append(f"is headed {headings.get(address)}, entered as {title}")
    return findings


def different(visits: list[Visit]) -> list[Visit]:
    """One page of each route, and one of all those that differ in a row's name alone."""
    chosen: dict[str, Visit] = {}
    for visit in visits:
        if "<html" in visit.html:
            alike = ALIKE.search(visit.route)
            chosen.setdefault(alike.group() if alike else visit.route, visit)
    return list(chosen.values())


class Looker:
    """A browser's page, logged in as a client of the tests, that returns the faults of what it opens.

    `shots` is the folder of the screenshots; "" keeps none.
    """

    def __init__(self, browser: Browser, client: Client, url: str, shots: str) -> None:
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

    def look(self, visit: Visit) -> list[str]:
        """Open a page once, and look at it on both grounds, in light at every width."""
        self._open(visit)
        found = self._breaches(RULES)
        for width in WIDTHS:
            found += self._overflow(width)
            self._keep(f"{visit.route}-{width}-light")
        self._darken()
        found += [f"dark: {text}" for text in self._breaches(CONTRAST)]
        self._keep(f"{visit.route}-{WIDTHS[-1]}-dark")
        return [*found, *self._complaints]

    def glance(self, visit: Visit, number: int) -> list[str]:
        """Open a page once, and look at it on one ground, every other page on the dark one.

        Beside the first pages on each ground the menu is left out: it is the same on all.
        """
        self._open(visit)
        if is_dark := number % 2 == 1:
            self._darken()
        found = self._breaches(RULES, without=None if number <= 1 else MENU)
        found = [f"{'dark' if is_dark else 'light'}: {text}" for text in found]
        for width in (WIDTHS[0], WIDTHS[-1]):
            found += self._overflow(width)
        return [*found, *self._complaints]

    def _open(self, visit: Visit) -> None:
        self._complaints.clear()
        self._page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        self._page.goto(visit.address)

    def _overflow(self, width: int) -> list[str]:
        self._page.set_viewport_size({"width": width, "height": 900})
        wider = self._page.evaluate(OVERFLOW)
        return [f"scrolls {wider} px sideways at {width} px"] if wider > 0 else []

    def _darken(self) -> None:
        # A class is all that is different: no rule of sizes asks for the ground.
        self._page.evaluate("document.documentElement.classList.add('dark')")

    def _breaches(self, rules: dict[str, Any], without: str | None = None) -> list[str]:
        # The library's `run` puts the script into the page each time, and sends what was good as well.
        if not self._page.evaluate("'axe' in window"):
            self._page.evaluate(AXE.axe_script)
        context = {"exclude": [[without]]} if without else {}
        violations = self._page.evaluate(
            "([context, rules]) => axe.run({include: [['html']], ...context}, rules)"
            ".then(found => found.violations)",
            [context, {**rules, "preload": False}],
        )
        return [
            f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for violation in violations
            for node in violation["nodes"]
        ]

    def note(self, text: str) -> None:
        """Keep findings beside the screenshots: the whole product takes longer than anybody waits for it."""
        if self._shots is not None and text:
            self._shots.mkdir(parents=True, exist_ok=True)
            with (self._shots / "findings.txt").open("a", encoding="utf-8") as findings:
                findings.write(f"{text}\n")

    def _keep(self, name: str) -> None:
        if self._shots is not None:
            self._shots.mkdir(parents=True, exist_ok=True)
            name = re.sub(r"[^a-z0-9_-]+", "_", name.lower().removeprefix("admin/"))
            self._page.screenshot(path=self._shots / f"{name}.png", full_page=True)
