"""The rules of a kind that hold once for a period, however many terms priced it in the period's course.

A hard cap, a minimum, a maximum and the flat fee of an unused kind are those of a whole period. Where several
terms follow each other, those of the last that has any are the period's.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from arcadia_cloud.kernel.periods import Period
from catalog.rating.allowance import Usage
from catalog.rating.exact import ZERO, add, subtract
from catalog.rating.spend import limit_spend
from catalog.values.lines import QuoteLine
from catalog.values.terms import GraduatedPrice, ItemTerms, VolumePrice


def group_by_kind(usages: Sequence[Usage]) -> Iterator[list[Usage]]:
    """Return the usages of each kind, with what holds once for the period shared among them."""
    for _, same_kind in groupby(usages, key=lambda usage: usage.kind):
        found = list(same_kind)
        yield _drop_unused_fees(_share_cap(found)) if len(found) > 1 else found


def limit_spend_of_kind(usages: Sequence[Usage], lines: Sequence[QuoteLine]) -> tuple[QuoteLine, ...]:
    """Raise what the usages of one kind cost together to the minimum, or lower it to the maximum."""
    item = _last_item(usages)
    if item is None:
        return ()
    limited = [line for usage, line in zip(usages, lines, strict=True) if usage.item is not None]
    if len(limited) == 1:
        return limit_spend(item, limited[0])
    amount = ZERO
    days: tuple[Period, ...] = ()
    versions: tuple[str, ...] = ()
    for line in limited:
        amount = add(amount, line.amount.amount)
        days, versions = (*days, *line.days), (*versions, *line.versions)
    # Its own days and versions are those of all that it limits.
    together = msgspec.structs.replace(
        limited[-1],
        amount=limited[-1].amount.with_amount(amount),
        days=days,
        versions=tuple(dict.fromkeys(versions)),
    )
    return limit_spend(item, together)


def _last_item(usages: Sequence[Usage]) -> ItemTerms | None:
    return next((usage.item for usage in reversed(usages) if usage.item is not None), None)


def _share_cap(usages: list[Usage]) -> list[Usage]:
    last = _last_item(usages)
    if last is None or last.hard_cap is None:
        return usages
    left, shared = last.hard_cap, []
    for usage in usages:
        if usage.item is None:
            shared.append(usage)
            continue
        own = usage.item.hard_cap
        cap = left if own is None else min(own, left)
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
        if usage is not last and not usage.used and _has_flat_fee(usage)
        else usage
        for usage in usages
    ]


def _has_flat_fee(usage: Usage) -> bool:
    model = usage.price
    return isinstance(model, (GraduatedPrice, VolumePrice)) and bool(model.tiers[0].flat_fee)
