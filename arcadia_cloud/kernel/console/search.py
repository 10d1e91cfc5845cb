"""The console's global search: a registry of sources that the apps' admin modules fill, each for its kinds.

A source asks a fixed number of queries, each by an index and with a limit, for what the user may see alone.
"""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from django.http import HttpRequest

MOST_PER_GROUP: Final = 6
LONGEST_TEXT: Final = 200
_MOST_DIGITS: Final = 18  # every number of so many digits fits a bigint


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """The text that an operator typed, and what it may be besides: a row's number, an IP address."""

    text: str
    number: int | None = None
    address: str | None = None

    def equals(self, *values: str | None) -> bool:
        """Return whether one of the values is the text, whatever the capitals."""
        return self.text.casefold() in {value.casefold() for value in values if value}


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found: its name, its owner, the rest that distinguishes it, and its page."""

    title: str
    address: str
    owner: str = ""
    detail: str = ""
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class HitGroup:
    """The hits of one kind of thing, the exact ones first. `all_hits` lists the rest; "" where none does."""

    title: str
    hits: Sequence[Hit]
    all_hits: str = ""
    has_exact: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "has_exact", any(hit.is_exact for hit in self.hits))


Source: TypeAlias = Callable[[HttpRequest, SearchTerm], list[HitGroup]]
_sources: list[tuple[int, Source]] = []


def source(place: int) -> Callable[[Source], Source]:
    """Register a function that finds things; `place` orders its groups among those of other sources."""

    def register(find: Source) -> Source:
        _sources.append((place, find))
        _sources.sort(key=lambda entry: entry[0])
        return find

    return register


def parse_term(text: str) -> SearchTerm | None:
    """Read what was typed; None for what is empty or can't be in any text of ours."""
    text = text.strip()
    if not text or "\0" in text or len(text) > LONGEST_TEXT:
        return None
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    try:
        # A scope, as in fe80::1%eth0, is no part of an address to the database.
        address = None if "%" in text else str(ipaddress.ip_address(text))
    except ValueError:
        address = None
    return SearchTerm(text, int(text) if is_number else None, address)


def find(request: HttpRequest, term: SearchTerm) -> list[HitGroup]:
    """Ask every source; return the groups that have a hit, those with an exact one first."""
    groups = [group for _, each in _sources for group in each(request, term) if group.hits]
    return sorted(groups, key=lambda group: not group.has_exact)


def build_group(title: str, hits: Sequence[Hit], *, all_hits: str = "") -> HitGroup:
    """Return a group with the exact hits first, cut at MOST_PER_GROUP; `all_hits` counts where it is cut."""
    ordered = sorted(hits, key=lambda hit: not hit.is_exact)
    return HitGroup(title, ordered[:MOST_PER_GROUP], all_hits if len(hits) > MOST_PER_GROUP else "")
