"""Reading one of the provider's lists to its end, and judging whether that was all of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderMalformed
from arcadia_cloud.digitalocean.listing import Listing, Page
from inventory.sync.run_records import Progress

T = TypeVar("T")


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
) -> Iterator[Page[T]]:
    """Yield the pages of a list, and read it once more when the first reading didn't add up.

    Pages are not a snapshot: items repeat, or slip past between two of them. A reading adds up when it
    gave as many distinct items as the provider counts. Items come again in the second reading.
    With `wanted`, only those items are yielded and counted as seen; all of them must add up all the same.
    Raises ProviderMalformed when the second doesn't add up
    either, ProviderError otherwise.
    """
    seen_before = progress.seen
    for _ in range(2):
        # Hashes, not ids: a hundred thousand of them stay small.
        distinct: set[int] = set()
        counted: set[int] = set()
        total: int | None = None
        for page in cloud.pages(listing):
            distinct.update(hash(record_key(item)) for item in page.items)
            total = page.total
            items = page.items if wanted is None else [item for item in page.items if wanted(item)]
            counted.update(hash(record_key(item)) for item in items)
            progress.seen = seen_before + len(counted)
            # How many of a shared list are wanted isn't known before its end.
            progress.expected = None if total is None or wanted is not None else seen_before + total
            progress.pages += 1
            progress.api_calls = cloud.calls - progress.calls_before
            yield replace(page, items=items)
        if total is None or len(distinct) == total:
            return
    raise ProviderMalformed(f"{listing.path} gave {len(distinct)} distinct items, but counts {total}")


def read_all(cloud: DigitalOcean, listing: Listing[T], *, progress: Progress | None = None) -> Iterator[T]:
    """Yield each item of a list once. Raises as `read_pages`."""
    progress = progress or Progress()
    known: set[str] = set()
    for page in read_pages(cloud, listing, progress=progress):
        for item in page.items:
            if (key := record_key(item)) not in known:
                known.add(key)
                yield item
