"""Runbooks: the section of docs/operations.md on an alert, with its meaning and what to do."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_SECTION: Final = re.compile(r"^## (?P<title>.+)$", re.MULTILINE)
_CODE: Final = re.compile(r"`([a-z][a-z_]+)`")
# Raw HTML in the document stays text.
_markdown: Final = MarkdownIt("commonmark", {"html": False}).enable("table")


def runbook_of(code: str) -> SafeString:
    """Return the runbook of an alert's code as HTML; empty where there is none."""
    return _runbooks().get(code, SafeString())


@cache
def _runbooks() -> dict[str, SafeString]:
    return parse_runbooks((Path(settings.BASE_DIR) / "docs" / "operations.md").read_text(encoding="utf-8"))


def parse_runbooks(document: str) -> dict[str, SafeString]:
    """Return each section as HTML by the codes in its first paragraph; the first such section counts."""
    found: dict[str, SafeString] = {}
    heads = list(_SECTION.finditer(document))
    ends = [head.start() for head in heads[1:]] + [len(document)]
    for head, end in zip(heads, ends, strict=True):
        text = document[head.end() : end].strip()
        first_paragraph = text.partition("\n\n")[0]
        html = mark_safe(_markdown.render(text))  # noqa: S308 - our own document, and its raw HTML is text
        for code in _CODE.findall(first_paragraph):
            found.setdefault(code, html)
    return found
