"""Nothing of the console is loaded from elsewhere."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from tests.console.conftest import Login
from tests.console.rows import ACCESS_LISTS, EVERY_LIST, some_of_everything

LOADED = re.compile(r"""<(?:script|img|iframe|source|link)\b[^>]*?\b(?:src|href)=["']([^"']+)["']""")
IN_STYLES = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")


SHEETS = (
    "unfold/css/styles.css",
    "unfold/fonts/inter/styles.css",
    "unfold/fonts/material-symbols/styles.css",
    "console/console.css",
)


def assert_ours(addresses: list[str], where: str) -> None:
    foreign = [address for address in addresses if re.match(r"(?:[a-z]+:)?//", address)]
    assert not foreign, f"{where} loads {foreign}"


def test_pages_load_only_what_we_serve(login: Login, client: Client) -> None:
    some_of_everything(1)
    superuser = login("superuser")
    pages = {"login": client.get("/admin/login/").content.decode()}
    pages |= {
        name: superuser.get(f"/admin/{name}").content.decode()
        for name in ("", *(f"{listed}/" for listed in (*EVERY_LIST, *ACCESS_LISTS)))
    }
    static = set()
    for name, html in pages.items():
        addresses = LOADED.findall(html)
        assert addresses, name
        assert_ours(addresses, name)
        static |= {address for address in addresses if address.startswith("/static/")}

    for address in static:
        assert finders.find(address.removeprefix("/static/")), f"{address} doesn't exist"


@pytest.mark.parametrize("sheet", SHEETS)
def test_styles_load_only_what_we_serve(sheet: str) -> None:
    found = finders.find(sheet)
    assert isinstance(found, str)

    assert_ours([a or b for a, b in IN_STYLES.findall(Path(found).read_text())], sheet)
