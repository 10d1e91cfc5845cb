"""The accuracy of our prices: what a closed month accrued against what it was billed, by kind."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from django.db.models import Count, Q, Sum

from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.periods import month_of
from billing.models import DailyCost, ProviderPrice
from billing.values import CENT, CostPart, CostSource

_OF_RESOURCES: Final = (CostPart.MATCHED, CostPart.UNMATCHED)  # no price is kept of taxes and credits


@dataclass(frozen=True, slots=True)
class PriceAccuracy:
    """A kind's month, in dollars; what accrued to the cent, as an invoice has it.

    `unpriced` are days of resources without a price, which accrued nothing. `unverified` are the kind's list
    prices of the month that weren't read on the provider's own page.
    """

    kind: str
    billed: Decimal
    accrued: Decimal
    unpriced: int
    unverified: int

    @property
    def difference(self) -> Decimal:
        """The amount that accrued beyond what was billed; negative where less did."""
        return self.accrued - self.billed


def compare_prices(month: date) -> list[PriceAccuracy]:
    """Return each kind's accrued and billed cost of the month, the largest difference first. Three queries.

    Raises NotFound where the month has no billed days: it isn't closed, or they aren't computed.
    """
    period = month_of(month)
    rows = DailyCost.objects.filter(day__gte=period.start, day__lt=period.end, part__in=_OF_RESOURCES)
    if not rows.filter(source=CostSource.BILLED).exists():
        raise NotFound(f"{month:%Y-%m} has no billed days: its last invoice isn't there yet.")
    summed = rows.values("kind").annotate(
        billed=Sum("amount", filter=Q(source=CostSource.BILLED), default=Decimal(0)),
        accrued=Sum("amount", filter=Q(source=CostSource.ACCRUED), default=Decimal(0)),
        unpriced_days=Sum("unpriced", filter=Q(source=CostSource.ACCRUED), default=0),
    )
    in_force = Q(effective_from=None) | Q(effective_from__lt=period.end)
    in_force &= Q(effective_to=None) | Q(effective_to__gt=period.start)
    doubtful = ProviderPrice.objects.filter(in_force, is_verified=False).values_list("kind")
    unverified = dict(doubtful.order_by().annotate(Count("pk")))
    found = [
        PriceAccuracy(
            row["kind"],
            row["billed"],
            row["accrued"].quantize(CENT, ROUND_HALF_UP),
            row["unpriced_days"],
            unverified.get(row["kind"], 0),
        )
        for row in summed.filter(source__in=(CostSource.BILLED, CostSource.ACCRUED)).order_by("kind")
    ]
    return sorted(found, key=lambda each: -abs(each.difference))
