"""The declaration of a kind: which lists it is read from, and how a record becomes an observation.

Nothing here calls the provider or the database: `sync/reader.py` does, by what a kind declares.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from arcadia_cloud.digitalocean.listing import Listing
from inventory.values import Kind, Observation, RunMode

FAST: Final = frozenset({RunMode.FAST, RunMode.FULL})
FULL: Final = frozenset({RunMode.FULL})
SLOW: Final = frozenset({RunMode.SLOW})

_FIRST_YEAR: Final = 2011  # DigitalOcean's own; before it stand only the zero times of its services
_SPAN_PRECISION: Final = Decimal("0.000001")


class Source(StrEnum):
    """The protocol by which a kind is listed and looked up."""

    API = "api"
    SPACES = "spaces"


@dataclass(frozen=True, slots=True)
class Detail:
    """The address of one resource: `path` holds `{provider_id}`, `key` is the answer's field.

    `not_in_detail` names the observation's fields, or attrs, that only the list or the parent has.
    """

    path: str
    key: str
    not_in_detail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SubListing:
    """A list of its own for each resource, at a call each: `combine` makes of both what is mapped.

    `keep` makes it of the record and the attrs that are known, {} where none are, when there is no call for
    the list. `title` names what is listed.
    """

    listing_of: Callable[[Any], Listing[Any]]
    combine: Callable[[Any, list[Any]], Any]
    keep: Callable[[Any, dict[str, Any]], Any]
    title: str


@dataclass(frozen=True, slots=True)
class ParentList:
    """An attr of the parents' rows that lists the ids of this kind's resources."""

    kind: Kind
    attr: str


@dataclass(frozen=True, slots=True)
class KindSpec:
    """Everything that the sync must know of a kind.

    A run is complete only when every one of `listings` is. `to_observation` maps a record to the common
    fields. `wanted` picks the kind's own out of a list that it shares with others. `sub_listing` is read for
    each record, before it is mapped. `detail` is asked before a tombstone; None where the provider has no
    such address, or `source` isn't its API. `volatile` names attrs that move by themselves and make no event.
    `modes` are the schedules it belongs to; `in_projects`: the provider lets it be put in a project.
    `other_urns` are those, with `{provider_id}`, by which a project may know it instead of its own.
    `parent_list`: only the parents know what belongs to them. `ids_recur`: when one is gone, another thing
    may come under its id. `apportion` divides over the records of a list without pages what is the account's
    and comes with each of them.
    """

    kind: Kind
    to_observation: Callable[[Any], Observation]
    modes: frozenset[RunMode]
    listings: tuple[Listing[Any], ...] = ()
    source: Source = Source.API
    detail: Detail | None = None
    volatile: tuple[str, ...] = ()
    in_projects: bool = False
    wanted: Callable[[Any], bool] | None = None
    sub_listing: SubListing | None = None
    other_urns: tuple[str, ...] = ()
    parent_list: ParentList | None = None
    ids_recur: bool = False
    apportion: Callable[[list[Any]], list[Any]] | None = None


def cents(dollars: Decimal) -> int:
    """Convert a list price to whole cents, half up."""
    return int((dollars * 100).quantize(Decimal(1), ROUND_HALF_UP))


def gigabytes(size: Decimal | None) -> Decimal | None:
    """Round a size to the precision of spans: finer digits would differ from them at every sync."""
    return None if size is None else size.quantize(_SPAN_PRECISION, ROUND_HALF_UP)


def decimal_text(size: Decimal | None) -> str | None:
    """Write a size for attrs: as `gigabytes`, without the zeros at the end."""
    rounded = gigabytes(size)
    return None if rounded is None else f"{rounded.normalize():f}"


def real_timestamp(instant: datetime | None) -> datetime | None:
    """Return the instant; None for the year 1, which DigitalOcean's services send for "unknown"."""
    return instant if instant and instant.year >= _FIRST_YEAR else None


def sorted_json(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort JSON objects: the provider sends them in no fixed order."""
    return sorted(items, key=msgspec.json.encode)


def single_region(slugs: list[str]) -> str:
    """Return the region of what is in one alone; empty where it is in several, or none."""
    return slugs[0] if len(slugs) == 1 else ""
