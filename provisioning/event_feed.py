"""The feed of events of tenants' resources, deployments and sagas, in one order for all readers.

A reader hands back the position of the last event that it has, and gets what comes after it. For nothing to
be lost, no event may come to be seen before that position later on. Ids don't give that: two transactions
take 7 and 8, the second commits first, a reader takes 8 and never sees 7. So the order is (transaction, id),
and a transaction's events are shown once all transactions that are older have ended. One that stays open for
long holds the feed back for as long; it loses nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection

from arcadia_cloud.kernel.errors import InvalidInput
from arcadia_cloud.kernel.retention import delete_in_batches
from arcadia_cloud.kernel.scoping import Viewer
from arcadia_cloud.kernel.sql import execute, fetch_all, load
from deployments.models import DeploymentEvent
from inventory.models import ResourceEvent
from inventory.queries import changes_for_tenant
from provisioning.models import FeedEvent, FeedSubject, SagaRun

_READ: Final = load(__package__, "read_event_feed.sql")
_RENUMBER: Final = load(__package__, "renumber_event_feed.sql")


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """A place in the feed: after the event `event_id` of a transaction."""

    transaction_id: int = 0
    event_id: int = 0

    @classmethod
    def parse(cls, text: str) -> "FeedPosition":
        """Read a position from its text. Raises ValueError."""
        transaction_id, event_id = text.split(".")
        return cls(int(transaction_id), int(event_id))

    def __str__(self) -> str:
        return f"{self.transaction_id}.{self.event_id}"


@dataclass(frozen=True, slots=True)
class _FeedRow:
    id: int
    transaction_id: int
    tenant_id: str
    subject: str
    subject_id: int
    event_type: str
    source_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """An event as a reader gets it. `details` depend on `subject`."""

    id: int
    tenant_id: str
    subject: str
    subject_id: int
    event_type: str
    at: datetime
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some events in order, the position after them, and whether there are more at once."""

    entries: Sequence[FeedEntry]
    position: FeedPosition
    has_more: bool


def read_feed(*, viewer: Viewer, after: FeedPosition, limit: int) -> FeedPage:
    """Return the next events that the viewer may see: an operator every tenant's, a tenant its own.

    Raises InvalidInput for a position that this database can't have given out: it was restored from a backup.
    """
    _require_own_position(after)
    rows = fetch_all(
        _READ,
        {
            "tenant_id": None if viewer.is_operator else viewer.tenant_id,
            "transaction_id": after.transaction_id,
            "id": after.event_id,
            "most": limit + 1,  # one more shows whether there are more
        },
        into=_FeedRow,
    )
    page = rows[:limit]
    # Where nothing came the position stays: what is yet to be shown comes after it all the same.
    position = FeedPosition(page[-1].transaction_id, page[-1].id) if page else after
    details = _read_details(page, for_operator=viewer.is_operator)
    entries = [
        FeedEntry(
            id=row.id,
            tenant_id=row.tenant_id,
            subject=row.subject,
            subject_id=row.subject_id,
            event_type=row.event_type,
            at=row.at,
            details=details.get((row.subject, row.source_id or row.subject_id), {}),
        )
        for row in page
    ]
    return FeedPage(entries, position, has_more=len(rows) > limit)


def delete_old_feed_events(*, at: datetime) -> int:
    """Delete events older than ARCADIA_EVENT_FEED_DAYS; return how many. Histories keep theirs."""
    kept_from = at - timedelta(days=settings.ARCADIA_EVENT_FEED_DAYS)
    # In the order of the feed, which the times follow closely enough.
    return delete_in_batches(FeedEvent.objects.filter(at__lt=kept_from).order_by("pk"))


def renumber_feed() -> None:
    """Put every event before those to come, in a database whose transactions are numbered anew."""
    execute(_RENUMBER)


def _require_own_position(position: FeedPosition) -> None:
    # A cursor of the lost server may lie far ahead: its reader would get nothing, without a word.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        (next_transaction,) = cursor.fetchone()
    if position.transaction_id > next_transaction:
        rule = "Not of this database, which was restored from a backup; start again without."
        raise InvalidInput("the cursor can't be used any more", errors={"cursor": [rule]})


def _read_details(
    rows: Sequence[_FeedRow], *, for_operator: bool
) -> Mapping[tuple[str, int], dict[str, Any]]:
    """Read what the histories have on these events: three queries for any number of them."""
    sources = {
        subject: {row.source_id or row.subject_id for row in rows if row.subject == subject}
        for subject in FeedSubject
    }
    found: dict[tuple[str, int], dict[str, Any]] = {}
    changed = ResourceEvent.objects.filter(pk__in=sources[FeedSubject.RESOURCE])
    for pk, changes, kind, name in changed.values_list("pk", "changes", "resource__kind", "resource__name"):
        shown = changes if for_operator else changes_for_tenant(changes)
        found[FeedSubject.RESOURCE, pk] = {"kind": kind, "name": name, "changes": shown}
    moved = DeploymentEvent.objects.filter(pk__in=sources[FeedSubject.DEPLOYMENT])
    for event in moved.select_related("deployment"):
        found[FeedSubject.DEPLOYMENT, event.pk] = {
            "slug": event.deployment.slug,
            "from": event.from_value,
            "to": event.to_value,
            "reason": event.reason,
        }
    sagas = SagaRun.objects.filter(pk__in=sources[FeedSubject.SAGA])
    for pk, kind, deployment in sagas.values_list("pk", "kind", "deployment_id"):
        found[FeedSubject.SAGA, pk] = {"kind": kind, "deployment_id": deployment}
    return found
