"""The main job, stage by stage: what `bin/run --once` does. A stage works on what the earlier ones left."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from arcadia_cloud.digitalocean.errors import ProviderError
from arcadia_cloud.kernel.errors import DomainError, describe
from billing.queries import invoices_to_push
from billing.services import ingest_invoices, push_invoices, snapshot_balance, update_history
from billing.states import IngestStatus
from inventory.models import SyncRun
from inventory.services import sync_inventory
from inventory.sync.run_records import Progress
from inventory.values import RunMode, RunOutcome

_NAMED = 3
ReportProgress = Callable[[str], None]  # takes a few words on how far a stage is
REFUSALS = (DomainError, ProviderError, DatabaseError, InterfaceError)


@dataclass(frozen=True, slots=True)
class Line:
    """One result of a stage. `counts` are its figures by name; `error` is empty when it went well."""

    stage: str
    counts: Mapping[str, int]
    seconds: float
    error: str = ""

    @property
    def status(self) -> str:
        """`ok` or `failed`."""
        return "failed" if self.error else "ok"


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the job. `run` yields its lines, and tells its progress meanwhile."""

    name: str
    run: Callable[[ReportProgress], Iterable[Line]]


def perform(stages: Sequence[Stage], tell: ReportProgress) -> Iterator[Line]:
    """Run the stages in order and yield their lines as they come. After a failed stage none follows."""
    for stage in stages:
        started = time.monotonic()
        well = True
        try:
            for line in stage.run(tell):
                well = well and not line.error
                yield line
        except REFUSALS as refusal:
            yield Line(stage.name, {}, time.monotonic() - started, describe(refusal))
            return
        if not well:
            return


def sync(tell: ReportProgress) -> Iterator[Line]:
    """Sync every kind, the slow ones too; a line per kind."""

    def report(kind: str, progress: Progress) -> None:
        of = f" of {progress.expected}" if progress.expected is not None else ""
        tell(f"{kind}: {progress.seen}{of}")

    for mode in (RunMode.FULL, RunMode.SLOW):
        for run in sync_inventory(mode=mode, actor="bin/run --once", report=report):
            yield _sync_line(run)


def bill(tell: ReportProgress) -> Iterator[Line]:
    """Keep the balance, read the billing history, ingest every invoice that isn't; one line."""
    started = time.monotonic()
    tell("balance and invoices: the history")
    snapshot_balance(at=timezone.now())
    found = update_history(at=timezone.now(), enqueue=False)
    done = list(
        ingest_invoices(
            found.to_ingest, report=lambda number, of: tell(f"balance and invoices: {number} of {of}")
        )
    )
    kept = [each.totals for each in done if each.totals]
    lines, matched, taxes = (
        sum(getattr(each, name) for each in kept) for name in ("count", "matched", "taxes")
    )
    counts = {
        "new invoices": found.invoices,
        "new entries": found.entries,
        "ingested": sum(each.invoice.ingest_status == IngestStatus.INGESTED for each in done),
        "lines": lines,
        "matched": matched,
        "unmatched": lines - matched - taxes,
        "tax": taxes,
    }
    undone = [each.invoice for each in done if each.invoice.ingest_status != IngestStatus.INGESTED]
    error = "; ".join(f"{invoice}: {invoice.ingest_error}" for invoice in undone[:_NAMED])
    yield Line("balance and invoices", counts, time.monotonic() - started, error)


def push(tell: ReportProgress) -> Iterator[Line]:
    """Tell finance of every invoice that it hasn't got; one line."""
    started = time.monotonic()
    pks = invoices_to_push(at=timezone.now())
    pushed = list(push_invoices(pks, report=lambda number, of: tell(f"push to finance: {number} of {of}")))
    counts = Counter(each.action for each in pushed if each.action)
    if len(pushed) < len(pks):
        counts["skipped"] = len(pks)  # pushing is switched off; that is no failure
    errors = Counter(each.error for each in pushed if each.error)
    error = "; ".join(f"{words} ({count} invoices)" for words, count in errors.most_common(_NAMED))
    yield Line("push to finance", counts, time.monotonic() - started, error)


def _sync_line(run: SyncRun) -> Line:
    counts = {
        "seen": run.seen,
        "discovered": run.discovered,
        "updated": run.updated,
        "restored": run.restored,
        "struck": run.struck,
        "deleted": run.deleted,
    }
    if run.outcome == RunOutcome.SKIPPED:
        counts["skipped"] = 1  # its row tells why; that is no failure
    well = run.outcome in {RunOutcome.COMPLETE, RunOutcome.SKIPPED}
    error = "" if well else run.error or str(run.get_outcome_display())
    return Line(f"sync {run.kind}", counts, _seconds(run.started_at, run.finished_at), error)


def _seconds(started_at: datetime, finished_at: datetime | None) -> float:
    return (finished_at - started_at).total_seconds() if finished_at else 0.0


STAGES: Sequence[Stage] = (
    Stage("sync", sync),
    Stage("balance and invoices", bill),
    Stage("push to finance", push),
)
