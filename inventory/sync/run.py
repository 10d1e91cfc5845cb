"""The sync: what the provider lists, read to the end and passed through the one upsert path, kind by kind.

A kind that fails doesn't stop the others. Nothing is struck unless a kind was read completely.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Final, NoReturn, TypeAlias

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from msgspec.structs import replace

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import BudgetExhausted, MissingSpacesKeys, ProviderError
from arcadia_cloud.kernel.database import DatabaseClock, retry_while_database_is_down
from arcadia_cloud.kernel.errors import DomainError, describe
from arcadia_cloud.kernel.leases import HeldLease, LeaseHeld, lease
from arcadia_cloud.kernel.queue.shutdown import is_stopping
from inventory.kinds.spec import KindSpec
from inventory.models import SyncRun
from inventory.observation.observe import ObservationContext, ObservationCounts, Origin, observe
from inventory.sync.call_shares import RateBudgetTooSmall, allowed_calls, require_fast_run
from inventory.sync.details import DetailReader
from inventory.sync.paging import CountMismatch
from inventory.sync.projects import sync_projects
from inventory.sync.reader import map_complete, project_of, read_lists, read_parents
from inventory.sync.readings import Reading, ReadingInterrupted, drop_reading, load_reading, store_reading
from inventory.sync.run_records import (
    Progress,
    finish_run,
    record_coverage,
    record_progress,
    record_skipped,
    start_run,
)
from inventory.sync.tombstones import count_absences, strike_absent, tombstone_confirmed
from inventory.values import PROJECT_RUNS, Observation, RunMode, RunOutcome

log = structlog.get_logger(__name__)

_BATCH: Final = 1000
_UNWRITTEN_SECONDS = 15.0  # what was read no longer ago may be lost with the process

ReportProgress = Callable[[str, Progress], None]
ReadKind: TypeAlias = Callable[[SyncRun, HeldLease], str]  # returns what a complete run has left out


class SuspiciousLoss(DomainError):
    """A complete list from which most of a kind is missing."""

    code = "suspicious_loss"


_OUTCOMES: Mapping[type[Exception], RunOutcome] = {
    SuspiciousLoss: RunOutcome.SUSPICIOUS,
    RateBudgetTooSmall: RunOutcome.SKIPPED,
    ReadingInterrupted: RunOutcome.INTERRUPTED,
    BudgetExhausted: RunOutcome.SKIPPED,  # the next hour has calls again: no operator is needed
    MissingSpacesKeys: RunOutcome.SKIPPED,
}


@dataclass(slots=True)
class Sync:
    """One pass over some kinds. `lease_wait_seconds`: how long to wait for another run of a kind to end.

    `report` is called with a kind and its progress after each page.
    """

    cloud: DigitalOcean
    mode: RunMode
    actor: str
    confirm_loss: bool = False
    lease_wait_seconds: float = 0
    report: ReportProgress | None = None
    clock: DatabaseClock = field(default_factory=DatabaseClock)
    membership: Mapping[str, int] = field(default_factory=dict)  # a resource's URN to its project's row
    membership_at: datetime | None = None  # when it was asked for
    waiting: list[str] = field(default_factory=list)  # the kinds that haven't begun

    def run(self, specs: Sequence[KindSpec]) -> list[SyncRun]:
        """Sync these kinds, in a slow or full pass the projects first; return one run per kind, in order.

        A token of another account, or one that is refused, fails every run before anything is read.
        """
        try:
            self.cloud.verify_account()
        except BudgetExhausted as error:
            return self._refuse(specs, RateBudgetTooSmall(str(error)))
        except (ProviderError, DomainError) as error:
            return self._refuse(specs, error)
        readers: dict[str, ReadKind] = {}
        # Projects before everything else: a kind that is read without their membership can't be attributed.
        if self.mode != RunMode.FAST and any(spec.in_projects for spec in specs):
            readers[PROJECT_RUNS] = self._read_projects
        readers |= {str(spec.kind): KindSync(self, spec) for spec in specs}
        self.waiting = list(readers)
        return [self._run_kind(kind, read) for kind, read in readers.items()]

    def _run_kind(self, kind: str, read: ReadKind) -> SyncRun:
        """Read one kind under its lease, and record in its row how that ended, whatever ended it."""
        calls = self.cloud.calls
        self.waiting = [other for other in self.waiting if other != kind]
        if is_stopping():
            return self._record_skipped(kind, "its worker is being stopped")
        try:
            with lease(
                f"sync:{kind}",
                seconds=settings.ARCADIA_SYNC_LEASE_SECONDS,
                wait_seconds=self.lease_wait_seconds,
            ) as held:
                run = start_run(kind=kind, mode=self.mode, actor=self.actor, at=self.clock.now())
                # What isn't caught below ends the run, too: its row must not stay "running".
                outcome, reason, is_short_of_calls = RunOutcome.FAILED, "it was interrupted", False
                try:
                    note = read(run, held)
                    outcome, reason = RunOutcome.COMPLETE, note
                except (ProviderError, DomainError, DatabaseError, InterfaceError) as error:
                    outcome, reason = _OUTCOMES.get(type(error), RunOutcome.FAILED), describe(error)
                    is_short_of_calls = isinstance(error, RateBudgetTooSmall | BudgetExhausted) or (
                        isinstance(error, ReadingInterrupted) and error.is_short_of_calls
                    )
                except Exception as error:
                    log.exception("sync_failed_unexpectedly", kind=kind, run=run.pk)
                    reason = f"an unexpected {type(error).__name__}; the log has more"
                finally:
                    finish_run(
                        run,
                        outcome,
                        error=reason,
                        api_calls=self.cloud.calls - calls,
                        is_short_of_calls=is_short_of_calls,
                    )
                return run
        except LeaseHeld as error:
            return self._record_skipped(kind, error.detail)

    def _record_skipped(self, kind: str, reason: str) -> SyncRun:
        return record_skipped(kind=kind, mode=self.mode, actor=self.actor, at=self.clock.now(), reason=reason)

    def _refuse(self, specs: Sequence[KindSpec], error: Exception) -> list[SyncRun]:
        """Record for each kind that it was not read, and why."""

        def fail(_run: SyncRun, _held: HeldLease) -> NoReturn:
            raise error

        return [self._run_kind(str(spec.kind), fail) for spec in specs]

    def begin(self, run: SyncRun) -> Progress:
        """Return the progress of a run at its start, with its share of the hour's calls.

        Raises RateBudgetTooSmall where it has none, or where a fast run has to wait.
        """
        allowed = allowed_calls(run.kind, self.waiting, self.cloud.budget)
        if self.mode == RunMode.FAST:
            require_fast_run(run, allowed, self.cloud.budget)
        return Progress(calls_before=self.cloud.calls, allowed_calls=allowed, is_interruptible=True)

    def _read_projects(self, run: SyncRun, _held: HeldLease) -> str:
        progress = self.begin(run)
        found = sync_projects(self.cloud, progress=progress, now=self.clock.now)
        self.membership, self.membership_at = found.project_of, found.asked_at
        progress.seen = progress.expected = found.projects
        retry_while_database_is_down(lambda: record_progress(run, progress, ObservationCounts()))
        calls = self.cloud.calls - progress.calls_before
        record_coverage(run, needed_calls=calls + found.left_out, oldest_part_at=found.oldest_kept)
        return found.describe_kept()


@dataclass(slots=True)
class KindSync:
    """The reading of one kind; called with its run and lease. Returns what it left out, in words."""

    sync: Sync
    spec: KindSpec
    parent_of: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    details: DetailReader | None = None

    def __call__(self, run: SyncRun, held: HeldLease) -> str:
        progress = self.sync.begin(run)
        # A fast run is short or not made at all; one that was interrupted isn't worth going on with.
        is_fast = self.sync.mode == RunMode.FAST
        reading = Reading(run.started_at) if is_fast else load_reading(run.kind, at=run.started_at)
        try:
            self._observe_all(run, reading, progress)
        except (ReadingInterrupted, BudgetExhausted) as error:
            if not progress.pages:
                raise
            raise self._interrupt(run, reading, progress, error) from error
        except CountMismatch:
            drop_reading(run.kind)
            raise
        kept = 0 if self.details is None else self.details.kept
        oldest_kept = None if self.details is None else self.details.oldest_kept
        record_coverage(
            run,
            needed_calls=self._calls_of(reading, progress) + kept,
            oldest_part_at=oldest_kept or (reading.began_at if reading.is_resumed else None),
        )
        # A fast run reads too little of the account to conclude anything from an absence.
        if not is_fast:
            drop_reading(run.kind)
            absences = retry_while_database_is_down(lambda: count_absences(self.spec, reading.began_at))
            if absences.is_suspicious and not self.sync.confirm_loss:
                raise SuspiciousLoss(
                    f"{absences}: nothing was struck. A token that lost a scope looks like this; if they are "
                    f"really gone: manage.py sync_inventory --kind {self.spec.kind} --confirm-loss"
                )
            # Strikes before tombstones: the third strike of this run is checked by this run.
            strike_absent(self.spec, run, reading.began_at, held)
            tombstone_confirmed(self.spec, run, self.sync.cloud, self.sync.clock.now, self._origin(run))
        return "" if self.details is None else self.details.describe_kept()

    def _interrupt(
        self, run: SyncRun, reading: Reading, progress: Progress, error: ReadingInterrupted | BudgetExhausted
    ) -> ReadingInterrupted:
        """Store where the next run goes on; return the error with which this one ends."""
        place, calls = reading.position, self._calls_of(reading, progress)
        is_known = bool(place.total and place.distinct)
        needed = ceil(calls * (place.total or 0) / len(place.distinct)) if is_known else None
        record_coverage(run, needed_calls=needed, oldest_part_at=None)
        following = "the next run begins anew"
        if self.sync.mode != RunMode.FAST and place.can_be_resumed:
            store_reading(run.kind, reading, calls=calls - reading.calls)
            following = "the next run goes on from there"
        of = "" if progress.expected is None else f" of {progress.expected}"
        takes = f" (a whole reading takes about {needed} calls)" if needed else ""
        return ReadingInterrupted(
            f"stopped after {progress.seen}{of}: {describe(error)}{takes}; {following}",
            is_short_of_calls=isinstance(error, BudgetExhausted) or error.is_short_of_calls,
        )

    def _calls_of(self, reading: Reading, progress: Progress) -> int:
        return reading.calls + self.sync.cloud.calls - progress.calls_before

    def _origin(self, run: SyncRun) -> Origin:
        return Origin(actor=self.sync.actor, source=f"run:{run.pk}")

    def _observe_all(self, run: SyncRun, reading: Reading, progress: Progress) -> None:
        """Read every list of the kind, and write it batch by batch as it comes."""
        # Once a run, and from the rows: the parents' own runs have stored what they list.
        self.parent_of = read_parents(self.spec)
        if self.spec.sub_listing is not None:
            self.details = DetailReader(self.spec, self.spec.sub_listing, self.sync.cloud, progress)
            self.details.plan()
        for pages in read_lists(self.spec, self.sync.cloud, progress, reading.position):
            batch: list[Observation] = []
            # A batch has one time, and that must be before its first page was asked for: later, and it would
            # overwrite what a saga has seen in between.
            asked_at, due = self.sync.clock.now(), time.monotonic() + _UNWRITTEN_SECONDS
            try:
                for page in pages:
                    batch.extend(self._observations(page.items, asked_at))
                    if len(batch) >= _BATCH or time.monotonic() > due:
                        self._write(batch, asked_at, run, progress)
                        batch, asked_at = [], self.sync.clock.now()
                        due = time.monotonic() + _UNWRITTEN_SECONDS
                    if self.sync.report:
                        self.sync.report(run.kind, progress)
            except (ProviderError, ReadingInterrupted):
                # The run has ended, but what it has read before is true all the same.
                self._write(batch, asked_at, run, progress)
                raise
            self._write(batch, asked_at, run, progress)

    def _observations(self, records: Sequence[object], asked_at: datetime) -> Iterator[Observation]:
        complete = records if self.details is None else self.details.complete(records, asked_at)
        for record in complete:
            seen = map_complete(self.spec, record)
            project = project_of(self.spec, seen, self.sync.membership)
            parent = self.parent_of.get(seen.provider_id, (seen.parent_kind, seen.parent_id))
            yield replace(
                seen,
                project_id=project,
                can_attribute=project is not None or not self.spec.in_projects,
                parent_kind=parent[0],
                parent_id=parent[1],
            )

    def _write(self, batch: list[Observation], asked_at: datetime, run: SyncRun, progress: Progress) -> None:
        context = ObservationContext(
            at=asked_at,
            volatile=self.spec.volatile,
            bump_unchanged=self.sync.mode != RunMode.FAST,
            project_asked_at=self.sync.membership_at,
            ids_recur=self.spec.ids_recur,
        )

        # One transaction: where the answer to its commit is lost, rows and counts are written again together.
        @transaction.atomic
        def write() -> None:
            counts = observe(
                kind=self.spec.kind, observations=batch, context=context, origin=self._origin(run)
            )
            if self.details is not None:
                self.details.store(asked_at)
            record_progress(run, progress, counts)

        retry_while_database_is_down(write)
        if self.details is not None:
            self.details.read.clear()
