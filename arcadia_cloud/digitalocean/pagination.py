"""How a collection of DigitalOcean's is listed, and one page of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Listing(Generic[T]):
    """Where a collection is and how it is paged.

    `key` is the answer's field that holds the items. `style`: "pages" counts pages, "cursor" hands on a
    `page_token`, "unpaged" is one call. `missing_is_empty`: a 404 there means that there is none.
    """

    path: str
    key: str
    record: type[T]
    params: Mapping[str, str] = field(default_factory=dict)
    style: Literal["pages", "unpaged", "cursor"] = "pages"
    missing_is_empty: bool = False
    per_page: int = 200  # the most that DigitalOcean gives (API reference, "Links & Pagination")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items of one answer. `total` is the provider's count of the whole collection, where it tells one."""

    items: list[T]
    total: int | None
    number: int
