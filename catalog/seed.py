"""The catalog as it is at first: three plans in Australian dollars, three add-ons and a tax.

The prices are placeholders, without tax. A plan or add-on that is there already, whatever an operator made of
it, is left as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from arcadia_cloud.kernel.states import advance
from catalog.models import Addon, Plan, PlanItem, PlanVersion, TaxRate
from catalog.states import LIFECYCLE, VersionStatus
from catalog.values.kinds import BillingKind

CURRENCY: Final = "AUD"
# Source: A New Tax System (Goods and Services Tax) Act 1999, in force from 1 July 2000.
GST_SINCE: Final = date(2000, 7, 1)
GST_PERCENT: Final = Decimal(10)

# What one overage price buys, and that price in cents.
OVERAGE: Final[Mapping[BillingKind, tuple[int, int]]] = {
    BillingKind.DROPLET_HOURS: (1, 2),
    BillingKind.SPACES_GB_MONTH: (1, 5),
    BillingKind.SNAPSHOT_GB_MONTH: (1, 10),
    BillingKind.BANDWIDTH_GB: (1, 2),
    BillingKind.DNS_ZONES: (1, 100),
    BillingKind.LLM_TOKENS: (1_000_000, 600),
}


@dataclass(frozen=True, slots=True)
class SeedPlan:
    """A plan as it is seeded, with the allowances of a month."""

    code: str
    name: str
    description: str
    base_price_cents: int
    included: Mapping[BillingKind, int]


@dataclass(frozen=True, slots=True)
class SeedAddon:
    """An add-on as it is seeded."""

    code: str
    name: str
    kind: BillingKind
    quantity: int
    price_cents: int


@dataclass(frozen=True, slots=True)
class SeedCounts:
    """The number of rows that a run of the seed made."""

    plans: int
    addons: int
    tax_rates: int


_STARTER: Final = {
    BillingKind.DROPLET_HOURS: 744,
    BillingKind.SPACES_GB_MONTH: 50,
    BillingKind.SNAPSHOT_GB_MONTH: 10,
    BillingKind.BANDWIDTH_GB: 500,
    BillingKind.DNS_ZONES: 1,
}
_STUDIO: Final = {
    BillingKind.DROPLET_HOURS: 1_488,  # two droplets for a month of 31 days
    BillingKind.SPACES_GB_MONTH: 250,
    BillingKind.SNAPSHOT_GB_MONTH: 50,
    BillingKind.BANDWIDTH_GB: 2_000,
    BillingKind.DNS_ZONES: 5,
    BillingKind.LLM_TOKENS: 1_000_000,
}
_PRO: Final = {
    BillingKind.DROPLET_HOURS: 3_720,
    BillingKind.SPACES_GB_MONTH: 1_000,
    BillingKind.SNAPSHOT_GB_MONTH: 250,
    BillingKind.BANDWIDTH_GB: 5_000,
    BillingKind.DNS_ZONES: 25,
    BillingKind.LLM_TOKENS: 5_000_000,
}
PLANS: Final = (
    SeedPlan("starter", "Starter", "One small app instance.", 2_000, _STARTER),
    SeedPlan("studio", "Studio", "Two droplets, storage and language models for a team.", 5_000, _STUDIO),
    SeedPlan("pro", "Pro", "Five droplets and room to grow.", 12_000, _PRO),
)
ADDONS: Final = (
    SeedAddon("storage_50gb", "50 GB of storage", BillingKind.SPACES_GB_MONTH, 50, 750),
    SeedAddon("storage_250gb", "250 GB of storage", BillingKind.SPACES_GB_MONTH, 250, 3_000),
    SeedAddon("llm_tokens_1m", "1,000,000 tokens", BillingKind.LLM_TOKENS, 1_000_000, 500),
)


def seed_catalog(*, at: datetime) -> SeedCounts:
    """Make the plans, add-ons and taxes that aren't there, in one transaction; `at` is their publication.

    May be run at any time, and twice at once: codes are unique, and one run waits for the other's.
    """
    tax = TaxRate(code="GST", currency=CURRENCY, percent=GST_PERCENT, effective_from=GST_SINCE)
    with transaction.atomic():
        plans = sum(_seed_plan(plan, sort, at) for sort, plan in enumerate(PLANS, 1))
        addons = sum(_seed_addon(addon) for addon in ADDONS)
        # Any rate of the currency will do: an operator may have given it other dates or another name.
        taxed = TaxRate.objects.filter(currency=CURRENCY).exists()
        taxes = [] if taxed else TaxRate.objects.bulk_create([tax], ignore_conflicts=True)
    return SeedCounts(plans=plans, addons=addons, tax_rates=len(taxes))


def _seed_plan(seed: SeedPlan, sort: int, at: datetime) -> bool:
    plan, made = Plan.objects.get_or_create(
        code=seed.code, defaults={"name": seed.name, "description": seed.description, "sort": sort}
    )
    # A plan that is there keeps its versions, and what it lacks: an operator may have taken it away.
    if made:
        version = PlanVersion.objects.create(
            plan=plan, number=1, base_price_cents=seed.base_price_cents, currency=CURRENCY
        )
        PlanItem.objects.bulk_create([
            PlanItem(
                version=version,
                resource_kind=kind,
                included_qty=included,
                overage_unit=OVERAGE[kind][0],
                overage_price_cents=OVERAGE[kind][1],
            )
            for kind, included in seed.included.items()
        ])  # fmt: skip
        advance(version, VersionStatus.ACTIVE, LIFECYCLE, published_at=at)
    return made


def _seed_addon(seed: SeedAddon) -> bool:
    _, made = Addon.objects.get_or_create(
        code=seed.code,
        defaults={
            "name": seed.name,
            "resource_kind": seed.kind,
            "qty": seed.quantity,
            "price_cents": seed.price_cents,
            "currency": CURRENCY,
        },
    )
    return made
