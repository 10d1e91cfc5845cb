"""Sync runs: one row per kind and pass, written while it goes on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F
from django.db.models.functions import Now

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.database import retry_while_database_is_down
from inventory.models import SyncRun
from inventory.observation.observe import ObservationCounts
from inventory.sync import hooks
from inventory.values import RunMode, RunOutcome

KEPT_FOR = timedelta(days=90)
_ALERTS = {RunOutcome.SUSPICIOUS: "sync_suspicious", RunOutcome.FAILED: "sync_failed"}


@dataclass(slots=True)
class Progress:
    """How far a run's reading is. `calls_before` are the client's calls for other runs."""

    calls_before: int = 0
    pages: int = 0
    api_calls: int = 0
    seen: int = 0
    expected: int | None = None


def start_run(*, kind: str, mode: RunMode, requested_by: str, at: datetime) -> SyncRun:
    """Open a run. Earlier ones of the kind that never ended were killed: they are closed as failed.

    Called with the kind's lease in hand, so no other run of it can be alive.
    """
    SyncRun.objects.filter(kind=kind, outcome=RunOutcome.RUNNING).update(
        outcome=RunOutcome.FAILED, finished_at=at, error="the process that ran it ended without finishing it"
    )
    return SyncRun.objects.create(kind=kind, mode=mode, requested_by=requested_by, started_at=at)


def record_skipped(*, kind: str, mode: RunMode, requested_by: str, at: datetime, why: str) -> SyncRun:
    """Keep that a run did not take place, and why."""
    return SyncRun.objects.create(
        kind=kind,
        mode=mode,
        requested_by=requested_by,
        started_at=at,
        finished_at=at,
        outcome=RunOutcome.SKIPPED,
        error=why,
    )


def missing_calls(run: SyncRun, calls_left: int | None) -> str:
    """Why this run wouldn't fit into the hour's remaining calls, by what its kind's last took; else ""."""
    last = SyncRun.objects.filter(kind=run.kind, outcome=RunOutcome.COMPLETE).order_by("-started_at").first()
    if calls_left is None or last is None or last.api_calls <= calls_left:
        return ""
    return f"it takes about {last.api_calls} calls, but {calls_left} are left of this hour's"


def forget_old_runs(*, at: datetime) -> int:
    """Delete the runs that began more than 90 days before `at`; return how many. Events keep their names."""
    deleted, _ = SyncRun.objects.filter(started_at__lt=at - KEPT_FOR).delete()
    return deleted


def record_progress(run: SyncRun, progress: Progress, batch: ObservationCounts) -> None:
    """Write how far a run is; in the transaction of `batch`, so that its counts are what was committed."""
    SyncRun.objects.filter(pk=run.pk).update(
        pages=progress.pages,
        api_calls=progress.api_calls,
        seen=progress.seen,
        expected=progress.expected,
        discovered=F("discovered") + batch.discovered,
        updated=F("updated") + batch.updated,
        restored=F("restored") + batch.restored,
    )


def finish_run(
    run: SyncRun, outcome: RunOutcome, *, error: str = "", api_calls: int | None = None
) -> SyncRun:
    """Close a run, with the reason where it isn't complete, and tell the operators what needs a hand.

    Waits for a database that restarts. A complete run closes its kind's alerts; a fast one doesn't, since
    it looks away from what the others tripped over.
    """
    changes: dict[str, object] = {"outcome": outcome, "finished_at": Now(), "error": error}
    if api_calls is not None:
        changes["api_calls"] = api_calls
    retry_while_database_is_down(lambda: SyncRun.objects.filter(pk=run.pk).update(**changes))
    run.refresh_from_db()
    subject = f"kind:{run.kind}"
    if code := _ALERTS.get(outcome):
        raise_alert(
            code=code,
            subject=subject,
            message=f"Sync of {run.kind_in_words}: {error}",
            details={"run": run.pk},
        )
    elif outcome == RunOutcome.COMPLETE and run.mode != RunMode.FAST:
        for code in _ALERTS.values():
            resolve_alert(code=code, subject=subject, actor=f"run:{run.pk}")
    if run.discovered or run.restored:
        hooks.notify_discovered(run.kind)
    return run
