"""Lists of DigitalOcean's: the address and style of one, a page of it, and the way to the next page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, TypeVar
from urllib.parse import parse_qs, urlsplit

from arcadia_cloud.digitalocean.errors import ProviderMalformed

T = TypeVar("T")

_MOST_DIGITS: Final = 9  # of a page's number; int() refuses thousands with an error of its own


@dataclass(frozen=True)
class Listing(Generic[T]):
    """A collection's address and its style of paging.

    `key` is the answer's field that holds the items. `style`: "pages" counts pages, "numbered" too, with
    `total_pages` in place of links, "cursor" hands on a `page_token`, "unpaged" is one call.
    `missing_is_empty`: a 404 there means that there is none.
    """

    path: str
    key: str
    record: type[T]
    params: Mapping[str, str] = field(default_factory=dict)
    style: Literal["pages", "numbered", "unpaged", "cursor"] = "pages"
    missing_is_empty: bool = False
    per_page: int = 200  # the most that DigitalOcean gives (API reference, "Links & Pagination")

    @property
    def is_counted(self) -> bool:
        """Whether a page is asked for by its number."""
        return self.style in {"pages", "numbered"}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items of one answer. `total` is the provider's count of the whole collection, where it gives one.

    `next_offset` is the number of items in front of the next page; None on the last, and where pages aren't
    counted.
    """

    items: list[T]
    total: int | None
    number: int
    next_offset: int | None = None


def next_page_params(
    address: str, params: Mapping[str, str], listing: Listing[Any], *, call: str
) -> dict[str, str]:
    """Read from the next page's address the parameter that asks for it; its host is never used.

    `params` are those of the current page. Raises ProviderMalformed for a next page that isn't ahead: such
    a list would never end.
    """
    name = "page" if listing.style == "pages" else "page_token"
    value = parse_qs(urlsplit(address).query).get(name, [""])[0]
    # Only the parameter is taken over: the token isn't sent to another host that the address may name.
    if listing.style == "cursor":
        if not value or value == params.get(name):
            raise ProviderMalformed("links.pages.next has no new page_token", call=call)
        return {name: value}
    is_number = len(value) <= _MOST_DIGITS and value.isascii() and value.isdigit()
    if not is_number or int(value) <= int(params[name]):
        raise ProviderMalformed("links.pages.next has no page number above the current one", call=call)
    return {name: value}
