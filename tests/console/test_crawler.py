"""Every page that the console links to, as each role, at three widths, light and dark, full and empty.

Every day one role in a browser, each page once and then resized, and the others' links. All of it: `--matrix`.
"""

import os
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client, RequestFactory
from django.urls import resolve
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from arcadia_cloud.console.navigation import navigation
from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from tests.console.conftest import Login
from tests.console.crawl import HOME, Visit, crawl
from tests.console.rows import a_run, a_saga, some_of_everything
from tests.inventory.observations import minute
from tests.console.test_browser import CHROMIUM, SCREENSHOTS, chromium, note_foreign  # noqa: F401 - a fixture

Tell = Callable[[str], None]
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
    failed = {"status": "failed", "error": "DigitalOcean answered 422: the size isn't available in this region"}
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
