"""What the sync must know of a kind."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, Protocol
from urllib.parse import quote

import msgspec
import structlog

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderMalformed, ProviderNotFound
from arcadia_cloud.digitalocean.pagination import Listing, Page
from inventory.models import Resource
from inventory.sync.paging import read_pages, record_key
from inventory.sync.run_records import Progress
from inventory.values import Kind, Observation, RunMode

log = structlog.get_logger(__name__)

FAST: Final = frozenset({RunMode.FAST, RunMode.FULL})
FULL: Final = frozenset({RunMode.FULL})
SLOW: Final = frozenset({RunMode.SLOW})

_FIRST_YEAR: Final = 2011  # DigitalOcean's own; before it stand only the zero times of its services
_METERED: Final = Decimal("0.000001")  # as fine as spans keep a size


@dataclass(frozen=True, slots=True)
class Detail:
    """Where one resource is asked for: `path` holds `{provider_id}`, `key` is the answer's field.

    `untold` names what is told elsewhere alone, in the list or by the resource that it belongs to: fields of
    the observation, or attrs.
    """

    path: str
    key: str
    not_in_detail: tuple[str, ...] = ()


class Source(Protocol):
    """Where a kind is read that the provider's own API doesn't list. Both raise ProviderError."""

    def pages(self, progress: Progress) -> Iterator[Page[Any]]:
        """Everything there is, counted in `progress`: each record once, or an error before the end.

        A page may be empty, to tell that reading goes on.
        """

    def look_up(self, provider_id: str, region: str) -> Any | None:
        """One record; None where it is gone."""


@dataclass(frozen=True, slots=True)
class KindSpec:
    """How a kind is listed and read.

    A run is complete only when every one of `listings` is, or `source`, which stands in for them and for
    `detail` where the provider's API has no list. `to_observation` maps a record to the common
    fields. `wanted` picks the kind's own out of a list that it shares with others. `enrich` asks for what a
    list doesn't tell, in calls of its own for each resource, and gives what `to_observation` takes then; None
    if the resource is gone by now. `detail` is asked before a tombstone; None where the provider has no such
    address. `volatile` names attrs that move by themselves and make no event. `modes` are the schedules it
    belongs to; `in_projects` tells whether the provider lets it be put in a project. `other_urns` are those,
    with `{provider_id}`, by which a project may know it instead of its own. `droplet_of` is asked once a
    run for `{provider_id: droplet's id}`, where only the droplets tell what belongs to them.
    """

    kind: Kind
    to_observation: Callable[[Any], Observation]
    modes: frozenset[RunMode]
    listings: tuple[Listing[Any], ...] = ()
    source: Source | None = None
    detail: Detail | None = None
    volatile: tuple[str, ...] = ()
    in_projects: bool = False
    wanted: Callable[[Any], bool] | None = None
    enrich: Callable[[DigitalOcean, Any], Any] | None = None
    other_urns: tuple[str, ...] = ()
    droplet_of: Callable[[], Mapping[str, str]] | None = None

    def observation(self, record: Any, cloud: DigitalOcean) -> Observation | None:  # Any: each kind its own
        """What was seen of the resource; None where it vanished while it was being read.

        Raises ProviderError; ProviderMalformed where the mapping stumbles over a value that nobody expected,
        so that one such item fails its own kind and not the whole run.
        """
        listed = record
        if self.enrich is not None:
            record = self.enrich(cloud, record)
            if record is None:
                return None
        try:
            return self.to_observation(record)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            log.exception("mapping_failed", kind=str(self.kind))
            raise ProviderMalformed(
                f"{self.kind} {record_key(listed)} has a value that can't be mapped ({type(error).__name__})"
            ) from error

    def lists(self, cloud: DigitalOcean, progress: Progress) -> Iterator[Iterator[Page[Any]]]:
        """The pages of each list that the kind is read from. Iterating raises ProviderError."""
        if self.source is not None:
            yield self.source.pages(progress)
        for listing in self.listings:
            yield read_pages(cloud, listing, progress=progress, wanted=self.wanted)

    def look_up(self, cloud: DigitalOcean, known: Resource) -> Observation | None:
        """What is seen of one resource by its own address; None where it is gone, or has no address.

        What isn't told there stays as it is known. Raises ProviderError.
        """
        if self.source is not None:
            found = self.source.look_up(known.provider_id, known.region)
            return None if found is None else self.observation(found, cloud)
        if self.detail is None:
            return None
        path = self.detail.path.format(provider_id=quote(known.provider_id, safe=""))
        try:
            record = cloud.get(path, self.listings[0].record, key=self.detail.key)
        except ProviderNotFound:
            return None
        seen = self.observation(record, cloud)
        if seen is not None:
            _keep(self.detail.not_in_detail, seen, known)
        return seen

    def project_of(self, seen: Observation, project_of: Mapping[str, int]) -> int | None:
        """The row of the project that has the resource, by whichever of its URNs."""
        urns = (seen.urn, *(urn.format(provider_id=seen.provider_id) for urn in self.other_urns))
        return next((project_of[urn] for urn in urns if urn in project_of), None)


def _keep(names: Iterable[str], seen: Observation, known: Resource) -> None:
    """Take these over from the row, so that a look which can't tell them doesn't blank them."""
    for name in names:
        if name not in seen.attrs:
            setattr(seen, name, getattr(known, name))
        elif name in known.attrs:
            seen.attrs[name] = known.attrs[name]


def cents(dollars: Decimal) -> int:
    """A list price in whole cents, half up."""
    return int((dollars * 100).quantize(Decimal(1), ROUND_HALF_UP))


def gigabytes(size: Decimal | None) -> Decimal | None:
    """A size as spans keep it: finer digits would differ from them at every look."""
    return None if size is None else size.quantize(_METERED, ROUND_HALF_UP)


def decimal_text(size: Decimal | None) -> str | None:
    """The same for attrs, without the zeros at the end."""
    kept = gigabytes(size)
    return None if kept is None else f"{kept.normalize():f}"


def real_timestamp(instant: datetime | None) -> datetime | None:
    """When it was made; None for the year 1, by which DigitalOcean's services mean nothing at all."""
    return instant if instant and instant.year >= _FIRST_YEAR else None


def sorted_json(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same in whichever order they came: the provider doesn't keep one."""
    return sorted(items, key=msgspec.json.encode)


def single_region(slugs: list[str]) -> str:
    """The region of what is in one alone; empty where it is in several, or none."""
    return slugs[0] if len(slugs) == 1 else ""
