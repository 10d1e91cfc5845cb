"""Sync runs: one row per kind and pass, written while it runs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F
from django.db.models.functions import Now

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.database import retry_while_database_is_down
from arcadia_cloud.kernel.queue.shutdown import is_stopping
from inventory.kinds import registry
from inventory.models import SyncRun
from inventory.observation.observe import ObservationCounts
from inventory.states import RUN_LIFECYCLE
from inventory.sync import hooks
from inventory.sync.readings import ReadingInterrupted
from inventory.values import RunMode, RunOutcome

_ALERTS: Final = {RunOutcome.SUSPICIOUS: "sync_suspicious", RunOutcome.FAILED: "sync_failed"}
_SHORT_OF_CALLS: Final = "sync_short_of_calls"


@dataclass(slots=True)
class Progress:
    """The progress of a run. `calls_before` are the client's calls for other runs.

    `allowed_calls` is the run's share of the hour's, None where it may make as many as it likes. Only with
    `is_interruptible` may it be stopped at a page.
    """

    calls_before: int = 0
    allowed_calls: int | None = None
    is_interruptible: bool = False
    pages: int = 0
    api_calls: int = 0
    seen: int = 0
    expected: int | None = None

    def assert_may_go_on(self) -> None:
        """Raise ReadingInterrupted where the worker is being stopped, or the run's calls are spent."""
        if not self.is_interruptible:
            return
        if is_stopping():
            raise ReadingInterrupted("its worker is being stopped")
        if self.allowed_calls is not None and self.api_calls >= self.allowed_calls:
            raise ReadingInterrupted(
                f"its share of the hour's calls, {self.allowed_calls}, is spent", is_short_of_calls=True
            )


def start_run(*, kind: str, mode: RunMode, actor: str, at: datetime) -> SyncRun:
    """Open a run. Earlier ones of the kind that never ended were killed: they are closed as failed.

    Called while holding the kind's lease, so no other run of it can be alive.
    """
    # Without this, the console would show a killed run's progress for ever.
    SyncRun.objects.filter(kind=kind, outcome=RunOutcome.RUNNING).update(
        outcome=RunOutcome.FAILED, finished_at=at, error="the process that ran it ended without finishing it"
    )
    return SyncRun.objects.create(kind=kind, mode=mode, requested_by=actor, started_at=at)


def record_skipped(*, kind: str, mode: RunMode, actor: str, at: datetime, reason: str) -> SyncRun:
    """Record that a run did not take place, and why."""
    return SyncRun.objects.create(
        kind=kind,
        mode=mode,
        requested_by=actor,
        started_at=at,
        finished_at=at,
        outcome=RunOutcome.SKIPPED,
        error=reason,
    )


def is_interrupted(kind: str) -> bool:
    """Return whether the newest run of the kind that read any of it was interrupted."""
    runs = SyncRun.objects.filter(kind=kind).exclude(outcome=RunOutcome.SKIPPED).order_by("-started_at")
    return runs.values_list("outcome", flat=True).first() == RunOutcome.INTERRUPTED


def record_progress(run: SyncRun, progress: Progress, batch: ObservationCounts) -> None:
    """Write the progress of a run, in the transaction of `batch`: its counts are then what was committed."""
    SyncRun.objects.filter(pk=run.pk).update(
        pages=progress.pages,
        api_calls=progress.api_calls,
        seen=progress.seen,
        expected=progress.expected,
        # Added up by the database, as each batch commits: this process's sums may be of a lost transaction.
        discovered=F("discovered") + batch.discovered,
        updated=F("updated") + batch.updated,
        restored=F("restored") + batch.restored,
    )


def record_coverage(run: SyncRun, *, needed_calls: int | None, oldest_part_at: datetime | None) -> None:
    """Write what a whole reading takes, and how old the oldest part is of what the run goes by."""
    changes = {"needed_calls": needed_calls, "oldest_part_at": oldest_part_at}
    retry_while_database_is_down(lambda: SyncRun.objects.filter(pk=run.pk).update(**changes))


def finish_run(
    run: SyncRun,
    outcome: RunOutcome,
    *,
    error: str = "",
    api_calls: int | None = None,
    is_short_of_calls: bool = False,
) -> SyncRun:
    """Close a run, with the reason where it isn't complete, and raise an alert where an operator is needed.

    `is_short_of_calls`: the hour's calls don't reach for it. One that is complete may be short of them too,
    where it goes by parts that are too old. Waits for a database that restarts. A complete run closes its
    kind's other alerts; a fast one doesn't, since it doesn't read what the others failed at. One that lost
    its lease and was closed by its successor stays as it is. Raises IllegalTransition for no outcome.
    """
    RUN_LIFECYCLE.assert_allows(RunOutcome.RUNNING, outcome, f"sync run {run.pk}")
    changes: dict[str, object] = {"outcome": outcome, "finished_at": Now(), "error": error}
    if api_calls is not None:
        changes["api_calls"] = api_calls
    # Only while it runs. A repeat after a lost answer finds the row as it wanted it.
    still_running = SyncRun.objects.filter(pk=run.pk, outcome=RunOutcome.RUNNING)
    retry_while_database_is_down(lambda: still_running.update(**changes))
    run.refresh_from_db()
    if run.outcome != outcome:
        return run
    subject = f"kind:{run.kind}"
    code = _ALERTS.get(outcome)
    # One hour without calls is nothing; a kind that they haven't reached for long may never be read.
    limit = registry.stale_after(run.kind)
    complete = SyncRun.objects.filter(kind=run.kind, outcome=RunOutcome.COMPLETE)
    is_behind = (
        run.oldest_part_at is not None
        and complete.filter(pk=run.pk, oldest_part_at__lt=Now() - limit).exists()
    )
    if is_behind or (is_short_of_calls and not complete.filter(finished_at__gt=Now() - limit).exists()):
        code = _SHORT_OF_CALLS
    if code:
        raise_alert(
            code=code,
            subject=subject,
            message=f"Sync of {run.kind_label}: {error}",
            details={"run": run.pk},
        )
    if outcome == RunOutcome.COMPLETE and run.mode != RunMode.FAST:
        resolve_sync_alerts(run.kind, actor=f"run:{run.pk}", but=code)
    # After the run's last commit: a listener's worker must find the rows.
    if run.discovered or run.restored:
        hooks.notify_discovered(run.kind)
    return run


def resolve_sync_alerts(kind: str, *, actor: str, but: str | None = None) -> None:
    """Resolve the alerts of a kind's runs: it was read completely, or isn't to be read any more.

    `but` is the code of one that has just been raised.
    """
    for code in (*_ALERTS.values(), _SHORT_OF_CALLS):
        if code != but:
            resolve_alert(code=code, subject=f"kind:{kind}", actor=actor)
