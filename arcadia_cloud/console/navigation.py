"""What the console's sidebar holds, by area; each user sees what they may open."""

from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.http import urlencode

from arcadia_cloud.kernel.console.paging import MOST_COUNTED
from arcadia_cloud.kernel.models import Alert
from inventory.admin.filters import UNATTRIBUTED, OwnerFilter
from provisioning.models import SagaRun
from provisioning.states import SagaStatus

Item = dict[str, object]


def navigation(request: HttpRequest) -> list[dict[str, object]]:
    """The areas and their links, with the number of dead letters and of open alerts. Two queries."""
    return [
        {"items": [{"title": "Home", "icon": "home", "link": reverse_lazy("admin:index")}]},
        {
            "title": "Inventory",
            "items": [
                *_resources(request),
                _item("Projects", "folder", "inventory.project"),
                _item("Sync runs", "sync", "inventory.syncrun"),
                _item("History", "history", "inventory.resourceevent"),
            ],
        },
        {
            "title": "Provisioning",
            "items": [
                {**_item("Sagas", "account_tree", "provisioning.sagarun"), "badge": _dead_letters(request)},
                _item("Desired states", "task_alt", "provisioning.provisioned"),
                _item("Protected", "lock", "provisioning.protectedresource"),
            ],
        },
        {"title": "Customers", "items": [_item("Deployments", "deployed_code", "deployments.deployment")]},
        {
            "title": "Billing",
            "items": [
                _item("Invoices", "receipt_long", "billing.providerinvoice"),
                _item("Cost lines", "list_alt", "billing.costline"),
                _item("Balance", "account_balance", "billing.balancesnapshot"),
                _item("Payments and credits", "payments", "billing.billingentry"),
            ],
        },
        {
            "title": "Operations",
            "items": [
                {**_item("Alerts", "notifications", "kernel.alert"), "badge": _open_alerts(request)},
                _item("Schedule", "schedule", "django_celery_beat.periodictask"),
                _item("Leases", "lock_clock", "kernel.lease"),
            ],
        },
        {
            "title": "Access",
            "items": [
                _item("Users", "person", "auth.user"),
                _item("Groups", "group", "auth.group"),
                _item("Failed logins", "lock", "axes.accessattempt"),
                _item("Changes", "edit_note", "admin.logentry"),
            ],
        },
    ]


def _resources(request: HttpRequest) -> list[Item]:
    """The list of resources, and the same narrowed to nobody's: only one of both is the present page."""
    every, nobodys = (
        _item("Resources", "dns", "inventory.resource"),
        _item("Unattributed", "help", "inventory.resource"),
    )
    is_here = request.path.startswith(str(every["link"]))
    is_narrowed = request.GET.get(OwnerFilter.parameter_name) == UNATTRIBUTED
    return [
        {**every, "active": is_here and not is_narrowed},
        {
            **nobodys,
            "link": f"{nobodys['link']}?{urlencode({OwnerFilter.parameter_name: UNATTRIBUTED})}",
            "active": is_here and is_narrowed,
        },
    ]


def _item(title: str, icon: str, model: str) -> Item:
    """A link to the list of `model` ("app.model"), for those who may see it."""
    app, name = model.split(".")

    def permitted(request: HttpRequest) -> bool:
        return request.user.has_perm(f"{app}.view_{name}")

    link = reverse_lazy(f"admin:{app}_{name}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": permitted}


def _open_alerts(request: HttpRequest) -> int:
    if not request.user.has_perm("kernel.view_alert"):
        return 0
    return Alert.objects.filter(resolved_at=None).count()


def _dead_letters(request: HttpRequest) -> int:
    if not request.user.has_perm("provisioning.view_sagarun"):
        return 0
    return SagaRun.objects.filter(status=SagaStatus.FAILED)[: MOST_COUNTED + 1].count()
