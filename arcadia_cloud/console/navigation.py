"""The console's sidebar, by area; each user sees what they may open."""

import re
from functools import cache
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from arcadia_cloud.console.bell import count_awake_alerts
from arcadia_cloud.kernel.console.paging import MOST_COUNTED
from inventory.values import OWNER_PARAMETER, UNATTRIBUTED
from provisioning.models import SagaRun
from provisioning.states import SagaStatus

Item = dict[str, Any]
_COSTS_BY_DAY: Final = re.compile(
    "/admin/billing/dailycost/(?!margin|tenants|leftovers|undercharges|accuracy)"
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the areas and their links, with the number of dead letters and of open alerts. Two queries."""
    failed = SagaRun.objects.filter(status=SagaStatus.FAILED)
    may_see = request.user.has_perm("provisioning.view_sagarun")
    # As far as a badge needs: it is on every page.
    dead_letters = failed[: MOST_COUNTED + 1].count() if may_see else 0
    open_alerts = count_awake_alerts(request)
    return [
        {"items": [_home(request)]},
        {
            "title": "Inventory",
            "items": [
                *_resource_items(request),
                _item(request, "Projects", "folder", "inventory.project"),
                _item(request, "Sync runs", "sync", "inventory.syncrun"),
                _item(request, "History", "history", "inventory.resourceevent"),
            ],
        },
        {
            "title": "Provisioning",
            "items": [
                {**_item(request, "Sagas", "account_tree", "provisioning.sagarun"), "badge": dead_letters},
                _item(request, "Deployment templates", "content_copy", "deployments.deploymenttemplate"),
                _item(request, "Drift", "difference", "drift.drift"),
                _item(request, "Ignore rules", "notifications_paused", "drift.driftignorerule"),
                _item(request, "Desired states", "task_alt", "provisioning.provisioned"),
                _item(request, "Protected", "lock", "provisioning.protectedresource"),
            ],
        },
        {
            "title": "Catalog",
            "items": [
                _item(request, "Plans", "sell", "catalog.plan"),
                _item(request, "Plan versions", "price_change", "catalog.planversion"),
                _item(request, "Add-ons", "add_shopping_cart", "catalog.addon"),
                _item(request, "Resource prices", "request_quote", "catalog.resourceprice"),
                _item(request, "Tax rates", "percent", "catalog.taxrate"),
            ],
        },
        {
            "title": "Customers",
            "items": [
                _page(request, "Tenants", "groups", "billing_tenants", "billing.dailycost"),
                _item(request, "Deployments", "deployed_code", "deployments.deployment"),
                _item(request, "Subscriptions", "card_membership", "deployments.subscription"),
            ],
        },
        {
            "title": "Metering",
            "items": [
                _item(request, "Usage records", "query_stats", "metering.usagerecord"),
                _item(request, "Metering terms", "tune", "metering.meteringconfig"),
                _item(request, "Bandwidth measured", "network_check", "metering.bandwidthmeasurement"),
                _item(request, "Bandwidth sources", "alt_route", "metering.bandwidthsource"),
            ],
        },
        {
            "title": "Billing",
            "items": [
                _item(request, "Invoices", "receipt_long", "billing.providerinvoice"),
                _item(request, "Cost lines", "list_alt", "billing.costline"),
                _item(request, "Balance", "account_balance", "billing.balancesnapshot"),
                _item(request, "Payments and credits", "payments", "billing.billingentry"),
                _page(request, "Margin", "monitoring", "billing_margin", "billing.dailycost"),
                # Its address begins those of the pages above: there it isn't the present one.
                {
                    **_item(request, "Costs by day", "calendar_month", "billing.dailycost"),
                    "active": _COSTS_BY_DAY.match(request.path) is not None,
                },
                _item(request, "Cost anomalies", "trending_up", "billing.costanomaly"),
                _page(request, "Leftovers", "recycling", "billing_leftovers", "billing.dailycost"),
                _page(request, "Undercharges", "money_off", "billing_undercharges", "billing.dailycost"),
                _page(request, "Price accuracy", "rule", "billing_accuracy", "billing.dailycost"),
                _item(request, "Money audit", "fact_check", "billing.auditfinding"),
                _item(request, "Exchange rates", "currency_exchange", "billing.exchangerate"),
                _item(request, "DigitalOcean's prices", "sell", "billing.providerprice"),
                _item(request, "Price simulations", "compare_arrows", "billing.plansimulation"),
            ],
        },
        {
            "title": "Operations",
            "items": [
                {**_item(request, "Alerts", "notifications", "kernel.alert"), "badge": open_alerts},
                # The expert pages of the schedule belong to it.
                {
                    **_item(request, "Jobs", "schedule", "django_celery_beat.periodictask"),
                    "link": _address("jobs"),
                    "active": request.path.startswith(("/admin/jobs/", "/admin/django_celery_beat/")),
                },
                _item(request, "Leases", "lock_clock", "kernel.lease"),
            ],
        },
        {
            "title": "Access",
            "items": [
                _item(request, "Users", "person", "auth.user"),
                _item(request, "Groups", "group", "auth.group"),
                _item(request, "Failed logins", "lock", "axes.accessattempt"),
                _item(request, "Log", "edit_note", "admin.logentry"),
            ],
        },
    ]


def _home(request: HttpRequest) -> Item:
    link = _address("admin:index")
    return {
        "title": "Home",
        "icon": "home",
        "link": link,
        "active": request.path == link,
        "has_permission": True,
    }


def _resource_items(request: HttpRequest) -> list[Item]:
    """Return the links to all resources and to the unattributed; only one of both is the present page."""
    resources = _item(request, "Resources", "dns", "inventory.resource")
    is_here = resources["active"]
    is_narrowed = request.GET.get(OWNER_PARAMETER) == UNATTRIBUTED
    query = urlencode({OWNER_PARAMETER: UNATTRIBUTED})
    return [
        {**resources, "active": is_here and not is_narrowed},
        {
            **_item(request, "Unattributed", "help", "inventory.resource"),
            "link": f"{resources['link']}?{query}",
            "active": is_here and is_narrowed,
        },
    ]


def _item(request: HttpRequest, title: str, icon: str, model: str) -> Item:
    """Return a link to the list of `model` ("app.model"), for those who may see it."""
    app, name = model.split(".")
    link = _address(f"admin:{app}_{name}_changelist")
    return {
        "title": title,
        "icon": icon,
        "link": link,
        "active": request.path.startswith(link),
        "has_permission": request.user.has_perm(f"{app}.view_{name}"),
    }


def _page(request: HttpRequest, title: str, icon: str, name: str, model: str) -> Item:
    """Return the link to a page that is no list, for those who may see `model`."""
    link = _address(f"admin:{name}")
    return {**_item(request, title, icon, model), "link": link, "active": request.path.startswith(link)}


@cache  # fifty on every page, and none ever changes
def _address(name: str) -> str:
    return reverse(name)
