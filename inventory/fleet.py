"""The fleet in figures, and which of it is nobody's."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from inventory.models import Resource
from inventory.values import OPERATORS_PROJECT, AttributionRule

# What stands in the operator's own project is ours; the rest that no rule gave to anybody needs a hand.
IS_UNATTRIBUTED = Q(attributed_by=AttributionRule.NONE) & (
    Q(project__isnull=True) | ~Q(project__name=OPERATORS_PROJECT)
)


@dataclass(frozen=True, slots=True)
class FleetCell:
    """Live resources of one kind in one region.

    Costs are the provider's list prices in USD cents a month, where its API tells them; None: of none.
    """

    kind: str
    region: str
    count: int
    monthly_cost_cents: int | None
    unattributed: int
    unattributed_cost_cents: int | None


def fleet_cells() -> list[FleetCell]:
    """Every kind and region with live resources, by kind and region. One query."""
    rows = (
        Resource.objects.live()
        .values("kind", "region")
        .annotate(
            count=Count("pk"),
            monthly_cost_cents=Sum("monthly_price_cents"),
            unattributed=Count("pk", filter=IS_UNATTRIBUTED),
            unattributed_cost_cents=Sum("monthly_price_cents", filter=IS_UNATTRIBUTED),
        )
        .order_by("kind", "region")
    )
    return [FleetCell(**row) for row in rows]


def sum_of_known(costs: Iterable[int | None]) -> int | None:
    """The sum of what is known; None where nothing is: unknown isn't free."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None
