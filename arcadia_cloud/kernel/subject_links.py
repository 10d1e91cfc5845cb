"""Pages of the console by the subjects that they show: a registry that apps fill from `AppConfig.ready()`.

Alerts and history name things as `saga:12`; the kernel and the lower apps don't know what a saga is.
"""

import re
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.http import urlencode

_NUMBERED: Final = re.compile(r"(?P<kind>[a-z_]+):(?P<pk>[0-9]{1,18})")
_NAMED: Final = re.compile(r"(?P<kind>[a-z_]+):(?P<name>[a-z_]+)")
_pages: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class _List:
    page: str
    parameter: str


_lists: dict[str, _List] = {}


def register(kind: str, page: str) -> None:
    """Add the page, by its URL's name and with a row's number, that shows a subject of this kind."""
    if _pages.setdefault(kind, page) != page:
        raise ValueError(f"the page of subject {kind!r} is registered twice")


def register_list(kind: str, page: str, parameter: str) -> None:
    """Add the list, by its URL's name, that shows a subject such as `drift:open`, which is no single row.

    The subject's name is the value of the list's query parameter.
    """
    added = _List(page, parameter)
    if _lists.setdefault(kind, added) != added:
        raise ValueError(f"the list of subject {kind!r} is registered twice")


def url_of(subject: str) -> str:
    """Return the address of the page or the list that shows the subject; "" where there is none."""
    # A kind may have both: `drift:12` is a row, `drift:open` the inbox.
    if found := _NUMBERED.fullmatch(subject):
        page = _pages.get(found["kind"])
        return reverse(page, args=[int(found["pk"])]) if page else ""
    named = _NAMED.fullmatch(subject)
    shown = _lists.get(named["kind"]) if named else None
    return f"{reverse(shown.page)}?{urlencode({shown.parameter: named['name']})}" if named and shown else ""
