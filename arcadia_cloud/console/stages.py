"""The main job, stage by stage: what `bin/run --once` does. A stage works on what the earlier ones left."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, InterfaceError

from arcadia_cloud.digitalocean.errors import ProviderError
from arcadia_cloud.kernel.errors import DomainError
from inventory.models import SyncRun
from inventory.runs import Progress
from inventory.services import sync_inventory
from inventory.sync import in_words
from inventory.values import RunMode, RunOutcome

Tell = Callable[[str], None]  # takes a few words on how far a stage is
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
    run: Callable[[Tell], Iterable[Line]]


def perform(stages: Sequence[Stage], tell: Tell) -> Iterator[Line]:
    """Run the stages in order and yield their lines as they come. After a failed stage none follows."""
    for stage in stages:
        started = time.monotonic()
        well = True
        try:
            for line in stage.run(tell):
                well = well and not line.error
                yield line
        except REFUSALS as refusal:
            yield Line(stage.name, {}, time.monotonic() - started, in_words(refusal))
            return
        if not well:
            return


def sync(tell: Tell) -> Iterator[Line]:
    """Sync every kind, the slow ones too; a line per kind."""

    def report(kind: str, progress: Progress) -> None:
        of = f" of {progress.expected}" if progress.expected is not None else ""
        tell(f"{kind}: {progress.seen}{of}")

    for mode in (RunMode.FULL, RunMode.SLOW):
        for run in sync_inventory(mode=mode, requested_by="bin/run --once", report=report):
            yield _sync_line(run)


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


STAGES: Sequence[Stage] = (Stage("sync", sync),)
