"""The one upsert path: every observation of a resource, from a sync or a saga, is written here.

A batch costs a fixed number of SQL statements, whatever its size, in one transaction. It travels as JSON
parameters, so that nothing depends on a session's temporary tables (PgBouncer hands those to others).

Most of a fleet is as it was. So a batch is first sent as fingerprints, and only the observations that aren't
stored just so travel whole. A batch in which one is new travels whole, too: see `bump.sql` for why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, cast

import msgspec
from django.db import transaction
from msgspec.structs import replace

from arcadia_cloud.kernel.sql import fetch_one, load
from inventory.attribution.tags import parse, resolve_tenants
from inventory.observation.digest import digest_of
from inventory.observation.spans import backfill_first_owner, update_spans
from inventory.values import PROVIDER, Kind, Observation

_BUMP: Final = load(__package__, "bump.sql")
_OBSERVE: Final = load(__package__, "observe.sql")


@dataclass(frozen=True, slots=True)
class Origin:
    """The actor of an observation and its `source`, as `run:12` or `saga:…`; both are on every event."""

    actor: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class ObservationCounts:
    """The result of one batch. `seen` counts distinct resources."""

    seen: int = 0
    discovered: int = 0
    updated: int = 0
    restored: int = 0


@dataclass(frozen=True, slots=True)
class ObservationContext:
    """The circumstances of a batch.

    `at` is when the provider was asked, by the database's clock: an older observation never overwrites a
    newer one. `volatile` names attrs that move by themselves. Unless `bump_unchanged`, an unchanged row is
    touched only when its last bump is an hour old. `project_asked_at` is when the provider was asked which
    project has what, where that was earlier. `ids_recur`: under a tombstone's id another thing may come.
    """

    at: datetime
    volatile: Sequence[str] = field(default=())
    bump_unchanged: bool = True
    project_asked_at: datetime | None = None
    ids_recur: bool = False


@dataclass(frozen=True, slots=True)
class _BumpRow:
    differing: list[str]
    known: int


@dataclass(frozen=True, slots=True)
class _ObserveRow:
    discovered: int
    updated: int
    restored: int
    touched: list[str]
    first_owned: list[int]


class _Fingerprint(msgspec.Struct, omit_defaults=True):
    """The fields of an observation that bump.sql compares."""

    provider_id: str
    digest: str | None
    can_attribute: bool
    project_id: int | None = None
    parent_kind: str = ""
    parent_id: str = ""
    tag_tenant: str | None = None
    tag_slug: str | None = None
    tag_conflict: str | None = None


_compared_fields = attrgetter(*_Fingerprint.__struct_fields__)


def observe(
    *, kind: Kind, observations: Iterable[Observation], context: ObservationContext, origin: Origin
) -> ObservationCounts:
    """Write what was seen of one kind, and record in the history what happened.

    New rows are inserted (`discovered`), changed ones updated (`updated`, `tagged`), tombstoned ones
    restored (`restored`); all get `last_seen_at` and no strikes. Repeating a batch writes no event. Safe
    against other observers of the same resources at the same time.
    """
    # Pages repeat items: the later one counts. Sorted, since that is the order in which rows are locked.
    latest = {seen.provider_id: seen for seen in observations}
    if not latest:
        return ObservationCounts()
    batch = _complete([latest[provider_id] for provider_id in sorted(latest)])
    common: dict[str, Any] = {
        "provider": PROVIDER,
        "kind": str(kind),
        "at": context.at,
        "bump_unchanged": context.bump_unchanged,
        "project_at": context.project_asked_at or context.at,
    }
    with transaction.atomic():
        fingerprints = _as_json(_Fingerprint(*_compared_fields(seen)) for seen in batch)
        bumped = fetch_one(_BUMP, {**common, "fingerprints": fingerprints, "size": len(batch)}, into=_BumpRow)
        # Where one was new, bump.sql has locked nothing, and the whole batch is written in its one order.
        changed = _select(bumped.differing, batch) if bumped is not None and bumped.known else batch
        if not changed:
            return ObservationCounts(len(batch))
        parameters = {
            **common,
            "ids_recur": context.ids_recur,
            "volatile": list(context.volatile),
            "actor": origin.actor,
            "source": origin.source,
            "batch": _as_json(changed),
        }
        written = cast("_ObserveRow", fetch_one(_OBSERVE, parameters, into=_ObserveRow))  # an aggregate's
        if written.first_owned:
            backfill_first_owner(written.first_owned)
        if written.touched:
            update_spans(kind=kind, batch=_as_json(_select(written.touched, changed)), at=context.at)
    return ObservationCounts(len(batch), written.discovered, written.updated, written.restored)


def _complete(batch: list[Observation]) -> list[Observation]:
    """Add what follows from the observations themselves: what their tags name, and their digests."""
    named = [parse(seen.tags) for seen in batch]
    spelled = resolve_tenants(named)
    return [
        replace(
            seen,
            tag_tenant=spelled.get(tags.tenant or "", tags.tenant),
            tag_slug=tags.slug,
            tag_conflict=tags.conflict,
            digest=digest_of(seen),
        )
        for seen, tags in zip(batch, named, strict=True)
    ]


def _select(provider_ids: Iterable[str], batch: list[Observation]) -> list[Observation]:
    wanted = set(provider_ids)
    return [seen for seen in batch if seen.provider_id in wanted]


def _as_json(values: Iterable[Any]) -> str:
    return msgspec.json.encode(list(values)).decode()
