"""The fleet in figures, and which of it is nobody's."""

from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from inventory.models import Resource
from inventory.values import OPERATORS_PROJECT, AttributionRule

# What stands in the operator's own project is ours; the rest that no rule gave to anybody needs a hand.
UNATTRIBUTED = Q(attributed_by=AttributionRule.NONE) & (
    Q(project__isnull=True) | ~Q(project__name=OPERATORS_PROJECT)
)


@dataclass(frozen=True, slots=True)
class FleetCell:
    """Live resources of one kind in one region.

    Costs are the provider's list prices in USD cents a month, where its API tells them.
    """

    kind: str
    region: str
    count: int
    monthly_cost_cents: int
    unattributed: int
    unattributed_cost_cents: int


def fleet_cells() -> list[FleetCell]:
    """Every kind and region with live resources, by kind and region. One query."""
    rows = (
        Resource.objects.live()
        .values("kind", "region")
        .annotate(
            count=Count("pk"),
            monthly_cost_cents=Sum("monthly_price_cents", default=0),
            unattributed=Count("pk", filter=UNATTRIBUTED),
            unattributed_cost_cents=Sum("monthly_price_cents", filter=UNATTRIBUTED, default=0),
        )
        .order_by("kind", "region")
    )
    return [FleetCell(**row) for row in rows]
