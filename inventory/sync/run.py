"""The sync: what the provider lists, read to the end and passed through the one upsert path, kind by kind.

A kind that fails doesn't stop the others. Nothing is struck unless a kind was read completely.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from msgspec.structs import replace

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import BudgetExhausted, MissingSpacesKeys, ProviderError
from arcadia_cloud.kernel.database import DatabaseClock, retry_while_database_is_down
from arcadia_cloud.kernel.errors import DomainError, describe
from arcadia_cloud.kernel.leases import HeldLease, LeaseHeld, lease
from inventory.kinds.spec import KindSpec
from inventory.models import SyncRun
from inventory.observation.observe import ObservationContext, ObservationCounts, Origin, observe
from inventory.sync.projects import sync_projects
from inventory.sync.reader import map_record, project_of, read_lists, read_parents
from inventory.sync.run_records import (
    Progress,
    finish_run,
    missing_calls,
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


class SuspiciousLoss(DomainError):
    """A complete list from which most of a kind is missing."""

    code = "suspicious_loss"


class RateBudgetTooSmall(DomainError):
    """The run wouldn't fit into what is left of the hour's calls."""

    code = "rate_budget_too_small"


_OUTCOMES: Mapping[type[Exception], RunOutcome] = {
    SuspiciousLoss: RunOutcome.SUSPICIOUS,
    RateBudgetTooSmall: RunOutcome.SKIPPED,
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
        runs = []
        # Projects before everything else: a kind that is read without their membership can't be attributed.
        if self.mode != RunMode.FAST and any(spec.in_projects for spec in specs):
            runs.append(self._run_kind(PROJECT_RUNS, self._read_projects))
        runs.extend(self._run_kind(str(spec.kind), KindSync(self, spec)) for spec in specs)
        return runs

    def _run_kind(self, kind: str, read: Callable[[SyncRun, HeldLease], None]) -> SyncRun:
        """Read one kind under its lease, and record in its row how that ended, whatever ended it."""
        calls = self.cloud.calls
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
                    read(run, held)
                    outcome, reason = RunOutcome.COMPLETE, ""
                except (ProviderError, DomainError, DatabaseError, InterfaceError) as error:
                    outcome, reason = _OUTCOMES.get(type(error), RunOutcome.FAILED), describe(error)
                    is_short_of_calls = isinstance(error, RateBudgetTooSmall | BudgetExhausted)
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
            return record_skipped(
                kind=kind, mode=self.mode, actor=self.actor, at=self.clock.now(), reason=error.detail
            )

    def _refuse(self, specs: Sequence[KindSpec], error: Exception) -> list[SyncRun]:
        """Record for each kind that it was not read, and why."""

        def fail(_run: SyncRun, _held: HeldLease) -> None:
            raise error

        return [self._run_kind(str(spec.kind), fail) for spec in specs]

    def require_rate_budget(self, run: SyncRun) -> None:
        """Raise RateBudgetTooSmall where the run wouldn't fit into what is left of the hour's calls."""
        if shortage := missing_calls(run, self.cloud.budget.left_this_hour()):
            raise RateBudgetTooSmall(shortage)

    def _read_projects(self, run: SyncRun, _held: HeldLease) -> None:
        self.require_rate_budget(run)
        progress = Progress(calls_before=self.cloud.calls)
        found = sync_projects(self.cloud, progress=progress, now=self.clock.now)
        self.membership, self.membership_at = found.project_of, found.asked_at
        progress.seen = progress.expected = found.projects
        retry_while_database_is_down(lambda: record_progress(run, progress, ObservationCounts()))


@dataclass(slots=True)
class KindSync:
    """The reading of one kind; called with its run and lease."""

    sync: Sync
    spec: KindSpec
    parent_of: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def __call__(self, run: SyncRun, held: HeldLease) -> None:
        self.sync.require_rate_budget(run)
        self._observe_all(run)
        # A fast run reads too little of the account to conclude anything from an absence.
        if self.sync.mode == RunMode.FAST:
            return
        absences = retry_while_database_is_down(lambda: count_absences(self.spec, run))
        if absences.is_suspicious and not self.sync.confirm_loss:
            raise SuspiciousLoss(
                f"{absences}: nothing was struck. A token that lost a scope looks like this; if they are "
                f"really gone: manage.py sync_inventory --kind {self.spec.kind} --confirm-loss"
            )
        # Strikes before tombstones: the third strike of this run is checked by this run.
        strike_absent(self.spec, run, held)
        tombstone_confirmed(self.spec, run, self.sync.cloud, self.sync.clock.now, self._origin(run))

    def _origin(self, run: SyncRun) -> Origin:
        return Origin(actor=self.sync.actor, source=f"run:{run.pk}")

    def _observe_all(self, run: SyncRun) -> None:
        """Read every list of the kind, and write it batch by batch as it comes."""
        # Once a run, and from the rows: the parents' own runs have stored what they list.
        self.parent_of = read_parents(self.spec)
        progress = Progress(calls_before=self.sync.cloud.calls)
        for pages in read_lists(self.spec, self.sync.cloud, progress):
            batch: list[Observation] = []
            # A batch has one time, and that must be before its first page was asked for: later, and it would
            # overwrite what a saga has seen in between.
            asked_at, due = self.sync.clock.now(), time.monotonic() + _UNWRITTEN_SECONDS
            try:
                for page in pages:
                    batch.extend(self._observations(page.items))
                    if len(batch) >= _BATCH or time.monotonic() > due:
                        self._write(batch, asked_at, run, progress)
                        batch, asked_at = [], self.sync.clock.now()
                        due = time.monotonic() + _UNWRITTEN_SECONDS
                    if self.sync.report:
                        self.sync.report(run.kind, progress)
            except ProviderError:
                # The run has failed, but what it has read before is true all the same.
                self._write(batch, asked_at, run, progress)
                raise
            self._write(batch, asked_at, run, progress)

    def _observations(self, records: Iterable[object]) -> Iterator[Observation]:
        for record in records:
            seen = map_record(self.spec, self.sync.cloud, record)
            if seen is not None:
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
            record_progress(run, progress, counts)

        retry_while_database_is_down(write)
