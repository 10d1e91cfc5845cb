"""A REST client for any endpoint of DigitalOcean's API v2: one object, one write, every page of a list."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Self, TypeVar

import structlog
from django.conf import settings

from arcadia_cloud.digitalocean.decoder import decode_object, decode_page
from arcadia_cloud.digitalocean.errors import ProviderMalformed, ProviderNotFound, ProviderUnavailable
from arcadia_cloud.digitalocean.listing import Listing, Page, next_page_params
from arcadia_cloud.digitalocean.rate_limit.budget import RateBudget
from arcadia_cloud.digitalocean.records import AccountRecord
from arcadia_cloud.digitalocean.responses import ApiResponse, is_too_heavy
from arcadia_cloud.digitalocean.transport import Transport

T = TypeVar("T")
log = structlog.get_logger(__name__)

MOST_PAGES: Final = 10_000  # two million items: no account has them, a list without end does
GIVE_UP_AFTER_SECONDS: Final = 120.0
SMALLEST_PAGE: Final = 25  # of a list whose larger pages are too heavy


class RestClient:
    """DigitalOcean's API with the token of one purpose: see `api_token`. Close it; one per thread.

    Every method raises ProviderUnavailable (try again later), ProviderRejected (don't), ProviderMalformed or
    MissingToken; WrongAccount before anything is sent with another account's token. A GET is repeated here,
    within `give_up_after` seconds; no other call ever is. `timeout` is the longest silence in seconds, by
    default the setting DO_TIMEOUT_SECONDS. `before_write` is called right before each call that isn't a GET,
    with the seconds that it may take; what it raises stops the call.
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

    def verify_account(self) -> AccountRecord:
        """Ask for the token's account and check that it is ours, whatever was checked before.

        Each token is checked before its first use anyhow. Raises WrongAccount.
        """
        return self._transport.verify_account()

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

    def pages(self, listing: Listing[T], *, offset: int = 0) -> Iterator[Page[T]]:
        """Yield every page of a collection. They aren't one snapshot: items may repeat or move between them.

        With `offset` those from the page on that holds the item behind so many; only where pages are counted.
        An empty page ends the list; one past `most_pages` raises ProviderMalformed.
        """
        call = f"GET {listing.path}"
        size = listing.per_page
        position = {"page": str(offset // size + 1)} if listing.is_counted else {}
        for number in range(1, self._most_pages + 1):
            sizes = {} if listing.style == "unpaged" else {"per_page": str(size)}
            try:
                response, smaller = self._send_page(listing, {**listing.params, **sizes, **position}, size)
                if smaller < size:
                    # From the same place: page 3 of 200 begins where page 5 of 100 does.
                    position = {"page": str((int(position["page"]) - 1) * (size // smaller) + 1)}
                    size = smaller
            except ProviderNotFound:
                if listing.missing_is_empty:
                    yield Page([], None, number)
                    return
                raise
            items, envelope = decode_page(response, listing, call=call)
            if listing.style == "numbered":
                has_next = int(position["page"]) < envelope.total_pages
            else:
                has_next = bool(envelope.next) and listing.style != "unpaged"
            is_last = not items or not has_next
            following = int(position["page"]) * size if listing.is_counted and not is_last else None
            yield Page(items, envelope.total, number, following)
            if is_last:
                return
            if listing.style == "numbered":
                position = {"page": str(int(position["page"]) + 1)}
            else:
                position = next_page_params(envelope.next, position, listing, call=call)
        raise ProviderMalformed(f"the list has more than {self._most_pages} pages", call=call)

    def _send_page(
        self, listing: Listing[Any], params: Mapping[str, str], size: int
    ) -> tuple[ApiResponse, int]:
        """Ask for a page, for half of it where the whole is too heavy; return it with its size."""
        while True:
            can_halve = listing.is_counted and size % 2 == 0 and size // 2 >= SMALLEST_PAGE
            try:
                return self._transport.send("GET", listing.path, params=params, may_be_heavy=can_halve), size
            except ProviderUnavailable as error:
                if not can_halve or not is_too_heavy(error):
                    raise
                log.warning("page_halved", call=f"GET {listing.path}", size=size, reason=str(error))
            size //= 2
            params = {**params, "per_page": str(size), "page": str((int(params["page"]) - 1) * 2 + 1)}

    def items(self, listing: Listing[T]) -> Iterator[T]:
        """Yield every item of a collection, page by page."""
        for page in self.pages(listing):
            yield from page.items
