"""Readings of a list: how far one has come, and the place at which a later run goes on.

A list may need more calls than an hour has, and a worker may be stopped in the middle. Lists move meanwhile:
what is added or deleted in front of the place shifts everything behind it by so many. So the place is found
again by the items of the last page that was read, and what the whole reading saw is counted together.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db.models.functions import Now

from arcadia_cloud.kernel.database import retry_while_database_is_down
from arcadia_cloud.kernel.errors import DomainError
from inventory.models import UnfinishedReading
from inventory.values import STALE_SLOW_AFTER

KEY_BYTES: Final = 8  # of an item's hash: a million of them stay small


class ReadingInterrupted(DomainError):
    """The reading was stopped between two pages; `is_short_of_calls`: for want of calls."""

    code = "reading_interrupted"

    def __init__(self, detail: str, *, is_short_of_calls: bool = False) -> None:
        super().__init__(detail)
        self.is_short_of_calls = is_short_of_calls


@dataclass(slots=True)
class Position:
    """The place that a reading has reached: `offset` items of the list with the index `listing`.

    `distinct` are the hashes of what was read of that list, `anchor` of those on its last page. `counted` are
    the items that the kind wanted among them, `seen_before` those of earlier lists. `total` is the provider's
    count. `is_second`: the first reading of the list didn't add up.
    """

    listing: int = 0
    offset: int = 0
    is_second: bool = False
    is_resumed: bool = False
    seen_before: int = 0
    counted: int = 0
    total: int | None = None
    distinct: set[bytes] = field(default_factory=set)
    anchor: frozenset[bytes] = frozenset()

    @property
    def seen(self) -> int:
        return self.seen_before + self.counted

    @property
    def can_be_resumed(self) -> bool:
        return self.offset > 0 or self.is_second or self.listing > 0

    @property
    def adds_up(self) -> bool:
        """Whether as many distinct items were read as the provider counts.

        A reading of more than one run may have more: what was deleted after it was read isn't counted.
        """
        if self.total is None:
            return True
        return len(self.distinct) == self.total or (self.is_resumed and len(self.distinct) > self.total)

    def begin_listing(self, listing: int) -> None:
        """Go on to the beginning of another list."""
        self.seen_before = self.seen
        self.listing, self.is_second, self.is_resumed = listing, False, False
        self._rewind(forget=True)

    def begin_second_reading(self) -> None:
        """Go back to the beginning of the list.

        What a resumed reading has seen goes on counting: it ends as soon as nothing is missing any more.
        """
        self.is_second = True
        self._rewind(forget=not self.is_resumed)

    def _rewind(self, *, forget: bool) -> None:
        self.offset, self.anchor = 0, frozenset()
        if forget:
            self.counted = 0
            self.distinct = set()


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading that began at `began_at`, maybe in an earlier run; `calls` are those of earlier runs."""

    began_at: datetime
    calls: int = 0
    position: Position = field(default_factory=Position)

    @property
    def is_resumed(self) -> bool:
        return self.calls > 0


def load_reading(name: str, *, at: datetime) -> Reading:
    """Return the unfinished reading of this name, to go on with; a new one where there is none.

    One that was left for more than a day is begun anew.
    """
    row = UnfinishedReading.objects.filter(name=name, updated_at__gt=at - STALE_SLOW_AFTER).first()
    if row is None:
        return Reading(at)
    position = Position(
        listing=row.listing,
        offset=row.offset,
        is_second=row.is_second,
        is_resumed=row.offset > 0 or row.is_second,
        seen_before=row.seen_before,
        counted=row.counted,
        distinct=set(_unpack(bytes(row.distinct))),
        anchor=frozenset(_unpack(bytes(row.anchor))),
    )
    return Reading(row.began_at, row.calls, position)


def store_reading(name: str, reading: Reading, *, calls: int) -> None:
    """Store where a later run goes on; `calls` are those of this run."""
    position = reading.position
    values = {
        "began_at": reading.began_at,
        "updated_at": Now(),
        "calls": reading.calls + calls,
        "listing": position.listing,
        "offset": position.offset,
        "is_second": position.is_second,
        "seen_before": position.seen_before,
        "counted": position.counted,
        "distinct": b"".join(position.distinct),
        "anchor": b"".join(position.anchor),
    }
    retry_while_database_is_down(
        lambda: UnfinishedReading.objects.update_or_create(name=name, defaults=values)
    )


def unfinished_readings(prefix: str) -> set[str]:
    """Return the names of unfinished readings that begin so."""
    return set(UnfinishedReading.objects.filter(name__startswith=prefix).values_list("name", flat=True))


def drop_reading(name: str) -> None:
    """Forget the place: the list was read to its end, or has to be read anew."""
    retry_while_database_is_down(lambda: UnfinishedReading.objects.filter(name=name).delete())


def _unpack(packed: bytes) -> list[bytes]:
    return [packed[start : start + KEY_BYTES] for start in range(0, len(packed), KEY_BYTES)]
