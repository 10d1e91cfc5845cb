"""The catalog's reads: what is on offer to whom, and the values that quotes are made from."""

from datetime import date, timedelta

from django.db.models import Prefetch, Q, QuerySet

from arcadia_cloud.kernel.periods import Period
from catalog.errors import PlanNotOnSale
from catalog.models import Plan, PlanVersion, ResourcePrice, TaxRate
from catalog.states import VersionStatus
from catalog.values.terms import PriceBook


def plans_on_offer(tenant_id: str | None) -> QuerySet[Plan]:
    """Return the plans that a tenant may subscribe to, each with its active version and items at hand.

    Without a tenant the public ones. A plan's only prefetched version is `plan.versions.all()[0]`.
    """
    active = PlanVersion.objects.filter(status=VersionStatus.ACTIVE).select_related("plan")
    on_sale = Plan.objects.filter(versions__status=VersionStatus.ACTIVE)
    offered = on_sale.filter(pk__in=offered_plans(tenant_id))
    return offered.prefetch_related(Prefetch("versions", active.prefetch_related("items")))


def offered_plans(tenant_id: str | None) -> QuerySet[Plan]:
    """Return the public plans, and those that are for this tenant by name."""
    named = Q(tenants__tenant_id=tenant_id) if tenant_id else Q(pk__in=[])
    return Plan.objects.filter(Q(public=True) | named).distinct()


def active_version(plan_code: str, *, tenant_id: str | None) -> PlanVersion:
    """Return the version that a new signup of this tenant gets. Raises PlanNotOnSale."""
    versions = PlanVersion.objects.filter(
        plan__in=offered_plans(tenant_id), plan__code=plan_code, status=VersionStatus.ACTIVE
    )
    version = versions.select_related("plan").prefetch_related("items").first()
    if version is None:
        raise PlanNotOnSale(f"there is no plan {plan_code} on sale")
    return version


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
