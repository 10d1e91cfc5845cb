"""The results of price simulations, and whether one speaks for a draft that is to be published."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from django.db.models import QuerySet

from arcadia_cloud.kernel.sql import fetch_all, load
from billing.models import PlanSimulation, PlanSimulationRow
from billing.states import SimulationStatus

VALID_FOR: Final = timedelta(days=7)
_BY_TENANT: Final = load(__package__, "differences_by_tenant.sql")


class TenantDifference(NamedTuple):
    """A tenant's revenue over all months, without tax, as it was and as it would have been.

    `cost` is None where it isn't known, without the `unpriced` days of resources; `crossing` are its
    deployments that cross into overage.
    """

    tenant: str
    deployments: int
    now: Decimal
    later: Decimal
    cost: Decimal | None
    unpriced: int | None
    crossing: int

    @property
    def difference(self) -> Decimal:
        """The amount that the tenant would have paid more; negative for less."""
        return self.later - self.now


def differences_by_tenant(simulation_pk: int, *, most: int) -> list[TenantDifference]:
    """Return what a completed simulation changes for tenants, the largest differences first. One query."""
    parameters = {"simulation": simulation_pk, "completed": str(SimulationStatus.COMPLETED), "most": most}
    return fetch_all(_BY_TENANT, parameters, into=TenantDifference)


def largest_differences(simulation_pk: int) -> QuerySet[PlanSimulationRow]:
    """Return a completed simulation's rows with their deployments, the largest differences first.

    What one that runs or failed has stored so far is no result.
    """
    rows = PlanSimulationRow.objects.filter(
        simulation=simulation_pk, simulation__status=SimulationStatus.COMPLETED
    ).select_related("deployment")
    return rows.order_by("-size", "-pk")


def simulations_of_version(version_pk: int) -> QuerySet[PlanSimulation]:
    """Return the simulations of a version, the newest first."""
    return PlanSimulation.objects.filter(plan_version=version_pk).order_by("-pk")


def reason_against_publishing(version_pk: int, terms_digest: str, at: datetime) -> str:
    """Return why no simulation speaks for a version with these terms at `at`; "" where one does.

    The catalog's guard. A simulation speaks for the terms that it is of, for seven days.
    """
    completed = PlanSimulation.objects.filter(plan_version=version_pk, status=SimulationStatus.COMPLETED)
    last = completed.filter(terms_digest=terms_digest).order_by("-finished_at").first()
    if last is None:
        if completed.exists():
            return "the draft has changed since it was simulated"
        return "the draft was never simulated"
    if last.finished_at is None or last.finished_at < at - VALID_FOR:
        return f"its last simulation is of {last.finished_at:%Y-%m-%d}, older than seven days"
    return ""
