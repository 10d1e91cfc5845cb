"""The console's four groups and their permissions."""

from collections.abc import Mapping
from typing import Final

from django.contrib.auth.models import Group, Permission
from django.db import transaction

VIEWER: Final = "viewer"
OPERATOR: Final = "operator"
BILLING: Final = "billing"
ADMIN: Final = "admin"

# The apps that every group may look at; `auth` and the logins are the admins' alone.
_VISIBLE: Final = (
    "kernel", "catalog", "deployments", "inventory", "provisioning", "metering", "drift", "billing",
    "django_celery_beat",
)  # fmt: skip
# Beside looking. No row of these is written by hand: to add a run means to start a sync or an audit, to
# change a resource to assign its owner, a saga to cancel, retry or re-enqueue it, an invoice to have it
# read, pushed or accepted, a cost anomaly to dismiss it, a deployment to move it or its subscription, a
# discount to give or end one.
_PROVISIONING: Final = (
    "deployments.add_deploymenttemplate",
    "deployments.change_deploymenttemplate",
    "provisioning.change_sagarun",
    "provisioning.change_provisioningbrake",
    "provisioning.change_protectedresource",
    "drift.change_drift",
    "drift.change_driftignorerule",
)
# What was published never changes, and plans and add-ons are not deleted: drafts and coming prices are.
_CATALOG: Final = (
    "catalog.add_plan",
    "catalog.change_plan",
    "catalog.add_plantenant",
    "catalog.change_plantenant",
    "catalog.delete_plantenant",
    "catalog.add_planversion",
    "catalog.change_planversion",
    "catalog.delete_planversion",
    "catalog.add_planitem",
    "catalog.change_planitem",
    "catalog.delete_planitem",
    "catalog.add_addon",
    "catalog.change_addon",
    "catalog.add_resourceprice",
    "catalog.change_resourceprice",
    "catalog.delete_resourceprice",
    "catalog.add_taxrate",
    "catalog.change_taxrate",
    "catalog.delete_taxrate",
)
# Terms are set for days to come: those of days that have begun are nobody's to change.
_METERING: Final = ("metering.add_meteringconfig", "metering.add_bandwidthsource")
_ANOMALIES: Final = ("billing.change_costanomaly",)
_PROVIDER_PRICES: Final = ("billing.add_providerprice", "billing.change_providerprice")
_EXCHANGE_RATES: Final = (
    "billing.add_exchangerate",
    "billing.change_exchangerate",
    "billing.delete_exchangerate",
)
_MAY: Final[Mapping[str, tuple[str, ...]]] = {
    VIEWER: (),
    OPERATOR: (
        "billing.add_auditrun",
        "inventory.change_project",
        "inventory.change_resource",
        "inventory.add_syncrun",
        "kernel.change_alert",
        "deployments.change_deployment",
        *_ANOMALIES,
        *_METERING,
        *_PROVISIONING,
    ),
    BILLING: (
        "billing.add_auditrun",
        "billing.change_providerinvoice",
        *_ANOMALIES,
        "deployments.change_subscriptiondiscount",
        *_PROVIDER_PRICES,
        *_EXCHANGE_RATES,
        *_CATALOG,
    ),
    ADMIN: (
        "billing.add_auditrun",
        "billing.change_providerinvoice",
        *_ANOMALIES,
        *_PROVIDER_PRICES,
        *_EXCHANGE_RATES,
        *_CATALOG,
        "deployments.change_deployment",
        "deployments.change_subscriptiondiscount",
        "inventory.change_project",
        "inventory.change_resource",
        "inventory.add_syncrun",
        "kernel.change_alert",
        *_METERING,
        *_PROVISIONING,
        "django_celery_beat.add_periodictask",
        "django_celery_beat.change_periodictask",
        "django_celery_beat.delete_periodictask",
        "django_celery_beat.add_crontabschedule",
        "django_celery_beat.change_crontabschedule",
        "django_celery_beat.add_intervalschedule",
        "django_celery_beat.change_intervalschedule",
        "auth.view_user",
        "auth.add_user",
        "auth.change_user",
        "auth.view_group",
        "axes.view_accessattempt",
        "axes.delete_accessattempt",
        "admin.view_logentry",
    ),
}
SEEDED: Final = tuple(_MAY)


# All groups at once: between two, somebody would have lost what they may.
@transaction.atomic
def seed_groups() -> int:
    """Give the four groups exactly their permissions; return how many were made.

    Run after `migrate`, which makes the permissions. May be repeated. Other permissions go into a group of
    another name.
    """
    known = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.values_list("pk", "content_type__app_label", "codename")
    }
    visible = {
        pk
        for label, pk in known.items()
        if label.split(".")[0] in _VISIBLE and label.split(".")[1].startswith("view_")
    }
    made = 0
    for name, may in _MAY.items():
        group, is_new = Group.objects.get_or_create(name=name)
        # Set, not added: a permission that this version took away goes.
        group.permissions.set(visible | {known[label] for label in may})
        made += is_new
    return made
