"""The console's sidebar, by area; each user sees what they may open."""

import re
from typing import Final

from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.http import urlencode

from arcadia_cloud.console.bell import count_awake_alerts
from arcadia_cloud.kernel.console.paging import MOST_COUNTED
from inventory.values import OWNER_PARAMETER, UNATTRIBUTED
from provisioning.models import SagaRun
from provisioning.states import SagaStatus

Item = dict[str, object]
_COSTS_BY_DAY: Final = re.compile(
    "/admin/billing/dailycost/(?!margin|tenants|leftovers|undercharges|accuracy)"
)


def navigation(request: HttpRequest) -> list[dict[str, object]]:
    """Return the areas and their links, with the number of dead letters and of open alerts. Two queries."""
    failed = SagaRun.objects.filter(status=SagaStatus.FAILED)
    may_see = request.user.has_perm("provisioning.view_sagarun")
    # As far as a badge needs: it is on every page.
    dead_letters = failed[: MOST_COUNTED + 1].count() if may_see else 0
    open_alerts = count_awake_alerts(request)
    return [
        {"items": [{"title": "Home", "icon": "home", "link": reverse_lazy("admin:index")}]},
        {
            "title": "Inventory",
            "items": [
                *_resource_items(request),
                _item("Projects", "folder", "inventory.project"),
                _item("Sync runs", "sync", "inventory.syncrun"),
                _item("History", "history", "inventory.resourceevent"),
            ],
        },
        {
            "title": "Provisioning",
            "items": [
                {**_item("Sagas", "account_tree", "provisioning.sagarun"), "badge": dead_letters},
                _item("Deployment templates", "content_copy", "deployments.deploymenttemplate"),
                _item("Drift", "difference", "drift.drift"),
                _item("Ignore rules", "notifications_paused", "drift.driftignorerule"),
                _item("Desired states", "task_alt", "provisioning.provisioned"),
                _item("Protected", "lock", "provisioning.protectedresource"),
            ],
        },
        {
            "title": "Catalog",
            "items": [
                _item("Plans", "sell", "catalog.plan"),
                _item("Plan versions", "price_change", "catalog.planversion"),
                _item("Add-ons", "add_shopping_cart", "catalog.addon"),
                _item("Resource prices", "request_quote", "catalog.resourceprice"),
                _item("Tax rates", "percent", "catalog.taxrate"),
            ],
        },
        {
            "title": "Customers",
            "items": [
                _page(request, "Tenants", "groups", "billing_tenants", "billing.dailycost"),
                _item("Deployments", "deployed_code", "deployments.deployment"),
                _item("Subscriptions", "card_membership", "deployments.subscription"),
            ],
        },
        {
            "title": "Metering",
            "items": [
                _item("Usage records", "query_stats", "metering.usagerecord"),
                _item("Metering terms", "tune", "metering.meteringconfig"),
                _item("Bandwidth measured", "network_check", "metering.bandwidthmeasurement"),
                _item("Bandwidth sources", "alt_route", "metering.bandwidthsource"),
            ],
        },
        {
            "title": "Billing",
            "items": [
                _item("Invoices", "receipt_long", "billing.providerinvoice"),
                _item("Cost lines", "list_alt", "billing.costline"),
                _item("Balance", "account_balance", "billing.balancesnapshot"),
                _item("Payments and credits", "payments", "billing.billingentry"),
                _page(request, "Margin", "monitoring", "billing_margin", "billing.dailycost"),
                # Its address begins those of the pages above: there it isn't the present one.
                {
                    **_item("Costs by day", "calendar_month", "billing.dailycost"),
                    "active": _COSTS_BY_DAY.match(request.path) is not None,
                },
                _item("Cost anomalies", "trending_up", "billing.costanomaly"),
                _page(request, "Leftovers", "recycling", "billing_leftovers", "billing.dailycost"),
                _page(request, "Undercharges", "money_off", "billing_undercharges", "billing.dailycost"),
                _page(request, "Price accuracy", "rule", "billing_accuracy", "billing.dailycost"),
                _item("Money audit", "fact_check", "billing.auditfinding"),
                _item("Exchange rates", "currency_exchange", "billing.exchangerate"),
                _item("DigitalOcean's prices", "sell", "billing.providerprice"),
                _item("Price simulations", "compare_arrows", "billing.plansimulation"),
            ],
        },
        {
            "title": "Operations",
            "items": [
                {**_item("Alerts", "notifications", "kernel.alert"), "badge": open_alerts},
                # The expert pages of the schedule belong to it.
                {
                    **_item("Jobs", "schedule", "django_celery_beat.periodictask"),
                    "link": reverse_lazy("jobs"),
                    "active": request.path.startswith(("/admin/jobs/", "/admin/django_celery_beat/")),
                },
                _item("Leases", "lock_clock", "kernel.lease"),
            ],
        },
        {
            "title": "Access",
            "items": [
                _item("Users", "person", "auth.user"),
                _item("Groups", "group", "auth.group"),
                _item("Failed logins", "lock", "axes.accessattempt"),
                _item("Log", "edit_note", "admin.logentry"),
            ],
        },
    ]


def _resource_items(request: HttpRequest) -> list[Item]:
    """Return the links to all resources and to the unattributed; only one of both is the present page."""
    resources = _item("Resources", "dns", "inventory.resource")
    is_here = request.path.startswith(str(resources["link"]))
    is_narrowed = request.GET.get(OWNER_PARAMETER) == UNATTRIBUTED
    query = urlencode({OWNER_PARAMETER: UNATTRIBUTED})
    return [
        {**resources, "active": is_here and not is_narrowed},
        {
            **_item("Unattributed", "help", "inventory.resource"),
            "link": f"{resources['link']}?{query}",
            "active": is_here and is_narrowed,
        },
    ]


def _item(title: str, icon: str, model: str) -> Item:
    """Return a link to the list of `model` ("app.model"), for those who may see it."""
    app, name = model.split(".")

    def permitted(request: HttpRequest) -> bool:
        return request.user.has_perm(f"{app}.view_{name}")

    link = reverse_lazy(f"admin:{app}_{name}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": permitted}


def _page(request: HttpRequest, title: str, icon: str, name: str, model: str) -> Item:
    """Return the link to a page that is no list, for those who may see `model`."""
    link = reverse_lazy(f"admin:{name}")
    is_here = request.path.startswith(str(link))
    return {**_item(title, icon, model), "link": link, "active": is_here}
