"""A REST client for any endpoint of DigitalOcean's API v2: one object, one write, every page of a list."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Self, TypeVar

from django.conf import settings

from arcadia_cloud.digitalocean.decoder import decode_object, decode_page
from arcadia_cloud.digitalocean.errors import ProviderMalformed, ProviderNotFound
from arcadia_cloud.digitalocean.pagination import Listing, Page, next_page_params
from arcadia_cloud.digitalocean.rate_limit.budget import RateBudget
from arcadia_cloud.digitalocean.transport import Transport

T = TypeVar("T")

MOST_PAGES: Final = 10_000  # two million items: no account has them, a list without end does
GIVE_UP_AFTER_SECONDS: Final = 120.0


class RestClient:
    """DigitalOcean's API with one purpose's token (SYNC, BILLING, PROVISIONING). Close it; one per thread.

    Every method raises ProviderUnavailable (try again later), ProviderRejected (don't), ProviderMalformed
    or MissingToken. A GET is repeated here, within `give_up_after` seconds; no other call ever is. `timeout`
    is the longest silence in seconds, by default the setting DO_TIMEOUT_SECONDS. `before_write` is called
    right before each call that isn't a GET, with the seconds that it may take; what it raises stops the call.
    """

    def __init__(
        self,
        purpose: str = "SYNC",
        *,
        base_url: str | None = None,
        budget: RateBudget | None = None,
        timeout: float | None = None,
        give_up_after: float = GIVE_UP_AFTER_SECONDS,
        most_pages: int = MOST_PAGES,
        before_write: Callable[[float], None] | None = None,
    ) -> None:
        base_url = base_url or settings.DO_API_URL
        self.budget = budget or RateBudget(purpose, base_url=base_url)
        self._most_pages = most_pages
        self._transport = Transport(
            purpose,
            base_url=base_url,
            budget=self.budget,
            read_seconds=timeout or settings.DO_TIMEOUT_SECONDS,
            give_up_after=give_up_after,
            before_write=before_write,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    @property
    def calls(self) -> int:
        """HTTP requests made so far, repetitions included."""
        return self._transport.calls

    # --- Any endpoint ----------------------------------------------------------------------------
    def get(self, path: str, record: type[T], *, key: str = "", params: Mapping[str, str] | None = None) -> T:
        """Get one object, found under `key` (or the whole response)."""
        response = self._transport.send("GET", path, params=params)
        return decode_object(response, record, key, call=f"GET {path}")

    def post(self, path: str, record: type[T], *, key: str = "", body: object = None) -> T:
        """Send once. After an error whose `outcome_unknown` is true, look before sending again."""
        response = self._transport.send("POST", path, body=body)
        return decode_object(response, record, key, call=f"POST {path}")

    def put(self, path: str, record: type[T], *, key: str = "", body: object = None) -> T:
        """Replace, once."""
        response = self._transport.send("PUT", path, body=body)
        return decode_object(response, record, key, call=f"PUT {path}")

    def delete(self, path: str) -> None:
        """Delete, once. Raises ProviderNotFound where it is gone already."""
        self._transport.send("DELETE", path)

    def pages(self, listing: Listing[T]) -> Iterator[Page[T]]:
        """Yield every page of a collection. They aren't one snapshot: items may repeat or move between them.

        An empty page ends the list; one past `most_pages` raises ProviderMalformed.
        """
        call = f"GET {listing.path}"
        position = {"page": "1"} if listing.style == "pages" else {}
        size = {} if listing.style == "unpaged" else {"per_page": str(listing.per_page)}
        for number in range(1, self._most_pages + 1):
            try:
                params = {**listing.params, **size, **position}
                response = self._transport.send("GET", listing.path, params=params)
            except ProviderNotFound:
                if listing.missing_is_empty:
                    yield Page([], None, number)
                    return
                raise
            items, envelope = decode_page(response, listing, call=call)
            yield Page(items, envelope.total, number)
            if not items or not envelope.next or listing.style == "unpaged":
                return
            position = next_page_params(envelope.next, position, listing, call=call)
        raise ProviderMalformed(f"the list has more than {self._most_pages} pages", call=call)

    def items(self, listing: Listing[T]) -> Iterator[T]:
        """Yield every item of a collection, page by page."""
        for page in self.pages(listing):
            yield from page.items
