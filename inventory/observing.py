"""The one way in: every observation of a resource, from a sync or a saga, is written here.

A batch costs a fixed number of SQL statements, whatever its size, in one transaction. It travels as one
JSON parameter, so that nothing depends on a session's temporary tables (PgBouncer hands those to others).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from arcadia_cloud.kernel.database import binding_cursor
from inventory.claims import claim_of
from inventory.statements import statement
from inventory.values import PROVIDER, Kind, Observation

_OBSERVE = statement("observe.sql")
_RESPAN = tuple(statement(name) for name in ("close_spans.sql", "correct_spans.sql", "open_spans.sql"))


@dataclass(frozen=True, slots=True)
class Origin:
    """Who observes, kept on every event: `actor` in words, `source` as `run:12` or `saga:…`."""

    actor: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """What one batch did. `seen` counts distinct resources."""

    seen: int = 0
    discovered: int = 0
    updated: int = 0
    restored: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """How a batch was looked at.

    `at` is when the provider was asked, on the database's clock: an older look never overwrites a newer
    one. `volatile` names attrs that move by themselves. Unless `bump_unchanged`, an unchanged row is
    touched only when its last bump is an hour old.
    """

    at: datetime
    volatile: Sequence[str] = field(default=())
    bump_unchanged: bool = True


def observe(*, kind: Kind, observations: Iterable[Observation], look: Look, origin: Origin) -> Observed:
    """Write what was seen of one kind, and tell what happened in the history.

    New rows are inserted (`discovered`), changed ones updated (`updated`, `tagged`), tombstoned ones
    restored (`restored`); all get `last_seen_at` and no strikes. Repeating a batch writes no event. Safe
    against other observers of the same resources at the same time.
    """
    batch = _sorted_once(observations)
    if not batch:
        return Observed()
    parameters: dict[str, Any] = {
        "provider": PROVIDER,
        "kind": str(kind),
        "batch": _as_json(batch),
        "at": look.at,
        "volatile": list(look.volatile),
        "bump_unchanged": look.bump_unchanged,
        "actor": origin.actor,
        "source": origin.source,
    }
    with transaction.atomic(), binding_cursor() as cursor:
        cursor.execute(_OBSERVE, parameters)
        discovered, updated, restored, touched = cursor.fetchone()
        if touched:
            changed = set(touched)
            parameters["batch"] = _as_json([seen for seen in batch if seen.provider_id in changed])
            for respan in _RESPAN:
                cursor.execute(respan, parameters)
    return Observed(len(batch), discovered, updated, restored)


def _sorted_once(observations: Iterable[Observation]) -> list[Observation]:
    """Each resource once (pages repeat items; the later one counts), in the order that rows are locked."""
    latest = {seen.provider_id: seen for seen in observations}
    return [_with_claim(latest[provider_id]) for provider_id in sorted(latest)]


def _with_claim(seen: Observation) -> Observation:
    seen.tag_tenant, seen.tag_slug, seen.tag_objection = claim_of(seen.tags)
    return seen


def _as_json(batch: list[Observation]) -> str:
    return msgspec.json.encode(batch).decode()
