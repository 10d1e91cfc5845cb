"""The main job's pipeline, run by `bin/run --once`. A stage works on what the earlier ones left."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, timedelta
from typing import Final

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from arcadia_cloud.digitalocean.errors import ProviderError
from arcadia_cloud.kernel.errors import DomainError, describe
from arcadia_cloud.kernel.leases import LeaseHeld
from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period, month_of
from billing.queries import MarginBy, SpreadRule, invoices_to_push, report_margin, unpriced_resources
from billing.services import (
    compute_daily_costs,
    compute_margins,
    detect_cost_anomalies,
    ingest_invoices,
    push_invoices,
    read_provider_prices,
    read_reported_costs,
    run_audit,
    snapshot_balance,
    update_history,
)
from billing.states import IngestStatus
from billing.values import AuditSeverity
from catalog.values.lines import LineType
from deployments.queries import subscriptions_for_quotes
from deployments.states import LIVE_SUBSCRIPTIONS
from drift.queries import summarize_drift
from drift.services import detect_all
from inventory.models import SyncRun
from inventory.services import Progress, sync_inventory
from inventory.values import RunMode, RunOutcome
from metering.queries import quote_usage
from metering.services import meter_day
from metering.values import MeteringCounts

_NAMED = 3
_METERED_DAYS: Final = 10
_LEASE_WAIT_SECONDS: Final = 300
ReportProgress = Callable[[str], None]  # takes a few words on a stage's progress
REFUSALS = (DomainError, ProviderError, DatabaseError, InterfaceError)


@dataclass(frozen=True, slots=True)
class StageResult:
    """One result of a stage. `counts` are its figures by name; `error` is empty when it went well."""

    stage: str
    counts: Mapping[str, int]
    seconds: float
    error: str = ""

    @property
    def status(self) -> str:
        """`ok` or `failed`."""
        return "failed" if self.error else "ok"

    def to_json(self) -> str:
        """Return it as one JSON object, on one line."""
        return json.dumps(
            {
                "stage": self.stage,
                "status": self.status,
                "counts": dict(self.counts),
                "seconds": round(self.seconds, 3),
                "error": self.error,
            }
        )


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the job. `run` yields its results, and reports its progress meanwhile."""

    name: str
    run: Callable[[ReportProgress], Iterable[StageResult]]


def run_stages(stages: Sequence[Stage], report: ReportProgress) -> Iterator[StageResult]:
    """Run the stages in order and yield their results as they come, whichever of them fail.

    None needs that another went well: invoices are matched with what is known, and only those are pushed
    that were ingested. Where a worker of the stack is at a stage's work, the stage waits for it.
    """
    for stage in stages:
        started = time.monotonic()
        try:
            yield from _run_when_free(stage, report)
        except REFUSALS as refusal:
            yield StageResult(stage.name, {}, _since(started), describe(refusal))


def _run_when_free(stage: Stage, report: ReportProgress) -> Iterator[StageResult]:
    deadline = time.monotonic() + _LEASE_WAIT_SECONDS
    while True:
        try:
            yield from stage.run(report)
        except LeaseHeld:
            # Taken before anything is yielded: what runs again is the whole stage.
            if time.monotonic() > deadline:
                raise
            report(f"{stage.name}: a worker is at it")
            time.sleep(1)
        else:
            return


def run_sync(report: ReportProgress) -> Iterator[StageResult]:
    """Sync every kind, the slow ones too; a result per kind."""

    def report_kind(kind: str, progress: Progress) -> None:
        of = f" of {progress.expected}" if progress.expected is not None else ""
        report(f"{kind}: {progress.seen}{of}")

    for mode in (RunMode.FULL, RunMode.SLOW):
        for run in sync_inventory(mode=mode, actor="bin/run --once", report=report_kind):
            yield _sync_result(run)


def run_billing(report: ReportProgress) -> Iterator[StageResult]:
    """Store the balance, read the billing history, ingest every invoice that isn't; one result."""
    started = time.monotonic()
    report("balance and invoices: the history")
    snapshot_balance(at=timezone.now())
    found = update_history(at=timezone.now(), enqueue=False)
    done = list(
        ingest_invoices(
            found.to_ingest, report=lambda number, of: report(f"balance and invoices: {number} of {of}")
        )
    )
    totals = [each.totals for each in done if each.totals]
    lines, matched, taxes = (
        sum(getattr(each, name) for each in totals) for name in ("count", "matched", "taxes")
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
    yield StageResult("balance and invoices", counts, _since(started), error)


def run_prices(report: ReportProgress) -> Iterator[StageResult]:
    """Read what droplet sizes cost, and seed the list prices of the other kinds; one result."""
    started = time.monotonic()
    report("provider prices: droplet sizes")
    counts = read_provider_prices(day=timezone.now().astimezone(UTC).date())
    yield StageResult("provider prices", {"begun": counts.begun, "ended": counts.ended}, _since(started))


def run_reported_costs(report: ReportProgress) -> Iterator[StageResult]:
    """Read the costs that the provider reports by day, where the token may; one result."""
    started = time.monotonic()
    read = read_reported_costs(
        at=timezone.now(), report=lambda day, of: report(f"reported costs: {day} of {of} days")
    )
    # A token that may not read them is no failure: the days have their other sources.
    counts = {"days": read.days, "items": read.items, "refused": int(bool(read.refusal))}
    yield StageResult("reported costs", counts, _since(started))


def run_daily_costs(report: ReportProgress) -> Iterator[StageResult]:
    """Compute the costs of every day that is due, fourteen months at first; one result."""
    started = time.monotonic()
    at = timezone.now()
    done = compute_daily_costs(at=at, report=lambda day, of: report(f"daily costs: {day} of {of} days"))
    unpriced = unpriced_resources(day=at.astimezone(UTC).date())
    counts = {"days": done.days, "rows": done.rows, "unpriced": sum(each.count for each in unpriced)}
    yield StageResult("daily costs", counts, _since(started))


def run_anomalies(report: ReportProgress) -> Iterator[StageResult]:
    """Judge the costs of the last days; one result."""
    started = time.monotonic()
    counts = detect_cost_anomalies(
        at=timezone.now(), report=lambda number, of: report(f"cost anomalies: {number} of {of}")
    )
    yield StageResult("cost anomalies", asdict(counts), _since(started))


def run_push(report: ReportProgress) -> Iterator[StageResult]:
    """Push every invoice that finance hasn't got; one result."""
    started = time.monotonic()
    pks = invoices_to_push(at=timezone.now())
    pushed = list(push_invoices(pks, report=lambda number, of: report(f"push to finance: {number} of {of}")))
    counts = Counter(each.action for each in pushed if each.action)
    if len(pushed) < len(pks):
        counts["skipped"] = len(pks)  # pushing is switched off; that is no failure
    errors = Counter(each.error for each in pushed if each.error)
    error = "; ".join(f"{words} ({count} invoices)" for words, count in errors.most_common(_NAMED))
    yield StageResult("push to finance", counts, _since(started), error)


def run_drift(report: ReportProgress) -> Iterator[StageResult]:
    """Compare every desired state with its resource; one result."""
    started = time.monotonic()
    report("drift: comparing")
    counts = asdict(detect_all(at=timezone.now()))
    summary = summarize_drift()
    covered = sum(coverage.covered for coverage in summary.coverage)
    live = sum(coverage.live for coverage in summary.coverage)
    figures = {**counts, "open": summary.open, "covered": covered, "not covered": live - covered}
    yield StageResult("drift", figures, _since(started))


def run_metering(report: ReportProgress) -> Iterator[StageResult]:
    """Meter the last ten days again or for the first time, oldest first; one result."""
    started = time.monotonic()
    at = timezone.now()
    today = at.astimezone(UTC).date()
    counts = MeteringCounts()
    for day in Period(today - timedelta(days=_METERED_DAYS), today):
        report(f"meter: {day}")
        counts += meter_day(day, at=at)
    figures = {"days": _METERED_DAYS, "records": counts.inserted, "corrected": counts.corrected}
    yield StageResult(
        "meter", {**figures, "removed": counts.removed, "unsized": counts.unsized}, _since(started)
    )


def run_quotes(report: ReportProgress) -> Iterator[StageResult]:
    """Quote the running period of every deployment with a live subscription; a result for each."""
    for subscription in (
        subscriptions_for_quotes().filter(status__in=LIVE_SUBSCRIPTIONS).order_by("deployment")
    ):
        name = str(subscription.deployment)
        report(f"quote: {name}")
        started = time.monotonic()
        quote = quote_usage(subscription, subscription.current_period)
        usages = [line for line in quote.lines if line.used]
        counts = {
            f"{quote.currency} cents": quote.total.cents,
            "kinds used": len(usages),
            "over their allowance": sum(bool(line.overage) for line in usages),
            "unpriced": sum(line.type == LineType.UNPRICED for line in usages),
        }
        yield StageResult(f"quote {name}", counts, _since(started))


def _since(started: float) -> float:
    return time.monotonic() - started


def run_margin(report: ReportProgress) -> Iterator[StageResult]:
    """Store what the months that are due earned and cost, and sum up the running one; one result."""
    started = time.monotonic()
    at = timezone.now()
    months = compute_margins(at=at, report=lambda number, of: report(f"margin: {number} of {of} months"))
    found = report_margin(month=month_of(at), by=MarginBy.DEPLOYMENT, spread=SpreadRule.NONE, at=at)
    of_deployments = [row.figures for row in found.rows if row.key is not None]
    counts = {"months": months, "deployments": len(of_deployments)}
    # Without a day of costs, as on the first of a month, nobody knows who loses money.
    if (margin := found.known(found.total).margin) is not None:
        counts["losing money"] = sum(figures.margin < 0 for figures in of_deployments)
        counts[f"{found.currency} cents"] = Money(margin, found.currency).cents
    yield StageResult("margin", counts, time.monotonic() - started)


def run_money_audit(report: ReportProgress) -> Iterator[StageResult]:
    """Judge the whole book by every rule; one result. Findings are counted: they fail no stage."""
    started = time.monotonic()
    report("money audit: every rule")
    results = run_audit(at=timezone.now(), actor="bin/run --once")
    counts = {
        str(severity): sum(len(each.faults) for each in results if each.rule.severity == severity)
        for severity in AuditSeverity
    }
    counts["opened"] = sum(each.opened for each in results)
    counts["closed"] = sum(each.closed for each in results)
    yield StageResult("money audit", {"rules": len(results), **counts}, _since(started))


def _sync_result(run: SyncRun) -> StageResult:
    counts = {
        "seen": run.seen,
        "discovered": run.discovered,
        "updated": run.updated,
        "restored": run.restored,
        "struck": run.struck,
        "deleted": run.deleted,
    }
    # Its row has the reason, and a later run reads it, or goes on: that is no failure.
    if run.outcome in {RunOutcome.SKIPPED, RunOutcome.INTERRUPTED}:
        counts[str(run.outcome)] = 1
    well = run.outcome in {RunOutcome.COMPLETE, RunOutcome.SKIPPED, RunOutcome.INTERRUPTED}
    error = "" if well else run.error or str(run.get_outcome_display())
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at else 0.0
    return StageResult(f"sync {run.kind}", counts, seconds, error)


STAGES: Sequence[Stage] = (
    Stage("sync", run_sync),
    Stage("balance and invoices", run_billing),
    Stage("provider prices", run_prices),
    Stage("reported costs", run_reported_costs),
    Stage("push to finance", run_push),
    Stage("drift", run_drift),
    Stage("meter", run_metering),
    Stage("daily costs", run_daily_costs),
    Stage("cost anomalies", run_anomalies),
    Stage("quote", run_quotes),
    Stage("margin", run_margin),
    # Last: it judges what all the others have written.
    Stage("money audit", run_money_audit),
)
