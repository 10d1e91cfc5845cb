"""Spans: the stretches of a resource's life that metering counts, and every statement that writes them.

- `observe.sql` opens the first span, with the row.
- `update_spans.sql` ends a span and opens the next when a metered fact changed, or after a restoration.
- `backfill_first_owner.sql` gives all spans to the first owner that was ever decided.
- `close_previous_owner_spans.sql` and `open_new_owner_spans.sql` follow an assignment or a re-attribution.
- `tombstone.sql` ends the last span where the resource was last seen.
- `disown_spans.sql` takes all spans from their owner: a rolled-back saga leaves no usage.

Each runs in the transaction that writes the resource, under its row's lock: spans have no locks of their own.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from arcadia_cloud.kernel.sql import execute, load
from inventory.values import PROVIDER, Kind

_UPDATE: Final = load(__package__, "update_spans.sql")
_BACKFILL: Final = load(__package__, "backfill_first_owner.sql")
_CLOSE: Final = load(__package__, "close_previous_owner_spans.sql")
_OPEN: Final = load(__package__, "open_new_owner_spans.sql")
_DISOWN: Final = load(__package__, "disown_spans.sql")


def update_spans(*, kind: Kind, batch: str, at: datetime) -> None:
    """End and open spans where the observations in `batch`, a JSON array, differ from the open ones."""
    # After the rows are written and under their locks: it compares spans with what the rows hold now.
    execute(_UPDATE, {"provider": PROVIDER, "kind": str(kind), "batch": batch, "at": at})


def backfill_first_owner(pks: Sequence[int]) -> None:
    """Give every span of these resources to their owner, unless a span of theirs has one."""
    execute(_BACKFILL, {"pks": list(pks)})


def split_spans_at_new_owner(pks: Sequence[int], *, at: datetime) -> None:
    """End the open spans of resources whose owner changed at `at`, and open the new owner's."""
    # In this order: the new spans begin where the old ones were just ended.
    execute(_CLOSE, {"pks": list(pks), "at": at})
    execute(_OPEN, {"pks": list(pks), "at": at})


def disown_spans(*, kind: Kind, provider_id: str) -> None:
    """Take every span of a resource from its owner, so that no tenant is metered for its life.

    For what was made and removed again by one saga: what it cost is the operator's. Does nothing for a
    resource that isn't known, and nothing the second time.
    """
    execute(_DISOWN, {"provider": PROVIDER, "kind": str(kind), "provider_id": provider_id})
