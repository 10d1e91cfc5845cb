"""Expected and actual values side by side, with what differs marked."""

import json
from collections.abc import Callable
from typing import Any, Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from arcadia_cloud.kernel.console.formatting import shortened
from drift.models import Drift
from drift.values import EXISTS

_PLAIN: Final = "{}"
_MISSING: Final = "<ins>{}</ins>"
_SURPLUS: Final = "<del>{}</del>"
_NOTHING: Final = "nothing"


def as_text(value: Any) -> str:
    """Return a JSON value as an operator reads it."""
    if value in (None, "", [], {}):
        return _NOTHING
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def expected_and_actual(
    drift: Drift, *, shorten: Callable[[str], str] = shortened
) -> tuple[SafeString, SafeString]:
    """Return both values; of lists and objects only what differs is marked."""
    if drift.field == EXISTS:
        return format_html(_PLAIN, "exists"), format_html(_SURPLUS, "gone")
    parts = _parts(drift.expected), _parts(drift.actual)
    return (
        _marked(parts[0], parts[1], _MISSING, shorten),
        _marked(parts[1], parts[0], _SURPLUS, shorten),
    )


def _parts(value: Any) -> list[str]:
    """Return what is compared one by one: a list's items, an object's entries, or the value itself."""
    if isinstance(value, list) and value:
        return sorted(map(as_text, value))
    if isinstance(value, dict) and value:
        return [f"{name}: {as_text(each)}" for name, each in sorted(value.items())]
    return [as_text(value)]


def _marked(own: list[str], other: list[str], mark: str, shorten: Callable[[str], str]) -> SafeString:
    # As sets: neither order nor repetition is a difference.
    known = set(other)
    lines = (format_html(_PLAIN if part in known else mark, shorten(part)) for part in own)
    return format_html_join("", "<div>{}</div>", ((line,) for line in lines))
