"""Sync runs: one row per kind and pass, written while it runs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F
from django.db.models.functions import Now

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.database import retry_while_database_is_down
from inventory.models import SyncRun
from inventory.observation.observe import ObservationCounts
from inventory.sync import hooks
from inventory.values import STALE_AFTER, STALE_SLOW_AFTER, RunMode, RunOutcome

_ALERTS: Final = {RunOutcome.SUSPICIOUS: "sync_suspicious", RunOutcome.FAILED: "sync_failed"}
_SHORT_OF_CALLS: Final = "sync_short_of_calls"


@dataclass(slots=True)
class Progress:
    """The progress of a run. `calls_before` are the client's calls for other runs."""

    calls_before: int = 0
    pages: int = 0
    api_calls: int = 0
    seen: int = 0
    expected: int | None = None


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


def missing_calls(run: SyncRun, calls_left: int | None) -> str:
    """Return by how much a run exceeds the hour's remaining calls, judged by its kind's last run; else ""."""
    last = SyncRun.objects.filter(kind=run.kind, outcome=RunOutcome.COMPLETE).order_by("-started_at").first()
    if calls_left is None or last is None or last.api_calls <= calls_left:
        return ""
    return f"it takes about {last.api_calls} calls, but {calls_left} are left of this hour's"


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


def finish_run(
    run: SyncRun,
    outcome: RunOutcome,
    *,
    error: str = "",
    api_calls: int | None = None,
    is_short_of_calls: bool = False,
) -> SyncRun:
    """Close a run, with the reason where it isn't complete, and raise an alert where an operator is needed.

    `is_short_of_calls`: it was skipped, since the hour's calls don't reach for it. Waits for a database that
    restarts. A complete run closes its kind's alerts; a fast one doesn't, since it doesn't read what the
    others failed at.
    """
    changes: dict[str, object] = {"outcome": outcome, "finished_at": Now(), "error": error}
    if api_calls is not None:
        changes["api_calls"] = api_calls
    retry_while_database_is_down(lambda: SyncRun.objects.filter(pk=run.pk).update(**changes))
    run.refresh_from_db()
    subject = f"kind:{run.kind}"
    code = _ALERTS.get(outcome)
    # One hour without calls is nothing; a kind that they haven't reached for long may never be read.
    limit = STALE_SLOW_AFTER if run.mode == RunMode.SLOW else STALE_AFTER
    complete = SyncRun.objects.filter(kind=run.kind, outcome=RunOutcome.COMPLETE)
    if is_short_of_calls and not complete.filter(finished_at__gt=Now() - limit).exists():
        code = _SHORT_OF_CALLS
    if code:
        raise_alert(
            code=code,
            subject=subject,
            message=f"Sync of {run.kind_label}: {error}",
            details={"run": run.pk},
        )
    elif outcome == RunOutcome.COMPLETE and run.mode != RunMode.FAST:
        resolve_sync_alerts(run.kind, actor=f"run:{run.pk}")
    # After the run's last commit: a listener's worker must find the rows.
    if run.discovered or run.restored:
        hooks.notify_discovered(run.kind)
    return run


def resolve_sync_alerts(kind: str, *, actor: str) -> None:
    """Resolve the alerts of a kind's runs: it was read completely, or isn't to be read any more."""
    for code in (*_ALERTS.values(), _SHORT_OF_CALLS):
        resolve_alert(code=code, subject=f"kind:{kind}", actor=actor)
