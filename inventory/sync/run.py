"""The sync: what the provider lists, read to the end and passed through the one way in, kind by kind.

A kind that fails doesn't stop the others. Nothing is struck unless a kind was read completely.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import BudgetExhausted, MissingSpacesKeys, ProviderError
from arcadia_cloud.kernel.database import DatabaseClock, retry_while_database_is_down
from arcadia_cloud.kernel.errors import DomainError, describe
from arcadia_cloud.kernel.leases import HeldLease, LeaseHeld, lease
from inventory.kinds.spec import KindSpec
from inventory.models import SyncRun
from inventory.observation.observe import ObservationContext, ObservationCounts, Origin, observe
from inventory.sync.account import assert_pinned
from inventory.sync.projects import sync_projects
from inventory.sync.run_records import (
    Progress,
    finish_run,
    missing_calls,
    record_progress,
    record_skipped,
    start_run,
)
from inventory.sync.tombstones import count_absences, strike_absent, tombstone_confirmed
from inventory.values import Kind, Observation, RunMode, RunOutcome

log = structlog.get_logger(__name__)

PROJECTS = "project"  # the name under which the projects' own runs are kept
_BATCH = 1000
_UNWRITTEN_SECONDS = 15.0  # what was read no longer ago may be lost with the process

Report = Callable[[str, Progress], None]


class SuspiciousLoss(DomainError):
    """A complete list from which most of a kind is missing."""

    code = "suspicious_loss"


class RateBudgetTooSmall(DomainError):
    """The run wouldn't fit into what is left of the hour's calls."""

    code = "no_room"


_OUTCOMES: Mapping[type[Exception], RunOutcome] = {
    SuspiciousLoss: RunOutcome.SUSPICIOUS,
    RateBudgetTooSmall: RunOutcome.SKIPPED,
    BudgetExhausted: RunOutcome.SKIPPED,  # the next hour has room; nobody need do anything
    MissingSpacesKeys: RunOutcome.SKIPPED,
}


@dataclass(slots=True)
class Sync:
    """One pass over some kinds. `lease_wait_seconds`: how long to wait for another run of a kind to end.

    `report` is called with a kind and its progress after each page.
    """

    cloud: DigitalOcean
    mode: RunMode
    requested_by: str
    confirm_loss: bool = False
    lease_wait_seconds: float = 0
    report: Report | None = None
    clock: DatabaseClock = field(default_factory=DatabaseClock)
    project_of: Mapping[str, int] = field(default_factory=dict)  # a resource's URN to its project's row

    def run(self, entries: Sequence[KindSpec]) -> list[SyncRun]:
        """Sync these kinds, in a slow or full pass the projects first; one run per kind, in order.

        A token of another account, or one that is refused, fails every run before anything is read.
        """
        try:
            assert_pinned(self.cloud, at=self.clock.now())
        except BudgetExhausted as spent:
            return [self._refuse(str(entry.kind), RateBudgetTooSmall(str(spent))) for entry in entries]
        except (ProviderError, DomainError) as refusal:
            return [self._refuse(str(entry.kind), refusal) for entry in entries]
        runs = []
        if self.mode != RunMode.FAST and any(entry.in_projects for entry in entries):
            runs.append(self._perform(PROJECTS, self._read_projects))
        runs.extend(self._perform(str(entry.kind), _Reading(self, entry)) for entry in entries)
        return runs

    def _perform(self, kind: str, read: Callable[[SyncRun, HeldLease], None]) -> SyncRun:
        """Do one kind under its lease; whatever ends it, its row tells how."""
        calls = self.cloud.calls
        try:
            with lease(
                f"sync:{kind}",
                seconds=settings.ARCADIA_SYNC_LEASE_SECONDS,
                wait_seconds=self.lease_wait_seconds,
            ) as held:
                run = start_run(
                    kind=kind, mode=self.mode, requested_by=self.requested_by, at=self.clock.now()
                )
                outcome, error = RunOutcome.FAILED, "it was interrupted"
                try:
                    read(run, held)
                    outcome, error = RunOutcome.COMPLETE, ""
                except (ProviderError, DomainError, DatabaseError, InterfaceError) as refusal:
                    outcome, error = _OUTCOMES.get(type(refusal), RunOutcome.FAILED), describe(refusal)
                finally:
                    finish_run(run, outcome, error=error, api_calls=self.cloud.calls - calls)
                return run
        except LeaseHeld as busy:
            return record_skipped(
                kind=kind,
                mode=self.mode,
                requested_by=self.requested_by,
                at=self.clock.now(),
                why=busy.detail,
            )

    def _refuse(self, kind: str, refusal: Exception) -> SyncRun:
        def read(_run: SyncRun, _held: HeldLease) -> None:
            raise refusal

        return self._perform(kind, read)

    def require_rate_budget(self, run: SyncRun) -> None:
        """Raise NoRoom when the run wouldn't fit into what is left of the hour's calls."""
        if shortage := missing_calls(run, self.cloud.budget.left_this_hour()):
            raise RateBudgetTooSmall(shortage)

    def _read_projects(self, run: SyncRun, _held: HeldLease) -> None:
        self.require_rate_budget(run)
        progress = Progress(calls_before=self.cloud.calls)
        membership = sync_projects(self.cloud, progress=progress, now=self.clock.now)
        self.project_of = membership.project_of
        progress.seen = progress.expected = membership.projects
        retry_while_database_is_down(lambda: record_progress(run, progress, ObservationCounts()))


@dataclass(slots=True)
class _Reading:
    """Reads one kind; called with its run and lease."""

    sync: Sync
    entry: KindSpec
    droplet_of: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, run: SyncRun, held: HeldLease) -> None:
        self.sync.require_rate_budget(run)
        self._observe_all(run)
        if self.sync.mode == RunMode.FAST:
            return
        absences = retry_while_database_is_down(lambda: count_absences(self.entry, run))
        if absences.is_suspicious and not self.sync.confirm_loss:
            raise SuspiciousLoss(
                f"{absences}: nothing was struck. A token that lost a scope looks like this; if they are "
                f"really gone: manage.py sync_inventory --kind {self.entry.kind} --confirm-loss"
            )
        strike_absent(self.entry, run, held)
        tombstone_confirmed(self.entry, run, self.sync.cloud, self.sync.clock.now, self._origin(run))

    def _origin(self, run: SyncRun) -> Origin:
        return Origin(actor=self.sync.requested_by, source=f"run:{run.pk}")

    def _observe_all(self, run: SyncRun) -> None:
        """Read every list of the kind, and write it batch by batch as it comes."""
        if self.entry.droplet_of is not None:
            self.droplet_of = self.entry.droplet_of()
        progress = Progress(calls_before=self.sync.cloud.calls)
        for pages in self.entry.lists(self.sync.cloud, progress):
            batch: list[Observation] = []
            asked_at, due = self.sync.clock.now(), time.monotonic() + _UNWRITTEN_SECONDS
            for page in pages:
                batch.extend(self._observations(page.items))
                if len(batch) >= _BATCH or time.monotonic() > due:
                    self._write(batch, asked_at, run, progress)
                    batch, asked_at = [], self.sync.clock.now()
                    due = time.monotonic() + _UNWRITTEN_SECONDS
                if self.sync.report:
                    self.sync.report(run.kind, progress)
            self._write(batch, asked_at, run, progress)

    def _observations(self, records: Iterable[object]) -> Iterator[Observation]:
        for record in records:
            seen = self.entry.observation(record, self.sync.cloud)
            if seen is not None:
                seen.project_id = self.entry.project_of(seen, self.sync.project_of)
                if parent := self.droplet_of.get(seen.provider_id):
                    seen.parent_kind, seen.parent_id = str(Kind.DROPLET), parent
                seen.can_attribute = seen.project_id is not None or not self.entry.in_projects
                yield seen

    def _write(self, batch: list[Observation], asked_at: datetime, run: SyncRun, progress: Progress) -> None:
        look = ObservationContext(
            at=asked_at, volatile=self.entry.volatile, bump_unchanged=self.sync.mode != RunMode.FAST
        )

        @transaction.atomic
        def write() -> None:
            done = observe(kind=self.entry.kind, observations=batch, look=look, origin=self._origin(run))
            record_progress(run, progress, done)

        retry_while_database_is_down(write)
