"""Pagination of lists. Links are absolute and name DigitalOcean's own host, as DigitalOcean's do."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from flask import request

from simulator.catalog import Json
from simulator.request_context import MAX_PER_PAGE, read_query_number, take_fault

PUBLIC_URL: Final = "https://api.digitalocean.com"
_DEFAULT_PER_PAGE: Final = 20
_LAST_PAGE: Final = 1 << 31


def paginate(key: str, total: int, fetch: Callable[[int, int], list[Json]]) -> Json:
    """Return the requested page of `total` items; `fetch(start, stop)` returns the items in between."""
    per_page = read_query_number("per_page", _DEFAULT_PER_PAGE, minimum=1, maximum=MAX_PER_PAGE)
    page = read_query_number("page", 1, minimum=1, maximum=_LAST_PAGE)
    if take_fault("empty_list") is not None:
        total = 0
    start = (page - 1) * per_page
    # Never the first page: the faults imitate items that move while a client reads on.
    shift = take_fault("shifted_pages") if page > 1 else None
    if shift is not None:
        start = max(0, start - int(shift["by"]))
    # A page after the last one is empty, not refused: a client may page until it meets one.
    items = fetch(min(start, total), min(start + per_page, total))
    if items and take_fault("repeat_item") is not None:
        items = [*items, items[0]]
    wrong = take_fault("wrong_total")
    return {
        key: items,
        "links": page_links(page, per_page, total),
        "meta": {"total": total + (int(wrong["by"]) if wrong is not None else 0)},
    }


def paginate_list(key: str, items: list[Json]) -> Json:
    """Return the requested page of a list."""
    return paginate(key, len(items), lambda start, stop: items[start:stop])


def paginate_numbered(key: str, items: list[Json]) -> Json:
    """Return the requested page of a list whose pages are numbered, and have no links."""
    per_page = read_query_number("per_page", _DEFAULT_PER_PAGE, minimum=1, maximum=MAX_PER_PAGE)
    page = read_query_number("page", 1, minimum=1, maximum=_LAST_PAGE)
    if take_fault("empty_list") is not None:
        items = []
    return {
        key: items[(page - 1) * per_page : page * per_page],
        "total_items": len(items),
        "total_pages": -(-len(items) // per_page),
        "current_page": page,
    }


def page_links(page: int, per_page: int, total: int) -> Json:
    """Return `links` of a page, empty if there is no other."""
    last = max(1, -(-total // per_page))
    pages: dict[str, int] = {}
    if page > 1:
        pages |= {"first": 1, "prev": min(page - 1, last)}
    if page < last:
        pages |= {"next": page + 1, "last": last}
    query = {name: value for name, value in request.args.items() if name != "page"}
    url = f"{PUBLIC_URL}{request.path.rstrip('/')}"
    urls = {rel: f"{url}?{urlencode({'page': number, **query})}" for rel, number in pages.items()}
    return {"pages": urls} if pages else {}
