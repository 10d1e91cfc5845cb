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

    `unpriced` are days of resources without a price, which accrued nothing; `accrued` is None where all days
    are. `prices` are the kind's list prices in the month, `unverified` those of them that weren't read on the
    provider's own page.
    """

    kind: str
    billed: Decimal
    accrued: Decimal | None
    unpriced: int
    prices: int
    unverified: int

    @property
    def difference(self) -> Decimal | None:
        """The amount that accrued beyond what was billed; negative where less did, None without a price."""
        return None if self.accrued is None else self.accrued - self.billed


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
        days=Sum("resources", filter=Q(source=CostSource.ACCRUED), default=0),
    )
    in_force = Q(effective_from=None) | Q(effective_from__lt=period.end)
    in_force &= Q(effective_to=None) | Q(effective_to__gt=period.start)
    of_kind = ProviderPrice.objects.filter(in_force).order_by().values_list("kind")
    counted = of_kind.annotate(number=Count("pk"), doubtful=Count("pk", filter=Q(is_verified=False)))
    prices = {kind: (number, unverified) for kind, number, unverified in counted}
    found = [
        PriceAccuracy(
            row["kind"],
            row["billed"],
            # What has no price at all accrued nothing, which says nothing of what it cost.
            row["accrued"].quantize(CENT, ROUND_HALF_UP)
            if row["unpriced_days"] < row["days"] or not row["days"]
            else None,
            row["unpriced_days"],
            *prices.get(row["kind"], (0, 0)),
        )
        for row in summed.filter(source__in=(CostSource.BILLED, CostSource.ACCRUED)).order_by("kind")
    ]
    # One without a price is as far off as all of it.
    return sorted(found, key=lambda each: -abs(each.billed if each.difference is None else each.difference))
