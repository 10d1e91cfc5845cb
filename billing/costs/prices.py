"""The provider's list prices: what is seeded with its source, and what is kept from `/v2/sizes`.

A price is never overwritten: another price is another row, from the day on which it was read. A price that
was the first of its thing to be read counts for all days before, too, since no other is known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.db import transaction

from arcadia_cloud.digitalocean.records import SizeRecord
from arcadia_cloud.kernel.sql import fetch_all, load
from billing.costs.price_seeds import SEEDS
from billing.models import ProviderPrice
from inventory.values import Kind

_LIST_UNPRICED: Final = load(__package__, "list_unpriced.sql")
_SIZES: Final = "/v2/sizes"


@dataclass(frozen=True, slots=True)
class PriceCounts:
    """The number of price rows that began and that ended."""

    begun: int
    ended: int
    # The first day whose accrued cost changes, None where no day's does.
    earliest: date | None = None


@dataclass(frozen=True, slots=True)
class UnpricedResources:
    """Live resources of one kind, sku and region without a price on a day, and one of them."""

    kind: str
    sku: str
    region: str
    count: int
    resource_id: int
    name: str


def seed_prices() -> int:
    """Store the prices of the start whose kind and sku has none; return how many. What is there stays."""
    known = set(ProviderPrice.objects.values_list("kind", "sku"))
    rows = [
        ProviderPrice(
            kind=seed.kind, sku=seed.sku, unit=seed.unit, price=seed.price, monthly_cap=seed.price,
            source=seed.source, read_on=seed.read_on, is_verified=not seed.doubt,
        )
        for seed in SEEDS
        if (seed.kind, seed.sku) not in known
    ]  # fmt: skip
    ProviderPrice.objects.bulk_create(rows)
    return len(rows)


# The old price ends and the new one begins together: no moment is without a price.
@transaction.atomic
def keep_size_prices(sizes: Iterable[SizeRecord], *, day: date) -> PriceCounts:
    """Keep the prices of droplet sizes and their availability, as they were read on `day`.

    A size has a row for any region, which has its price, and one for each region that sells it. What is no
    longer listed is no longer available, and keeps its price: droplets of it go on. Reading the same twice
    changes nothing.
    """
    wanted: dict[tuple[str, str], tuple[Decimal, bool]] = {}
    for size in sizes:
        wanted[size.slug, ""] = (size.price_monthly, size.available)
        wanted |= {(size.slug, region): (size.price_monthly, size.available) for region in size.regions}
    # Locked, so that of two readings at once the second compares with what the first wrote.
    of_droplets = ProviderPrice.objects.filter(kind=Kind.DROPLET, source=_SIZES, effective_to=None)
    current = {(row.sku, row.region): row for row in of_droplets.select_for_update().order_by("pk")}
    for subject, row in current.items():
        wanted.setdefault(subject, (row.price, False))
    changed = [
        subject
        for subject, terms in wanted.items()
        if subject not in current or (current[subject].price, current[subject].is_available) != terms
    ]
    ended = [current[subject] for subject in changed if subject in current]
    priced_anew = [
        subject
        for subject in changed
        if subject not in current or current[subject].price != wanted[subject][0]
    ]
    ProviderPrice.objects.filter(pk__in=[row.pk for row in ended if row.effective_from == day]).delete()
    for row in ended:
        row.effective_to = day
    ProviderPrice.objects.bulk_update(
        [row for row in ended if row.effective_from != day], ["effective_to"], batch_size=1000
    )
    ProviderPrice.objects.bulk_create(
        ProviderPrice(
            kind=Kind.DROPLET,
            sku=sku,
            region=region,
            price=wanted[sku, region][0],
            monthly_cap=wanted[sku, region][0],
            is_available=wanted[sku, region][1],
            source=_SIZES,
            read_on=day,
            effective_from=day if (sku, region) in current else None,
        )
        for sku, region in changed
    )
    is_first = any(subject not in current for subject in priced_anew)
    earliest = date.min if is_first else day if priced_anew else None
    return PriceCounts(begun=len(changed), ended=len(ended), earliest=earliest)


def unpriced_resources(*, day: date) -> list[UnpricedResources]:
    """Return the live resources without a price on `day`, by kind, sku and region, the most first."""
    return fetch_all(_LIST_UNPRICED, {"day": day}, into=UnpricedResources)
