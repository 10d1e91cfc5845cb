"""From a page of the provider's, as it goes over the wire, to what was seen."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from arcadia_cloud.digitalocean.decoder import decode_page
from arcadia_cloud.digitalocean.responses import ApiResponse
from inventory.kinds.spec import KindSpec
from inventory.values import Observation

NYC3 = {"name": "New York 3", "slug": "nyc3", "sizes": [], "features": [], "available": True}
MADE = "2026-03-01T17:00:49Z"
MADE_AT = datetime(2026, 3, 1, 17, 0, 49, tzinfo=UTC)


def records(entry: KindSpec, *items: dict[str, Any]) -> list[Any]:
    """The items decoded as the entry's first list does, those that are of the kind."""
    listing = entry.listings[0]
    answer = ApiResponse(200, msgspec.json.encode({listing.key: list(items), "links": {}, "meta": {}}))
    found, _ = decode_page(answer, listing, call="")
    return [record for record in found if entry.wanted is None or entry.wanted(record)]


def seen(entry: KindSpec, item: dict[str, Any]) -> Observation:
    """Map one item."""
    (record,) = records(entry, item)
    return entry.to_observation(record)
