"""A crawler of the console: from home through every link, one or two examples of each kind of address."""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

HOME: Final = "/admin/"
ALIKE: Final = re.compile("/(history|delete|add)/$")  # pages that differ in nothing but a row's name
PRESERVED_FILTERS: Final = "_changelist_filters"
_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)


@dataclass(slots=True)
class Facts:
    """The parts of a page that the tests compare."""

    title: str = ""
    headings: list[str] = field(default_factory=list)  # of the first level, outside dialogs
    landmarks: Counter[str] = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)  # where anchors lead and htmx asks
    ids: Counter[str] = field(default_factory=Counter)
    first_link: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """An answer: where the crawler found the address, and what came."""

    address: str
    found_on: str
    route: str
    status: int
    html: str  # "" for what is no page
    facts: Facts


class _Reader(HTMLParser):
    """Reads the facts of a page; what stands in `<template>` is none of them."""

    def __init__(self) -> None:
        super().__init__()
        self.facts = Facts()
        self._into: list[str] = []  # open elements whose text is kept
        self._templates = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "template":
            self._templates += 1
        if self._templates:
            return
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.facts.ids[values["id"]] += 1
        if tag in {"main", "nav", "header"}:
            self.facts.landmarks[tag] += 1
        if tag == "a" and "href" in values:
            self.facts.first_link = self.facts.first_link or values["href"]
            self.facts.links.append(values["href"])
        if values.get("hx-get"):
            self.facts.links.append(values["hx-get"])
        if tag == "h1":
            self.facts.headings.append("")
        if tag in {"title", "h1"} or (self._into and tag not in _VOID):
            self._into.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self._templates -= 1
        elif self._into and self._into[-1] == tag:
            self._into.pop()

    def handle_data(self, data: str) -> None:
        if not self._into:
            return
        if self._into[0] == "title":
            self.facts.title += data
        else:
            self.facts.headings[-1] += data


def facts_of(html: str) -> Facts:
    """The facts of a page."""
    reader = _Reader()
    reader.feed(html)
    facts = reader.facts
    facts.title = " ".join(facts.title.split())
    facts.headings = [" ".join(heading.split()) for heading in facts.headings]
    return facts


def route_of(address: str) -> str:
    """The kind of an address: its route in the URL map."""
    path = urlsplit(address).path
    try:
        return resolve(path).route
    except Resolver404:
        return path


def parameters_of(address: str) -> set[str]:
    """The names of an address's parameters, but for that which only leads back to a narrowed list."""
    query = parse_qsl(urlsplit(address).query, keep_blank_values=True)
    return {name for name, _ in query} - {PRESERVED_FILTERS}


def crawl(client: Client, *, examples: int, whole: bool = True) -> Iterator[Visit]:
    """Visit so many addresses of each route that the pages link to, and one of each parameter.

    Not the whole: none more for a parameter's sake, and none of the pages that differ in a row's name alone.
    """
    client.raise_request_exception = False
    waiting = deque([(HOME, HOME)])
    known = {HOME}
    seen: Counter[str] = Counter()
    parameters: dict[str, set[str]] = defaultdict(set)
    while waiting:
        address, found_on = waiting.popleft()
        visit = _visit(client, address, found_on)
        yield visit
        for link in visit.facts.links:
            target = urldefrag(urljoin(address, link)).url
            if target in known or not target.startswith(HOME):
                continue
            route, names = route_of(target), parameters_of(target)
            # Home has the menu, whose every entry is visited.
            is_new = (whole or address == HOME) and not names <= parameters[route]
            if (seen[route] >= examples and not is_new) or (ALIKE.search(route) and not whole):
                continue
            known.add(target)
            seen[route] += 1
            parameters[route] |= names
            waiting.append((target, address))


def _visit(client: Client, address: str, found_on: str) -> Visit:
    answer = client.get(address, follow=True)
    # An export holds its place until it was read to its end.
    body = b"".join(answer) if answer.streaming else answer.content
    is_page = answer.headers.get("Content-Type", "").startswith("text/html")
    html = body.decode() if is_page else ""
    return Visit(address, found_on, route_of(address), answer.status_code, html, facts_of(html))
