"""The rules of a kind that hold once for a period, however many terms priced it in the period's course.

A hard cap, a minimum, a maximum and the flat fee of an unused kind are those of a whole period. Where several
terms that have one follow each other, the last is the period's; one that is alone limits its own line.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from arcadia_cloud.kernel.periods import Period
from catalog.rating.allowance import Usage
from catalog.rating.exact import ZERO, add, subtract
from catalog.rating.spend import limit_spend
from catalog.values.lines import QuoteLine
from catalog.values.terms import GraduatedPrice, VolumePrice


def group_by_kind(usages: Sequence[Usage]) -> Iterator[list[Usage]]:
    """Return the usages of each kind, with what holds once for the period shared among them."""
    for _, same_kind in groupby(usages, key=lambda usage: usage.kind):
        found = list(same_kind)
        yield _drop_unused_fees(_share_cap(found)) if len(found) > 1 else found


def limit_spend_of_kind(usages: Sequence[Usage], lines: Sequence[QuoteLine]) -> list[QuoteLine]:
    """Return the lines of one kind with its minimum or maximum, which several that have one share.

    Terms without a limit beside one set that has some are no part of it: that limits its own line alone.
    """
    found: list[QuoteLine] = []
    amount = ZERO
    days: tuple[Period, ...] = ()
    versions: tuple[str, ...] = ()
    last = next((usage for usage in reversed(usages) if _is_limited(usage)), None)
    for usage, line in zip(usages, lines, strict=True):
        found.append(line)
        if usage.item is None or not _is_limited(usage):
            continue
        amount = add(amount, line.amount.amount)
        days, versions = (*days, *line.days), (*versions, *line.versions)
        if usage is last:
            together = msgspec.structs.replace(
                line,
                amount=line.amount.with_amount(amount),
                days=days,
                versions=tuple(dict.fromkeys(versions)),
            )
            found += limit_spend(usage.item, together)
    return found


def _is_limited(usage: Usage) -> bool:
    item = usage.item
    return item is not None and (item.minimum is not None or item.maximum is not None)


def _share_cap(usages: list[Usage]) -> list[Usage]:
    capped = [usage.item.hard_cap for usage in usages if usage.item and usage.item.hard_cap is not None]
    if len(capped) < 2:  # noqa: PLR2004 - one has it for itself
        return usages
    left, shared = capped[-1], []
    for usage in usages:
        if usage.item is None or usage.item.hard_cap is None:
            shared.append(usage)
            continue
        cap = min(usage.item.hard_cap, left)
        item = msgspec.structs.replace(usage.item, hard_cap=cap)
        shared.append(msgspec.structs.replace(usage, item=item))
        # In order of time: what was used first has the room.
        left = subtract(left, min(usage.used, cap))
    return shared


def _drop_unused_fees(usages: list[Usage]) -> list[Usage]:
    """Leave the first tier's flat fee of what wasn't used to the last terms, and only if nothing was."""
    last = usages[-1] if not any(usage.used for usage in usages) else None
    return [
        msgspec.structs.replace(usage, price=None)
        if usage is not last
        and not usage.used
        and isinstance(usage.price, (GraduatedPrice, VolumePrice))
        and usage.price.tiers[0].flat_fee
        else usage
        for usage in usages
    ]
