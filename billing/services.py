"""The writes of billing, as the tasks, the commands, the console and the main job call them.

One invoice is the unit; many are a loop over it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.finance import Finance
from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.leases import LeaseHeld, LeaseLost, lease
from arcadia_cloud.kernel.periods import Period
from arcadia_cloud.kernel.queue.nudge import nudge, publish_now
from arcadia_cloud.kernel.states import StaleState
from billing import balance, finance_push
from billing.costs.anomalies.detect import AnomalyCounts, detect
from billing.costs.anomalies.dismiss import LONGEST_REASON, dismiss_anomaly
from billing.costs.audit.run import RuleResult, run_audit
from billing.costs.clean_up import CleanUpOutcome, plan_clean_up, start_clean_up
from billing.costs.days import CostDaysResult, compute_due_days, make_days_due, plan_days
from billing.costs.margin_months import compute_margin_months
from billing.costs.prices import PriceCounts, keep_size_prices, seed_prices
from billing.costs.reported import ReportedResult, read_reported_days
from billing.costs.simulation.retention import prune_simulations
from billing.costs.simulation.run import request_simulation, run_simulation, unattended_simulations
from billing.finance_push import NotPushable, PushResult, assert_pushable
from billing.history import HistoryResult, read_history
from billing.ingest import accept_mismatch as acceptance
from billing.ingest.ingest_invoice import IngestResult, ingest_invoice
from billing.matching import rematch
from billing.models import BalanceSnapshot, ExchangeRate, PlanSimulation, ProviderInvoice
from billing.queries import invoices_to_ingest, invoices_to_push
from billing.states import PushStatus
from billing.unread_alert import BALANCE, HISTORY, alert_while_unread
from billing.values import CostSource

__all__ = [
    "AUDIT_TASK",
    "BALANCE_TASK",
    "COSTS_TASK",
    "HISTORY_TASK",
    "INGEST_TASK",
    "LONGEST_REASON",
    "PUSH_TASK",
    "SIMULATE_TASK",
    "AnomalyCounts",
    "CleanUpOutcome",
    "CostDaysResult",
    "IngestResult",
    "PriceCounts",
    "PushResult",
    "ReportedResult",
    "RuleResult",
    "SweepCounts",
    "accept_mismatch",
    "add_exchange_rates",
    "compute_daily_costs",
    "compute_margins",
    "detect_cost_anomalies",
    "dismiss_anomaly",
    "ingest_and_push",
    "ingest_file",
    "ingest_invoices",
    "plan_clean_up",
    "prune_simulations",
    "push_if_due",
    "push_invoices",
    "read_provider_prices",
    "read_reported_costs",
    "recompute_after_price_change",
    "rematch",
    "request_audit",
    "request_ingest",
    "request_plan_simulation",
    "request_push",
    "run_audit",
    "run_if_unattended",
    "run_simulation",
    "seed_prices",
    "snapshot_balance",
    "start_clean_up",
    "sweep",
    "sweep_simulations",
    "update_history",
]

PURPOSE: Final = "BILLING"
SIZES_PURPOSE: Final = "SYNC"  # a billing token may read no sizes
QUEUE: Final = "cloud_billing"
INGEST_TASK: Final = "billing.ingest_invoice"
PUSH_TASK: Final = "billing.push_invoice"
AUDIT_TASK: Final = "billing.audit_money"
COSTS_TASK: Final = "billing.compute_daily_costs"
BALANCE_TASK: Final = "billing.snapshot_balance"
HISTORY_TASK: Final = "billing.read_history"
SIMULATE_TASK: Final = "billing.simulate_plan"

_LONGEST_COUNTDOWN: Final = timedelta(minutes=30)

ReportProgress = Callable[[int, int], None]  # takes how many are done, and of how many


@dataclass(frozen=True, slots=True)
class SweepCounts:
    """The number of ingests and pushes that a sweep asked for, and of lines that it matched."""

    ingests: int
    pushes: int
    matched: int


def snapshot_balance(*, at: datetime) -> BalanceSnapshot:
    """Store the balance as that of the hour of `at`. Raises ProviderError."""
    with alert_while_unread(BALANCE), DigitalOcean(PURPOSE) as cloud:
        return balance.snapshot_balance(cloud=cloud, at=at)


def read_provider_prices(*, day: date) -> PriceCounts:
    """Keep what droplet sizes cost and where they are sold on `day`; seed the other kinds' prices at first.

    Days whose accrued costs change by it are due again. Raises ProviderError.
    """
    with DigitalOcean(SIZES_PURPOSE) as cloud:
        sizes = list(cloud.sizes())
    with transaction.atomic():
        seed_prices()
        counts = keep_size_prices(sizes, day=day)
        if counts.earliest is not None:
            recompute_after_price_change(since=counts.earliest)
    return counts


def recompute_after_price_change(*, since: date | None, until: date | None = None) -> int:
    """Have the accrued costs of these days computed again; None: without a bound. Return how many days."""
    return make_days_due(CostSource.ACCRUED, Period(since or date.min, until or date.max))


def read_reported_costs(*, at: datetime, report: ReportProgress | None = None) -> ReportedResult:
    """Read what the provider reports that days before `at` cost; a token that may not is a result, too.

    One process at a time. Raises LeaseHeld and ProviderError; the days that were read by then stay.
    """
    with lease("billing: reported costs"), DigitalOcean(PURPOSE) as cloud:
        return read_reported_days(cloud=cloud, at=at, report=report)


def compute_daily_costs(*, at: datetime, report: ReportProgress | None = None) -> CostDaysResult:
    """Compute the costs of the days due at `at`, the newest first; the first run fills in fourteen months.

    One process at a time. Raises LeaseHeld.
    """
    with lease("billing: daily costs"):
        plan_days(at=at)
        result = compute_due_days(report=report)
        compute_margin_months(at=at)
    return result


def compute_margins(*, at: datetime, report: ReportProgress | None = None) -> int:
    """Store what the months that are due at `at` earned and cost, as `compute_daily_costs` does at its end.

    Returns how many. One process at a time. Raises LeaseHeld.
    """
    with lease("billing: daily costs"):
        return compute_margin_months(at=at, report=report)


def add_exchange_rates(
    *, source_currency: str, target_currency: str, rate: Decimal, days: Sequence[date], source: str
) -> int:
    """Keep one rate for these days where the pair has none yet, on any day; return how many."""
    # Any rate of the pair: where an operator keeps rates already, none is made up beside them.
    pair = (source_currency, target_currency)
    if ExchangeRate.objects.filter(from_currency__in=pair, to_currency__in=pair).exists():
        return 0
    rows = [
        ExchangeRate(
            from_currency=source_currency, to_currency=target_currency, day=day, rate=rate, source=source
        )
        for day in days
    ]
    return len(ExchangeRate.objects.bulk_create(rows))


def detect_cost_anomalies(*, at: datetime, report: ReportProgress | None = None) -> AnomalyCounts:
    """Judge the costs of the days before `at`; open, update and close anomalies. A repeat changes nothing.

    One process at a time. Raises LeaseHeld.
    """
    with lease("billing: cost anomalies"):
        return detect(at=at, report=report)


def update_history(*, at: datetime, enqueue: bool, since: date | None = None) -> HistoryResult:
    """Read what is new of the billing history; with `enqueue` ask the workers for an ingest each.

    Raises ProviderError.
    """
    with alert_while_unread(HISTORY), DigitalOcean(PURPOSE) as cloud:
        history = read_history(cloud=cloud, at=at, since=since)
    if enqueue:
        for pk in history.to_ingest:
            nudge(INGEST_TASK, queue=QUEUE, invoice_pk=pk)
    return history


def ingest_invoices(
    pks: Sequence[int], *, again: bool = False, report: ReportProgress | None = None
) -> Iterator[IngestResult]:
    """Ingest these invoices one by one, and yield each result; one that fails doesn't stop the others.

    Nor does a preview that is gone by then: the final invoice's ingest takes it away.
    """
    with DigitalOcean(PURPOSE) as cloud:
        for done, pk in enumerate(pks, start=1):
            with suppress(NotFound):  # the clock is read for each: a year of invoices takes hours
                yield ingest_invoice(invoice_pk=pk, cloud=cloud, at=timezone.now(), again=again)
            if report:
                report(done, len(pks))


def ingest_file(*, invoice_pk: int, file: Path) -> IngestResult:
    """Ingest an invoice from a file of its CSV. Raises UnreadableInvoice, and then nothing has changed."""
    with DigitalOcean(PURPOSE) as cloud:
        return ingest_invoice(invoice_pk=invoice_pk, cloud=cloud, at=timezone.now(), again=True, file=file)


def ingest_and_push(*, invoice_pk: int, again: bool = False) -> IngestResult | None:
    """Ingest an invoice and, once it adds up, push it; None where it is gone.

    A push that fails is repeated later.
    """
    with DigitalOcean(PURPOSE) as cloud:
        try:
            result = ingest_invoice(invoice_pk=invoice_pk, cloud=cloud, at=timezone.now(), again=again)
        except NotFound:
            return None
    if result.invoice.is_pushable and result.invoice.push_status == PushStatus.WAITING:
        push_if_due(invoice_pk=invoice_pk)
    return result


def push_if_due(*, invoice_pk: int, force: bool = False) -> PushResult | None:
    """Push an invoice that is due, with `force` any; None where there is nothing to do by now.

    After a fault a worker comes back to it, by a nudge where the pause is short. A long one is the sweep's:
    a broker hands out again what it holds for an hour, and each copy would ask for the next. Raises
    NotPushable with `force`.
    """
    if not settings.SKYAI_FINANCE_ENABLED:
        return None
    at = timezone.now()
    try:
        with Finance() as finance:
            result = finance_push.push_invoice(
                invoice_pk=invoice_pk, finance=finance, at=at, force=force, only_if_due=True
            )
    except NotPushable:  # it was read again since it was asked for
        if force:
            raise
        return None
    except LeaseLost:  # two pushes overlapped, and the invoice waits for one that makes sure
        nudge(PUSH_TASK, queue=QUEUE, invoice_pk=invoice_pk)
        return None
    if result.error and (next_push_at := result.invoice.next_push_at) is not None:
        pause = next_push_at - timezone.now()
        if pause <= _LONGEST_COUNTDOWN:
            seconds = max(1.0, pause.total_seconds())
            nudge(PUSH_TASK, queue=QUEUE, countdown_seconds=seconds, invoice_pk=invoice_pk)
    return result


def push_invoices(
    pks: Sequence[int], *, force: bool = False, report: ReportProgress | None = None
) -> Iterator[PushResult]:
    """Push these invoices one by one, and yield each result; none where pushing is switched off."""
    if not settings.SKYAI_FINANCE_ENABLED:
        return
    with Finance() as finance:
        for done, pk in enumerate(pks, start=1):
            at = timezone.now()
            yield finance_push.push_invoice(invoice_pk=pk, finance=finance, at=at, force=force)
            if report:
                report(done, len(pks))


def sweep(*, at: datetime) -> SweepCounts:
    """Ask the workers again for every ingest that isn't done and every push that is due, and match again.

    Finds what failed, what didn't add up, and whose nudge was lost.
    """
    ingests = invoices_to_ingest()
    finance_push.reopen_changed()
    pushes = invoices_to_push(at=at) if settings.SKYAI_FINANCE_ENABLED else []
    # Nudges may be doubled: a worker that finds its invoice done or held leaves it.
    for pk in ingests:
        nudge(INGEST_TASK, queue=QUEUE, invoice_pk=pk)
    for pk in pushes:
        nudge(PUSH_TASK, queue=QUEUE, invoice_pk=pk)
    return SweepCounts(len(ingests), len(pushes), rematch())


def accept_mismatch(
    *, invoice_pk: int, difference: str, note: str, actor: str, at: datetime
) -> ProviderInvoice:
    """Count an invoice as ingested although it doesn't add up, for a reason, and have it pushed.

    Raises InvalidInput without a note, NotAMismatch and NotFound.
    """
    with transaction.atomic():  # the nudge leaves with the commit: before it a worker would find a mismatch
        invoice = acceptance.accept_mismatch(
            invoice_pk=invoice_pk, difference=difference, note=note, actor=actor, at=at
        )
        nudge(PUSH_TASK, queue=QUEUE, invoice_pk=invoice_pk)
    return invoice


def request_audit(*, actor: str) -> None:
    """Ask a worker to run the money audit, now. Raises BrokerAway."""
    publish_now(AUDIT_TASK, queue=QUEUE, actor=actor)


def request_ingest(*, invoice_pk: int) -> ProviderInvoice:
    """Ask a worker to read an invoice again, now. Raises BrokerAway and NotFound."""
    invoice = ProviderInvoice.objects.find(invoice_pk)
    publish_now(INGEST_TASK, queue=QUEUE, invoice_pk=invoice_pk, again=True)
    return invoice


def request_push(*, invoice_pk: int) -> ProviderInvoice:
    """Ask a worker to push an invoice again, changed or not, refused or not.

    Raises BrokerAway, NotFound and NotPushable.
    """
    invoice = ProviderInvoice.objects.find(invoice_pk)
    assert_pushable(invoice)
    publish_now(PUSH_TASK, queue=QUEUE, invoice_pk=invoice_pk, force=True)
    return invoice


def request_plan_simulation(
    *, version_pk: int, months: int, actor: str, at: datetime, enqueue: bool = True
) -> PlanSimulation:
    """Have a worker simulate a plan version over the last complete months; without `enqueue` only store that.

    Raises NotFound, InvalidInput, InvalidTerms.
    """
    with transaction.atomic():  # the nudge leaves with the commit: before it a worker would find no row
        simulation = request_simulation(version_pk=version_pk, months=months, actor=actor, at=at)
        if enqueue:
            nudge(SIMULATE_TASK, queue=QUEUE, simulation_pk=simulation.pk)
    return simulation


def run_if_unattended(*, simulation_pk: int) -> PlanSimulation | None:
    """Run a simulation that was asked for; None where another process has it, or it is gone."""
    try:
        return run_simulation(simulation_pk=simulation_pk)
    except (LeaseHeld, LeaseLost, StaleState, NotFound):
        return None


def sweep_simulations() -> int:
    """Ask the workers for every simulation that no process has in hand; return how many."""
    pks = unattended_simulations()
    for pk in pks:
        nudge(SIMULATE_TASK, queue=QUEUE, simulation_pk=pk)
    return len(pks)
