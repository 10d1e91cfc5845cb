"""The one way in: every observation of a resource, from a sync or a saga, is written here.

A batch costs a fixed number of SQL statements, whatever its size, in one transaction. It travels as JSON
parameters, so that nothing depends on a session's temporary tables (PgBouncer hands those to others).

Most of a fleet is as it was. So a batch is told by its digests first, and only what isn't stored just so
travels whole. A batch in which one is new travels whole, too: see `bump.sql` for why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec
from django.db import transaction

from arcadia_cloud.kernel.database import server_binding_cursor
from inventory.attribution.tags import parse
from inventory.observation.digest import digest_of
from inventory.statements import statement
from inventory.values import PROVIDER, Kind, Observation

_BUMP, _OBSERVE, _OWN_ALL_ALONG, _RESPAN = (
    statement(name) for name in ("bump.sql", "observe.sql", "backfill_first_owner.sql", "update_spans.sql")
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who observes, kept on every event: `actor` in words, `source` as `run:12` or `saga:…`."""

    actor: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class ObservationCounts:
    """What one batch did. `seen` counts distinct resources."""

    seen: int = 0
    discovered: int = 0
    updated: int = 0
    restored: int = 0


@dataclass(frozen=True, slots=True)
class ObservationContext:
    """How a batch was looked at.

    `at` is when the provider was asked, on the database's clock: an older look never overwrites a newer
    one. `volatile` names attrs that move by themselves. Unless `bump_unchanged`, an unchanged row is
    touched only when its last bump is an hour old.
    """

    at: datetime
    volatile: Sequence[str] = field(default=())
    bump_unchanged: bool = True


def observe(
    *, kind: Kind, observations: Iterable[Observation], look: ObservationContext, origin: Origin
) -> ObservationCounts:
    """Write what was seen of one kind, and tell what happened in the history.

    New rows are inserted (`discovered`), changed ones updated (`updated`, `tagged`), tombstoned ones
    restored (`restored`); all get `last_seen_at` and no strikes. Repeating a batch writes no event. Safe
    against other observers of the same resources at the same time.
    """
    batch = _sorted_once(observations)
    if not batch:
        return ObservationCounts()
    told: dict[str, Any] = {
        "provider": PROVIDER,
        "kind": str(kind),
        "at": look.at,
        "bump_unchanged": look.bump_unchanged,
    }
    more: dict[str, Any] = {"volatile": list(look.volatile), "actor": origin.actor, "source": origin.source}
    with transaction.atomic(), server_binding_cursor() as cursor:
        cursor.execute(_BUMP, {**told, "marks": _as_json(map(_mark_of, batch)), "size": len(batch)})
        differing, bumped = cursor.fetchone()
        changed = _those(differing, batch) if bumped else batch
        if not changed:
            return ObservationCounts(len(batch))
        cursor.execute(_OBSERVE, {**told, **more, "batch": _as_json(changed)})
        discovered, updated, restored, touched, owned_at_last = cursor.fetchone()
        if owned_at_last:
            cursor.execute(_OWN_ALL_ALONG, {"pks": owned_at_last})
        if touched:
            cursor.execute(_RESPAN, {**told, "batch": _as_json(_those(touched, changed))})
    return ObservationCounts(len(batch), discovered, updated, restored)


class _Mark(msgspec.Struct, omit_defaults=True):
    """What bump.sql needs to know of an observation."""

    provider_id: str
    digest: str | None
    can_attribute: bool
    project_id: int | None = None
    parent_kind: str = ""
    parent_id: str = ""
    tag_tenant: str | None = None
    tag_slug: str | None = None
    tag_objection: str | None = None


_marked = attrgetter(*_Mark.__struct_fields__)


def _mark_of(seen: Observation) -> _Mark:
    return _Mark(*_marked(seen))


def _sorted_once(observations: Iterable[Observation]) -> list[Observation]:
    """Each resource once (pages repeat items; the later one counts), in the order that rows are locked."""
    latest = {seen.provider_id: seen for seen in observations}
    return [_completed(latest[provider_id]) for provider_id in sorted(latest)]


def _completed(seen: Observation) -> Observation:
    seen.tag_tenant, seen.tag_slug, seen.tag_objection = parse(seen.tags)
    seen.digest = digest_of(seen)
    return seen


def _those(provider_ids: Iterable[str], batch: list[Observation]) -> list[Observation]:
    wanted = set(provider_ids)
    return [seen for seen in batch if seen.provider_id in wanted]


def _as_json(values: Iterable[Any]) -> str:
    return msgspec.json.encode(list(values)).decode()
