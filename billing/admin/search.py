"""The global search's tenants and invoices."""

from typing import Final

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from arcadia_cloud.kernel.console.search import MOST_PER_GROUP, Hit, HitGroup, SearchTerm, build_group, source
from arcadia_cloud.kernel.money import Money, format_money
from billing.admin.tenants import TENANT_PERMISSIONS
from billing.models import ProviderInvoice
from inventory.queries import find_tenants

_TENANTS_PLACE: Final = 10
_INVOICES_PLACE: Final = 50


@source(_TENANTS_PLACE)
def find_tenant_pages(request: HttpRequest, term: SearchTerm) -> list[HitGroup]:
    """Find tenants by a part of their ids. One query."""
    if not request.user.has_perms(TENANT_PERMISSIONS):
        return []
    hits = [
        Hit(
            title=tenant,
            address=f"{reverse('admin:billing_tenant')}?{urlencode({'tenant': tenant})}",
            detail="deployments, resources, cost and revenue by month",
            is_exact=term.equals(tenant),
        )
        for tenant in find_tenants(term.text, most=MOST_PER_GROUP + 1)
    ]
    return [build_group("Tenant", hits, all_hits=reverse("admin:billing_tenants"))]


@source(_INVOICES_PLACE)
def find_invoices(request: HttpRequest, term: SearchTerm) -> list[HitGroup]:
    """Find invoices by number, by the provider's uuid, or by month as 2026-09. One query."""
    if not request.user.has_perm("billing.view_providerinvoice"):
        return []
    wanted = Q(invoice_id__icontains=term.text) | Q(invoice_uuid__istartswith=term.text)
    year, _, month = term.text.partition("-")
    if year.isdecimal() and month.isdecimal() and len(term.text) == len("2026-09"):
        wanted |= Q(period__year=int(year), period__month=int(month))
    invoices = ProviderInvoice.objects.filter(wanted).order_by("-period", "-pk")[: MOST_PER_GROUP + 1]
    hits = [
        Hit(
            title=str(invoice).capitalize(),
            address=reverse("admin:billing_providerinvoice_change", args=[invoice.pk]),
            detail=", ".join(
                (format_money(Money(invoice.amount, invoice.currency)), invoice.get_ingest_status_display())
            ),
            is_exact=term.equals(invoice.invoice_id, invoice.invoice_uuid),
        )
        for invoice in invoices
    ]
    return [build_group("Invoice", hits, all_hits=reverse("admin:billing_providerinvoice_changelist"))]
