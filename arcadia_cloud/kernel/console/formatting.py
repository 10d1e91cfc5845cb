"""Values as an operator reads them: absence, durations, JSON, long texts, links."""

import json
from datetime import datetime, timedelta
from typing import Any, Final

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

NOTHING: Final = "-"
LONGEST_CELL: Final = 120  # characters that a list's cell holds without pushing the others out

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_MOST_HOURS: Final = 48  # beyond them an operator counts in days


def or_nothing(value: object) -> str:
    """Return the value as text, a dash for None and for what is empty."""
    return str(value) if value not in (None, "", [], {}) else NOTHING


def value_text(value: object) -> str:
    """Return a column's value in words, as the log has it: times in UTC to the minute."""
    if isinstance(value, bool):
        return yes_or_no(value)
    return f"{value:%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else or_nothing(value)


def yes_or_no(value: bool) -> str:
    """Return a truth value in words."""
    return "yes" if value else "no"


def at_least(amount: str, unpriced: int) -> str:
    """Mark a sum that `unpriced` resources are not in; an unknown one stays a dash."""
    return f"at least {amount}" if unpriced and amount != NOTHING else amount


def at_most(amount: str, unpriced: int) -> str:
    """Mark what is left of a revenue by a cost that `unpriced` resources are not in."""
    return f"at most {amount}" if unpriced and amount != NOTHING else amount


def shortened(text: str) -> str:
    """Return as much of the text as fits a list's cell."""
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def duration(span: timedelta) -> str:
    """Return a span of time in its two largest units, on one line; a negative one as zero."""
    seconds = max(span.total_seconds(), 0.0)
    minutes, rest = divmod(int(seconds), _MINUTE)
    if seconds < 1:
        words = f"{seconds * 1000:.0f} ms"
    elif seconds < _MINUTE:
        words = f"{seconds:.1f} s"
    elif seconds < _HOUR:
        words = f"{minutes} min {rest} s"
    elif seconds < _MOST_HOURS * _HOUR:
        words = f"{minutes // _MINUTE} h {minutes % _MINUTE} min"
    else:
        words = f"{int(seconds) // _DAY} d {int(seconds) % _DAY // _HOUR} h"
    return words.replace(" ", "\N{NO-BREAK SPACE}")


def with_code(text: str) -> SafeString:
    """Return a text whose names stand in backticks, as a docstring's do, with the names as code."""
    parts = text.split("`")
    return format_html_join(
        "",
        "{}",
        ((format_html("<code>{}</code>", part) if place % 2 else part,) for place, part in enumerate(parts)),
    )


def json_block(value: Any) -> SafeString:  # a JSON value
    """Return a JSON value on its lines."""
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    return format_html('<pre class="console-json">{}</pre>', text)


def link(address: str, text: object) -> SafeString:
    """Return a link to a page of the console."""
    return format_html('<a href="{}" class="text-link">{}</a>', address, text)


def row_link(page: str, pk: int, text: object) -> SafeString:
    """Return a link to a row's page, by the page's name, as `inventory_resource`."""
    return link(reverse(f"admin:{page}_change", args=[pk]), text)


def outside_link(address: str, text: object) -> SafeString:
    """Return a link that opens a page of another site in a new tab."""
    return format_html(
        '<a href="{}" target="_blank" rel="noopener noreferrer" class="text-link">{} (in a new tab)</a>',
        address,
        text,
    )
