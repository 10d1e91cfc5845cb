"""The run of a price simulation: asked for, taken up by a worker, and ended, whatever happens to the worker.

A simulation is a row, and the queue: Celery only nudges. One process at a time has its lease. A worker that
dies leaves the row running without one; the sweep nudges for it, the next worker begins anew, and the third
that dies is the last. Nothing of the book is written: rows of the simulation alone.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

import structlog
from django.db import connection, transaction
from django.db.models.functions import Now

from arcadia_cloud.kernel.errors import Conflict, DomainError, InvalidInput, NotFound
from arcadia_cloud.kernel.leases import HeldLease, LeaseLost, lease
from arcadia_cloud.kernel.models import Lease
from arcadia_cloud.kernel.periods import previous_month
from arcadia_cloud.kernel.sql import fetch_one, load
from arcadia_cloud.kernel.states import StaleState, advance
from billing.costs.simulation.requote import RequotedBatch, Requoter
from billing.models import PlanSimulation, PlanSimulationRow
from billing.models.simulations import MOST_MONTHS
from billing.states import SIMULATION_LIFECYCLE, UNFINISHED_SIMULATIONS, SimulationStatus
from catalog.models import PlanVersion
from catalog.queries import terms_digest
from deployments.queries import subscribers_of_plan

log = structlog.get_logger(__name__)

_SUMMARIZE: Final = load(__package__, "summarize.sql")
# Arrays of a batch's months would be spelt and read as text: twice as long.
_COPY_ROWS: Final = """
    COPY plan_simulation_rows (
        simulation_id, subscription_id, deployment_id, tenant_id, month, revenue_now, revenue_then, cost,
        unpriced, crosses_into, loses_price
    ) FROM STDIN
"""
# Subscribers in hand at once, whatever the book's size: so many that several workers read their usage.
_BATCH: Final = 10_000
_MOST_ATTEMPTS: Final = 3
_LEASE_SECONDS: Final = 60

ReportProgress = Callable[[int, int], None]  # takes how many subscribers are done, and of how many


class DraftChanged(Conflict):
    """The version has other terms than those that the simulation was asked for."""

    code = "draft_changed"


class _Summary(NamedTuple):
    months: int
    more: int
    less: int
    crossing: int
    now: Decimal
    later: Decimal
    cost: Decimal | None
    unpriced: int


def lease_name(simulation_pk: int) -> str:
    """Return the name of the lease under which a simulation runs."""
    return f"plan simulation:{simulation_pk}"


def request_simulation(*, version_pk: int, months: int, actor: str, at: datetime) -> PlanSimulation:
    """Store a simulation of a version's present terms over the last complete months before `at`.

    One of the same terms and months that isn't finished is returned instead. Raises NotFound, InvalidInput
    for a number of months that isn't 1 to 12, InvalidTerms for a draft that makes no price.
    """
    if not 1 <= months <= MOST_MONTHS:
        refusal = f"Must be from 1 to {MOST_MONTHS}."
        raise InvalidInput(f"{months} months can't be simulated", errors={"months": [refusal]})
    first = previous_month(at)
    for _ in range(months - 1):
        first = previous_month(first.start)
    with transaction.atomic():
        # Locked: a draft that is being edited is simulated as it is before or after, and asked for once.
        version = PlanVersion.objects.select_for_update(of=("self",)).filter(pk=version_pk).first()
        if version is None:
            raise NotFound(f"there is no plan version {version_pk}")
        of = {
            "plan_version": version,
            "terms_digest": terms_digest(version),
            "first_month": first.start,
            "month_count": months,
        }
        unfinished = PlanSimulation.objects.filter(**of, status__in=UNFINISHED_SIMULATIONS).first()
        return unfinished or PlanSimulation.objects.create(
            **of,
            version_name=str(version),
            currency=version.currency,
            requested_by=actor,
            requested_at=at,
        )


def run_simulation(*, simulation_pk: int, report: ReportProgress | None = None) -> PlanSimulation:
    """Run a simulation to its end, from the beginning; one that is finished stays as it is.

    What can't be simulated ends it as failed. Raises NotFound, LeaseHeld where another process runs it, and
    LeaseLost or StaleState where another took it over.
    """
    with lease(lease_name(simulation_pk), seconds=_LEASE_SECONDS) as held:
        simulation = PlanSimulation.objects.filter(pk=simulation_pk).first()
        if simulation is None:
            raise NotFound(f"there is no simulation {simulation_pk}")
        if not simulation.is_unfinished:
            return simulation
        if simulation.attempts >= _MOST_ATTEMPTS:
            # What kills a worker kills the next one too: it must end some time.
            _fail(simulation, f"its workers ended {simulation.attempts} times without a result")
            return simulation
        advance(
            simulation,
            SimulationStatus.RUNNING,
            SIMULATION_LIFECYCLE,
            attempts=simulation.attempts + 1,
            started_at=Now(),
            subscribers_done=0,
        )
        try:
            with _small_collections():
                _simulate(simulation, held, report)
        except (LeaseLost, StaleState):
            raise  # it is another worker's by now
        except DomainError as refusal:
            _fail(simulation, refusal.detail)
    return simulation


def unattended_simulations() -> list[int]:
    """Return the unfinished simulations that no process has in hand, by key."""
    unfinished = PlanSimulation.objects.filter(status__in=UNFINISHED_SIMULATIONS).order_by("pk")
    pks = list(unfinished.values_list("pk", flat=True))
    names = [lease_name(pk) for pk in pks]
    held = set(Lease.objects.filter(name__in=names, expires_at__gt=Now()).values_list("name", flat=True))
    return [pk for pk in pks if lease_name(pk) not in held]


def _simulate(simulation: PlanSimulation, held: HeldLease, report: ReportProgress | None) -> None:
    requoter = _requoter_of(simulation)
    subscribers = subscribers_of_plan(requoter.plan)
    total = subscribers.count()
    with transaction.atomic():
        held.assert_held()
        PlanSimulationRow.objects.filter(simulation=simulation).delete()  # of a worker that died
        PlanSimulation.objects.filter(pk=simulation.pk).update(subscribers=total)
    done, last = 0, 0
    while batch := list(subscribers.filter(pk__gt=last).values_list("pk", flat=True)[:_BATCH]):
        within = subscribers.filter(pk__gt=last, pk__lte=batch[-1])
        # A month at a time, so that one is in memory, however many are asked for.
        for number, requoted in enumerate(requoter.requote(within), start=1):
            now_done = done + len(batch) * number // len(requoter.months)
            with transaction.atomic():
                # In the rows' transaction: a worker that was taken for dead adds none to its successor's.
                held.assert_held()
                _store_rows(simulation, requoted)
                PlanSimulation.objects.filter(pk=simulation.pk).update(subscribers_done=now_done)
            if report:
                report(now_done, max(now_done, total))
        done, last = done + len(batch), batch[-1]
    _complete(simulation, requoter, held, subscribers=done)


@contextmanager
def _small_collections() -> Iterator[None]:
    """Keep the garbage collector to what is made within the block.

    The few thousand objects of a batch set off a full collection, which would look at all that the
    process has: a quarter of the run's time.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _requoter_of(simulation: PlanSimulation) -> Requoter:
    """Return what quotes for a simulation. Raises DraftChanged, or NotFound where the draft was deleted."""
    version = simulation.plan_version
    if version is None:
        raise NotFound(f"{simulation.version_name} was deleted")
    terms = version.terms()
    if terms_digest(version) != simulation.terms_digest:
        raise DraftChanged(f"{version} has changed since the simulation was asked for")
    return Requoter(version.plan_id, terms, simulation.currency, simulation.months)


def _store_rows(simulation: PlanSimulation, requoted: RequotedBatch) -> None:
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(_COPY_ROWS) as copy:
        for row in requoted.rows:
            cost = requoted.cost_of(row)
            copy.write_row(
                (
                    simulation.pk,
                    row.subscriber.subscription,
                    row.subscriber.deployment,
                    row.subscriber.tenant_id,
                    row.month.start,
                    row.now,
                    row.later,
                    cost and cost.amount,
                    cost and cost.unpriced,
                    list(row.crosses_into),
                    list(row.loses_price),
                )
            )


def _complete(simulation: PlanSimulation, requoter: Requoter, held: HeldLease, *, subscribers: int) -> None:
    # The summary is of committed rows: the last batch has its own transaction.
    unknown = [
        f"{month.start:%Y-%m}: {costs.unknown}" for month, costs in requoter.costs.items() if costs.unknown
    ]
    with transaction.atomic():
        held.assert_held()
        summary = fetch_one(_SUMMARIZE, {"simulation": simulation.pk}, into=_Summary)
        assert summary is not None  # noqa: S101 - an aggregate has one row
        advance(
            simulation,
            SimulationStatus.COMPLETED,
            SIMULATION_LIFECYCLE,
            finished_at=Now(),
            subscribers=subscribers,
            subscribers_done=subscribers,
            other_currency=requoter.other_currency,
            months_left_out=requoter.left_out,
            months_quoted=summary.months,
            pay_more=summary.more,
            pay_less=summary.less,
            cross_into_overage=summary.crossing,
            revenue_now=summary.now,
            revenue_then=summary.later,
            cost=summary.cost,
            cost_unknown="; ".join(unknown),
            unpriced=summary.unpriced,
        )
    log.info(
        "plan_simulated", version=simulation.version_name, simulation=simulation.pk, months=summary.months
    )


def _fail(simulation: PlanSimulation, reason: str) -> None:
    advance(simulation, SimulationStatus.FAILED, SIMULATION_LIFECYCLE, error=reason, finished_at=Now())
    log.warning("plan_simulation_failed", simulation=simulation.pk, error=reason)
