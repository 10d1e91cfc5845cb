"""The sentence that states an anomaly's cause. Pure: it reads nothing."""

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from arcadia_cloud.kernel.money import Money, format_money
from arcadia_cloud.kernel.scoping import OPERATOR_PREFIX
from billing.values import CausePart
from inventory.values import PROVIDER_CURRENCY

Size = tuple[str, Decimal | None]  # a sku, and GiB where it is sold by size
_WORDS: Final = {
    CausePart.CREATED: "created",
    CausePart.RESTORED: "restored",
    CausePart.GAINED: "attached",
    CausePart.LOST: "detached",
    CausePart.GONE: "gone",
    CausePart.CHANGED: "changed",
    CausePart.RESIZED: "resized",
}


def format_dollars(amount: Decimal) -> str:
    """Format dollars to the cent, without a sign where there is none."""
    return format_money(Money(amount, PROVIDER_CURRENCY))


def format_change(amount: Decimal) -> str:
    """Format a change in dollars to the cent, always with its sign."""
    return f"{'-' if amount < 0 else '+'}{format_dollars(abs(amount))}"


def format_percent(part: Decimal, whole: Decimal) -> str:
    """Return a change in whole percent with its sign; "new" where there was nothing to compare with."""
    if not whole:
        return "new"
    percent = (part * 100 / whole).to_integral_value(ROUND_HALF_UP)
    return f"{'-' if percent < 0 else '+'}{abs(percent):,} %"


def describe_change(cause: CausePart, old: Size | None, now: Size | None) -> str:
    """Return what happened to a resource, as `resized s-1vcpu-2gb → s-2vcpu-4gb`."""
    words = _WORDS[cause]
    if cause == CausePart.RESIZED and old and now:
        if old[0] != now[0]:
            return f"{words} {old[0]} → {now[0]}"
        return f"{words} {_format_size(old[1])} → {_format_size(now[1])}"
    return words


def describe_origin(*, actor: str, saga_id: int | None, run_id: int | None, is_known: bool) -> str:
    """Return by whom and where it was done; a sync has only seen what was done at the provider."""
    if not is_known:
        return " (no event of it is stored)"
    if saga_id is not None:
        return f" by {actor.removeprefix(OPERATOR_PREFIX)} in saga {saga_id}"
    if run_id is not None:
        return f" at DigitalOcean, seen by sync {run_id}"
    return f" by {actor.removeprefix(OPERATOR_PREFIX)}"


def describe_anomaly(
    *, subject: str, amount: Decimal, expected: Decimal, since: date, parts: Iterable[tuple[str, Decimal]]
) -> str:
    """Return the sentence on the cost: how much, since when, and each part of it."""
    difference = amount - expected
    named = "; ".join(f"{text} ({format_change(part)})" for text, part in parts)
    percent = format_percent(difference, expected)
    head = f"Cost of {subject} {percent} ({format_change(difference)} a day) since {since:%-d %B}"
    return f"{head}: {named}." if named else f"{head}."


def describe_revenue(percent: int | None, *, cost_rose: bool, least: int) -> str:
    """Return the sentence on revenue; both rose, where it leapt with the cost."""
    if percent is None:
        return "Revenue is new."
    is_leap = cost_rose and percent >= least
    return f"Revenue {percent:+d} %{', too: both rose' if is_leap else ''}."


def _format_size(size: Decimal | None) -> str:
    return "no size" if size is None else f"{size.normalize():f} GiB"
