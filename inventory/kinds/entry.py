"""What the sync must know of a kind."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from arcadia_cloud.digitalocean.listing import Listing
from inventory.values import Kind, Observation, RunMode


@dataclass(frozen=True, slots=True)
class Detail:
    """Where one resource is asked for: `path` holds `{provider_id}`, `key` is the answer's field."""

    path: str
    key: str


@dataclass(frozen=True, slots=True)
class KindEntry:
    """How a kind is listed and read.

    A run is complete only when every one of `listings` is. `to_observation` maps a record to the common
    fields. `detail` is asked before a tombstone; None where the provider has no such address. `volatile`
    names attrs that move by themselves and make no event. `modes` are the schedules it belongs to;
    `in_projects` tells whether the provider lets it be put in a project.
    """

    kind: Kind
    listings: tuple[Listing[Any], ...]
    to_observation: Callable[[Any], Observation]
    modes: frozenset[RunMode]
    detail: Detail | None = None
    volatile: tuple[str, ...] = ()
    in_projects: bool = False


def cents(dollars: Decimal) -> int:
    """A list price in whole cents, half up."""
    return int((dollars * 100).quantize(Decimal(1), ROUND_HALF_UP))
