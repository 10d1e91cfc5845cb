"""Parts of pages that refresh themselves: what stands inside them asks for things of its own."""

import re

import pytest

from arcadia_cloud.embedded.state import PROJECT

TEMPLATES = PROJECT / "templates"
_LIVE = re.compile(r"<[a-z]+[^>]*\bhx-trigger=\"every [^>]*>")
LIVE = [
    (str(path.relative_to(TEMPLATES)), tag)
    for path in sorted(TEMPLATES.rglob("*.html"))
    for tag in _LIVE.findall(path.read_text(encoding="utf-8"))
]


def test_they_are_found() -> None:
    assert len(LIVE) >= 5
    assert {"billing/invoice.html", "provisioning/saga.html"} < {name for name, _ in LIVE}


@pytest.mark.parametrize(("name", "tag"), LIVE, ids=[name for name, _ in LIVE])
def test_what_stands_inside_inherits_nothing_of_the_refresh(name: str, tag: str) -> None:
    """A dialog's button would put the dialog in the refreshed part's place, once and for ever."""
    assert 'hx-disinherit="*"' in tag, name
