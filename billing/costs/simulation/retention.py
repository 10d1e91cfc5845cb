"""The retention of price simulations: their rows go before they do, and what a publication relied on stays.

The publish gate looks at simulations of the last seven days, and at no row. Rows are a book's length each:
those of a simulation that nothing was published on are deleted after 90 days, the others as late as usage,
after which they could no longer be checked. The simulation itself, its sums and who asked for it, goes two
years after its end; one that a publication relied on is kept for good, as the version and its note are.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Q

from arcadia_cloud.kernel.retention import delete_in_batches
from billing.costs.simulation.results import VALID_FOR
from billing.models import PlanSimulation, PlanSimulationRow
from billing.states import UNFINISHED_SIMULATIONS, SimulationStatus

ROWS_KEPT: Final = timedelta(days=90)
KEPT: Final = timedelta(days=761)  # as long as usage is, from which the rows could be computed again
# It was completed within the seven days before its version was published: the gate may have taken it.
RELIED_ON: Final = Q(
    status=SimulationStatus.COMPLETED,
    plan_version__published_at__gte=F("finished_at"),
    plan_version__published_at__lte=F("finished_at") + VALID_FOR,
)


@dataclass(frozen=True, slots=True)
class PruneCounts:
    """The number of rows and of simulations that were deleted."""

    rows: int
    simulations: int


def prune_simulations(*, at: datetime) -> PruneCounts:
    """Delete rows and simulations whose time is over, a batch a transaction. Safe to repeat at any point."""
    ended = PlanSimulation.objects.exclude(status__in=UNFINISHED_SIMULATIONS)
    oldest = ended.filter(finished_at__lt=at - KEPT)
    due = oldest | ended.filter(finished_at__lt=at - ROWS_KEPT).exclude(RELIED_ON)
    rows = 0
    for simulation in due.filter(rows_deleted_at=None).order_by("pk"):
        # In the order of the index: without it each batch would sort a book's rows.
        rows += delete_in_batches(
            PlanSimulationRow.objects.filter(simulation=simulation).order_by("-size", "-pk")
        )
        # After the rows: a run that dies before begins again with what is left of them.
        PlanSimulation.objects.filter(pk=simulation.pk).update(rows_deleted_at=at)
    gone = oldest.exclude(RELIED_ON).filter(rows_deleted_at__isnull=False)
    return PruneCounts(rows, delete_in_batches(gone.order_by("pk")))
