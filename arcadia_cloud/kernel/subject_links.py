"""Pages of the console by the subjects that they show: a registry that apps fill from `AppConfig.ready()`.

Alerts and history name things as `saga:12`; the kernel and the lower apps don't know what a saga is.
"""

import re
from typing import Final

from django.urls import reverse

_NUMBERED: Final = re.compile(r"(?P<kind>[a-z_]+):(?P<pk>[0-9]{1,18})")
_pages: dict[str, str] = {}


def register(kind: str, page: str) -> None:
    """Add the page, by its URL's name and with a row's number, that shows a subject of this kind."""
    if _pages.setdefault(kind, page) != page:
        raise ValueError(f"the page of subject {kind!r} is registered twice")


def url_of(subject: str) -> str:
    """Return the address of the page that shows the subject; "" where there is none."""
    found = _NUMBERED.fullmatch(subject)
    page = _pages.get(found["kind"]) if found else None
    return reverse(page, args=[int(found["pk"])]) if found and page else ""
