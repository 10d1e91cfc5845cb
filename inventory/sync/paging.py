"""Reading one of the provider's lists to its end, and judging whether that was all of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import blake2b
from itertools import chain
from typing import Any, Final, TypeVar

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderMalformed
from arcadia_cloud.digitalocean.listing import Listing, Page
from inventory.sync.readings import KEY_BYTES, Position
from inventory.sync.run_records import Progress

T = TypeVar("T")

# By how many pages the place may have moved that a resumed reading looks for.
_PAGES_AROUND: Final = (0, *(step for distance in range(1, 11) for step in (-distance, distance)))


class CountMismatch(ProviderMalformed):
    """A list that didn't give as many distinct items as the provider counts, twice."""


def record_key(record: Any) -> str:  # Any: records share no base with an id; some are known by urn or slug
    """Return the key by which the provider knows a record."""
    for name in ("id", "urn", "slug", "name", "ip"):
        if (value := getattr(record, name, None)) is not None:
            return str(value)
    raise TypeError(f"{type(record).__name__} has no key")


def read_pages(
    cloud: DigitalOcean,
    listing: Listing[T],
    *,
    progress: Progress,
    wanted: Callable[[T], bool] | None = None,
    position: Position | None = None,
) -> Iterator[Page[T]]:
    """Yield the pages of a list, and read it once more when the first reading didn't add up.

    Pages are not a snapshot: items repeat, or slip past between two of them. A reading adds up when it
    gave as many distinct items as the provider counts. Items come again in the second reading.
    With `wanted`, only those items are yielded and counted as seen; all of them must add up all the same.
    `position` is kept up to date; where an earlier run has left it further on, the reading goes on there.
    Raises CountMismatch when the second doesn't add up either, ReadingInterrupted between two pages as
    `progress` decides, ProviderError otherwise.
    """
    place = position or Position(seen_before=progress.seen)
    while True:
        for page in _pages_from(cloud, listing, place):
            keyed = {_hash(item): item for item in page.items}
            items = page.items if wanted is None else [item for item in page.items if wanted(item)]
            new = keyed.keys() - place.distinct
            place.counted += sum(wanted is None or wanted(keyed[key]) for key in new)
            place.distinct |= new
            place.total = page.total
            progress.seen = place.seen
            # How many of a shared list are wanted isn't known before its end.
            progress.expected = (
                None if page.total is None or wanted is not None else place.seen_before + page.total
            )
            progress.pages += 1
            progress.api_calls = cloud.calls - progress.calls_before
            yield replace(page, items=items)
            # Only now: a page that the caller hasn't taken yet would be lost to the run that goes on here.
            place.offset, place.anchor = page.next_offset or 0, frozenset(keyed)
            if place.is_second and place.is_resumed and place.adds_up:
                return
            if page.next_offset is not None:
                progress.assert_may_go_on()
        if place.adds_up:
            return
        if place.is_second:
            raise CountMismatch(
                f"{listing.path} gave {len(place.distinct)} distinct items, but counts {place.total}"
            )
        place.begin_second_reading()
        progress.assert_may_go_on()


def read_all(
    cloud: DigitalOcean,
    listing: Listing[T],
    *,
    progress: Progress | None = None,
    position: Position | None = None,
) -> Iterator[T]:
    """Yield each item of a list once. Raises as `read_pages`."""
    progress = progress or Progress()
    known: set[str] = set()
    for page in read_pages(cloud, listing, progress=progress, position=position):
        for item in page.items:
            if (key := record_key(item)) not in known:
                known.add(key)
                yield item


def _pages_from(cloud: DigitalOcean, listing: Listing[T], place: Position) -> Iterator[Page[T]]:
    """Yield the pages from the place on, wherever it has moved to.

    An item of the last page that was read still has behind it all that wasn't read yet, so the reading goes
    on at the page that has one. Where none of them is found nearby, everything is read again.
    """
    if not place.anchor:
        yield from cloud.pages(listing, offset=place.offset)
        return
    last = (place.offset - 1) // listing.per_page
    for number in (last + step for step in _PAGES_AROUND):
        if number > 0:
            pages = cloud.pages(listing, offset=number * listing.per_page)
            first = next(pages)
            if not place.anchor.isdisjoint(map(_hash, first.items)):
                yield from chain([first], pages)
                return
    yield from cloud.pages(listing)


def _hash(record: object) -> bytes:
    """Return a hash of a record's key, the same in every process."""
    return blake2b(record_key(record).encode(), digest_size=KEY_BYTES).digest()
