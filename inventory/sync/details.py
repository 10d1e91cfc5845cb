"""The lists that each resource of a kind has of its own, as a zone its records: a call each, or more.

Where the calls don't reach for all of them, those read longest ago come first, and the others keep what is
known of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any, Final

from django.db.models import F

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import BudgetExhausted, ProviderNotFound
from arcadia_cloud.kernel.queue.shutdown import is_stopping
from inventory.kinds.spec import KindSpec, SubListing
from inventory.models import Resource, ResourceQuerySet
from inventory.sync.paging import read_all, record_key
from inventory.sync.readings import ReadingInterrupted
from inventory.sync.run_records import Progress
from inventory.values import PROVIDER

_PAGE_SIZE: Final = 200


@dataclass(slots=True)
class DetailReader:
    """The details that one run of a kind reads: of new resources, and of those in `due`; None: of all.

    `kept` counts those of which a run keeps what is known, `oldest_kept` is when the oldest of that was read.
    """

    spec: KindSpec
    sub_listing: SubListing
    cloud: DigitalOcean
    progress: Progress
    due: frozenset[str] | None = None
    read: list[str] = field(default_factory=list)  # since the last `store`
    read_count: int = 0
    kept: int = 0
    oldest_kept: datetime | None = None
    is_out_of_calls: bool = False

    def plan(self) -> None:
        """Choose the resources whose turn it is, where the calls don't reach for all of them."""
        if self.progress.allowed_calls is None:
            return
        live = _live(self.spec)
        count = live.count()
        calls = self.progress.allowed_calls - ceil(count / _PAGE_SIZE) - 1
        if count > calls:
            oldest = live.order_by(F("details_read_at").asc(nulls_first=True), "pk")[: max(calls, 0)]
            self.due = frozenset(oldest.values_list("provider_id", flat=True))

    def complete(self, records: Sequence[Any], at: datetime) -> Iterator[Any]:
        """Yield the records of a page with their details; one that vanished meanwhile is left out.

        Raises ProviderError, and ReadingInterrupted where the worker is being stopped.
        """
        rows = _live(self.spec).filter(provider_id__in=[record_key(record) for record in records])
        fields = ("provider_id", "attrs", "details_read_at", "first_seen_at")
        known = {row.provider_id: row for row in rows.only(*fields)}
        most = self.progress.allowed_calls
        for record in records:
            if is_stopping():
                raise ReadingInterrupted("its worker is being stopped")
            row = known.get(record_key(record))
            is_due = row is None or self.due is None or row.provider_id in self.due
            is_spent = most is not None and self.cloud.calls - self.progress.calls_before >= most
            if is_due and not is_spent and not self.is_out_of_calls:
                try:
                    parts = list(read_all(self.cloud, self.sub_listing.listing_of(record)))
                except ProviderNotFound:
                    continue
                except BudgetExhausted:
                    self.is_out_of_calls = True  # the page is observed all the same
                else:
                    yield self.sub_listing.combine(record, parts)
                    self.read.append(record_key(record))  # once its observation is in the batch
                    self.read_count += 1
                    continue
            self.kept += 1
            read_at = at if row is None else row.details_read_at or row.first_seen_at
            self.oldest_kept = min(self.oldest_kept or read_at, read_at)
            yield self.sub_listing.keep(record, {} if row is None else row.attrs)

    def store(self, at: datetime) -> None:
        """Write when the details of the observed resources were read. May be repeated."""
        if self.read:
            _live(self.spec).filter(provider_id__in=self.read).update(details_read_at=at)

    def describe_kept(self) -> str:
        """Return which details were kept, "" where none were."""
        if not self.oldest_kept:
            return ""
        return (
            f"the {self.sub_listing.title} of {self.read_count} of {self.read_count + self.kept} were read, "
            f"those read longest ago first; the oldest kept are of {self.oldest_kept:%Y-%m-%d %H:%M} UTC: "
            "the hour's calls don't reach for more"
        )


def _live(spec: KindSpec) -> ResourceQuerySet:
    return Resource.objects.live().filter(provider=PROVIDER, kind=spec.kind)
