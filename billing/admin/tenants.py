"""The console's list of tenants, and a page for each."""

from typing import Any, Final
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from arcadia_cloud.kernel.console.chart_options import chart_options
from arcadia_cloud.kernel.console.formatting import NOTHING, at_least, at_most
from billing.admin.margin import MarginPages
from billing.admin.margin_formatting import cents, chart_both_sides, percent, tone
from billing.queries import (
    TenantOrder,
    TenantRow,
    is_tenant,
    list_months_of_tenant,
    list_tenants,
    open_alerts_by_tenant,
)
from deployments.models import Deployment
from inventory.models import Resource
from inventory.values import kind_label
from provisioning.models import SagaRun

TENANT_PERMISSIONS: Final = (
    "billing.view_dailycost",
    "deployments.view_deployment",
    "inventory.view_resource",
)
_PAGE: Final = 50
_ROWS_SHOWN: Final = 50
_MOST_DIGITS: Final = 6
_COLUMNS: Final = (
    (TenantOrder.TENANT, "Tenant"),
    (TenantOrder.RESOURCES, "Resources"),
    (TenantOrder.LIST_PRICE, "List price a month"),
    (TenantOrder.BILLED, "Billed"),
    (TenantOrder.REVENUE, "Revenue"),
    (TenantOrder.MARGIN, "Margin"),
    (TenantOrder.ALERTS, "Open alerts"),
)


class TenantPages(MarginPages):
    """Adds the pages of tenants. Whoever may see deployments and costs sees them."""

    def get_urls(self) -> list[URLPattern]:
        """Add the list and the page of one."""
        view = self.admin_site.admin_view
        return [
            path("tenants/", view(self.tenants_view), name="billing_tenants"),
            path("tenants/one/", view(self.tenant_view), name="billing_tenant"),
            *super().get_urls(),
        ]

    def tenants_view(self, request: HttpRequest) -> HttpResponse:
        """Show a page of the tenants, in the order that is asked for."""
        self._require_view(request)
        asked = request.GET.get("order", TenantOrder.TENANT)
        if asked not in list(TenantOrder):
            raise Http404
        found = list_tenants(at=timezone.now(), order=TenantOrder(asked))
        number = request.GET.get("page", "1")
        page = int(number) if number.isdecimal() and len(number) <= _MOST_DIGITS else 1
        pages = max(1, -(-len(found.rows) // _PAGE))
        # Of a list that has grown shorter since, the last page.
        page = min(max(page, 1), pages)
        context = {
            "month_name": f"{found.month.start:%B %Y}",
            "missing": found.missing,
            "order": asked,
            "columns": _COLUMNS,
            "rows": [_cells(row) for row in found.rows[(page - 1) * _PAGE : page * _PAGE]],
            "count": len(found.rows),
            "page": page,
            "pages": pages,
            "earlier": page - 1,
            "later": page + 1 if page < pages else 0,
        }
        return self.render_page(request, "billing/tenants.html", "Tenants", context)

    def tenant_view(self, request: HttpRequest) -> HttpResponse:
        """Show a tenant's deployments, resources by kind, newest sagas, and months."""
        self._require_view(request)
        tenant = request.GET.get("tenant", "")
        # As a parameter: a tenant's id may have any character, a path not. NUL is no text to the database.
        if not tenant or "\0" in tenant or not is_tenant(tenant):
            raise Http404
        at = timezone.now()
        months = list_months_of_tenant(tenant, at=at)
        kinds = Resource.objects.live().filter(tenant_id=tenant).order_by().values_list("kind")
        deployments = Deployment.objects.filter(tenant_id=tenant).order_by("slug")
        resources = f"{reverse('admin:inventory_resource_changelist')}?{urlencode({'tenant': tenant})}"
        context = {
            "tenant": tenant,
            "deployments": list(deployments[:_ROWS_SHOWN]),
            "all_deployments": _list_of("deployments_deployment", tenant),
            "resources": [
                (kind_label(kind), number, f"{resources}&{urlencode({'kind': kind})}")
                for kind, number in kinds.annotate(number=Count("pk")).order_by("kind")
            ],
            "all_resources": resources,
            "all_sagas": _list_of("provisioning_sagarun", tenant),
            "sagas": list(SagaRun.objects.filter(tenant_id=tenant).order_by("-pk")[:10])
            if request.user.has_perm("provisioning.view_sagarun")
            else None,
            "alerts": open_alerts_by_tenant().get(tenant, [])[:_ROWS_SHOWN]
            if request.user.has_perm("kernel.view_alert")
            else None,
            "months": [
                (
                    each.month.start,
                    cents(each.revenue),
                    at_least(cents(each.cost), each.unpriced),
                    at_most(cents(each.margin), each.unpriced),
                )
                if each.is_stored
                else (each.month.start, NOTHING, NOTHING, NOTHING)
                for each in reversed(months)
            ],
            "missing": next((each.missing for each in months if each.missing), ""),
            "chart": chart_both_sides(months),
            "chart_options": chart_options(maxTicksLimit=12),
        }
        return self.render_page(request, "billing/tenant.html", f"Tenant {tenant}", context)

    def _require_view(self, request: HttpRequest) -> None:
        if not request.user.has_perms(TENANT_PERMISSIONS):
            raise PermissionDenied


def _cells(row: TenantRow) -> dict[str, Any]:
    figures = row.figures
    return {
        "tenant": row.tenant_id,
        "address": f"{reverse('admin:billing_tenant')}?{urlencode({'tenant': row.tenant_id})}",
        "deployments": row.deployments,
        "resources": row.resources,
        "list_price": at_least(cents(row.list_price), row.unpriced),
        "billed": cents(row.billed),
        "revenue": cents(figures.revenue),
        "margin": at_most(cents(figures.margin), figures.unpriced),
        "percent": percent(figures),
        "tone": tone(figures.margin),
        "alerts": row.alerts,
    }


def _list_of(page: str, tenant: str) -> str:
    return f"{reverse(f'admin:{page}_changelist')}?{urlencode({'tenant': tenant})}"
