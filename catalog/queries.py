"""The catalog's reads: what is on offer to whom, and the values that quotes are made from."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Prefetch, Q, QuerySet

from arcadia_cloud.kernel.errors import InvalidInput
from arcadia_cloud.kernel.periods import Period
from catalog.canonical import digest
from catalog.errors import PlanNotOnSale
from catalog.hooks import reasons_against_publishing
from catalog.models import Addon, Plan, PlanItem, PlanVersion, ResourcePrice, TaxRate
from catalog.quote import quote
from catalog.states import VersionStatus
from catalog.values.lines import Quote
from catalog.values.terms import PriceBook, QuoteInputs, Segment


def plans_on_offer(tenant_id: str | None, *, for_operator: bool = False) -> QuerySet[Plan]:
    """Return the plans that a tenant may subscribe to, each with its active version and items at hand.

    Without a tenant the public ones; for an operator every tenant's. A plan's only prefetched version is
    `plan.versions.all()[0]`.
    """
    # The model's own order of items goes by their plan's, too: two joins for one version's items.
    items = Prefetch("items", PlanItem.objects.order_by("version_id", "resource_kind"))
    active = PlanVersion.objects.filter(status=VersionStatus.ACTIVE).order_by("plan_id")
    offered = offered_plans(tenant_id, for_operator=for_operator).values("pk")
    # Subqueries, not joins: a page of the list is then read in the order of the plans' own index.
    on_sale = Plan.objects.filter(pk__in=offered).filter(pk__in=active.values("plan_id"))
    return on_sale.prefetch_related(Prefetch("versions", active.prefetch_related(items)))


def offered_plans(tenant_id: str | None, *, for_operator: bool = False) -> QuerySet[Plan]:
    """Return the public plans, and those that are for this tenant by name; for an operator all."""
    if for_operator:
        return Plan.objects.all()
    named = Q(tenants__tenant_id=tenant_id) if tenant_id else Q(pk__in=[])
    return Plan.objects.filter(Q(public=True) | named).distinct()


def active_version(
    plan_code: str, *, tenant_id: str | None, for_operator: bool = False, field: str = "plan_code"
) -> PlanVersion:
    """Return the version that a new signup of this tenant gets. Raises PlanNotOnSale, under `field`.

    An operator sees every tenant's plans.
    """
    versions = PlanVersion.objects.filter(
        plan__in=offered_plans(tenant_id, for_operator=for_operator),
        plan__code=plan_code,
        status=VersionStatus.ACTIVE,
    )
    version = versions.select_related("plan").prefetch_related("items").first()
    if version is None:
        # The same words for a plan of another tenant: its existence isn't told.
        refusal = f"there is no plan {plan_code} on sale"
        raise PlanNotOnSale(refusal, errors={field: [f"There is no plan {plan_code} on sale."]})
    return version


def estimate_quote(
    *,
    version: PlanVersion,
    addon_codes: Sequence[str],
    usage: Mapping[str, Decimal],
    period: Period,
) -> Quote:
    """Quote a whole period under a version, a draft's too, with add-ons as they are sold today.

    `version` comes with its items at hand. Raises InvalidInput naming the add-ons that aren't on sale in the
    version's currency, InvalidTerms for a draft that makes no price.
    """
    found = {addon.code: addon for addon in Addon.objects.filter(code__in=addon_codes, active=True)}
    refusals = [f"There is no add-on {code} on sale." for code in addon_codes if code not in found]
    refusals += [
        f"The add-on {code} is sold in {addon.currency}, the plan in {version.currency}."
        for code, addon in sorted(found.items())
        if addon.currency != version.currency
    ]
    if len(set(addon_codes)) != len(addon_codes):
        refusals.append("An add-on may stand only once.")
    if refusals:
        raise InvalidInput(" ".join(refusals), errors={"addons": refusals})
    segment = Segment(
        days=period,
        terms=version.terms(),
        addons=tuple(addon.terms() for addon in found.values()),
        usage=usage,
    )
    book = price_book(period, version.currency)
    return quote(QuoteInputs(period=period, currency=version.currency, segments=(segment,), book=book))


def terms_digest(version: PlanVersion) -> str:
    """Return the SHA-256 of a version's terms: equal for equal terms. Raises InvalidTerms."""
    return digest(version.terms())


def reasons_not_to_publish(version: PlanVersion, *, at: datetime) -> list[str]:
    """Return what speaks against publishing a version without a note; nothing against a plan's first one.

    Raises InvalidTerms.
    """
    # Who subscribes to the plan is on a version that was published.
    published = PlanVersion.objects.filter(plan=version.plan).exclude(status=VersionStatus.DRAFT)
    if not published.exclude(pk=version.pk).exists():
        return []
    return reasons_against_publishing(version.pk, terms_digest=terms_digest(version), at=at)


def current_resource_price(kind: str, *, on: date, currency: str) -> ResourcePrice | None:
    """Return the price of a kind that is in force on that day; None where there is none."""
    prices = ResourcePrice.objects.filter(_in_force(on, on), resource_kind=kind, currency=currency)
    return prices.first()


def price_book(period: Period, currency: str) -> PriceBook:
    """Return the prices and taxes of a currency that are in force on any day of the period. Two queries."""
    in_force = _in_force(period.start, period.end - timedelta(days=1))
    prices = ResourcePrice.objects.filter(in_force, currency=currency)
    taxes = TaxRate.objects.filter(in_force, currency=currency)
    return PriceBook(
        resource_rates=tuple(price.terms() for price in prices), tax_rates=tuple(tax.terms() for tax in taxes)
    )


def _in_force(first: date, last: date) -> Q:
    return Q(effective_from__lte=last) & (Q(effective_to=None) | Q(effective_to__gt=first))
