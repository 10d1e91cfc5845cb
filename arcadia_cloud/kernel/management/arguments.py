"""Types of commands' options, for argparse. Each raises ArgumentTypeError, which names text and rule."""

from argparse import ArgumentTypeError
from datetime import UTC, date, datetime

from arcadia_cloud.kernel.periods import Period, parse_month


def parse_month_argument(text: str) -> Period:
    """Read a month, as `2026-04`."""
    try:
        return parse_month(text)
    except ValueError as refusal:
        raise ArgumentTypeError(f"{text!r}: {refusal}") from refusal


def parse_day_argument(text: str) -> date:
    """Read a day, as `2026-04-30`."""
    try:
        return date.fromisoformat(text)
    except ValueError as refusal:
        raise ArgumentTypeError(f"{text!r} is no day, such as 2026-04-30") from refusal


def parse_instant_argument(text: str) -> datetime:
    """Read an instant, as `2026-04-30T02:00`; without a zone it is UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as refusal:
        raise ArgumentTypeError(f"{text!r} is no time, such as 2026-04-30T02:00") from refusal
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
