"""Why a list is empty, and the page that fills it. In one place: most are filled from another list's page."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class EmptyList:
    """Why a list can be empty, and the page that fills it: its name in the URL map, and the link's words.

    `needs` is the permission that the page asks for, if it isn't that to look at things.
    """

    words: str
    page: str = ""
    link: str = ""
    needs: str = ""


_SYNC: Final = ("admin:inventory_syncrun_changelist", "Sync runs")
_JOBS: Final = ("jobs", "Jobs")
_INVOICES: Final = ("admin:billing_providerinvoice_changelist", "Invoices")

_TIMES: Final = EmptyList("The jobs' times are written with the schedule.", *_JOBS)

# By "app.model". Who may add to a list is offered that beside it.
EMPTY_LISTS: Final = {
    "inventory.resource": EmptyList("Every sync writes what it finds at DigitalOcean.", *_SYNC),
    "inventory.project": EmptyList("The sync of projects writes what it finds at DigitalOcean.", *_SYNC),
    "inventory.syncrun": EmptyList("A sync of each kind starts within minutes.", *_JOBS),
    "inventory.resourceevent": EmptyList("Every sync writes what has changed since the last.", *_SYNC),
    "drift.drift": EmptyList(
        "Nothing that was checked differs from what is desired.",
        "admin:drift_drift_coverage",
        "What is checked",
    ),
    "drift.driftignorerule": EmptyList(
        "“Ignore” on a difference makes a rule.", "admin:drift_drift_changelist", "Drift"
    ),
    "provisioning.sagarun": EmptyList(
        "Customers' orders start sagas, and operators do.",
        "admin:provisioning_sagarun_workflows",
        "Start a saga",
        needs="provisioning.change_sagarun",
    ),
    "provisioning.provisioned": EmptyList(
        "A resource gets a desired state when a saga creates it, or when its live values are adopted.",
        "admin:drift_drift_coverage",
        "What is checked",
    ),
    "provisioning.protectedresource": EmptyList(
        "“Protect” on a resource's page keeps every saga from it.",
        "admin:inventory_resource_changelist",
        "Resources",
    ),
    "catalog.plan": EmptyList(
        "People of the groups admin and billing add plans; manage.py seed_catalog makes three to begin with."
    ),
    "catalog.addon": EmptyList("People of the groups admin and billing add what a plan can be extended by."),
    "catalog.resourceprice": EmptyList(
        "People of the groups admin and billing add the prices of what no plan includes."
    ),
    "catalog.taxrate": EmptyList(
        "Quotes are without tax until people of the groups admin and billing add a rate."
    ),
    "catalog.planversion": EmptyList(
        "“New draft” on a plan's page makes one.", "admin:catalog_plan_changelist", "Plans"
    ),
    "deployments.deployment": EmptyList(
        "Customers make deployments through the API (POST /api/v1/deployments)."
    ),
    "deployments.subscription": EmptyList(
        "A deployment gets its subscription when its customer orders a plan.",
        "admin:deployments_deployment_changelist",
        "Deployments",
    ),
    "deployments.deploymenttemplate": EmptyList(
        "A template says what a deployment is made of; manage.py seed_templates makes two to begin with."
    ),
    "metering.meteringconfig": EmptyList("Every kind is metered daily until terms of its own are added."),
    "metering.bandwidthsource": EmptyList(
        "Bandwidth is what DigitalOcean measures, until a deployment has a source of its own."
    ),
    "metering.usagerecord": EmptyList("The metering of each day writes what the deployments used.", *_JOBS),
    "metering.bandwidthmeasurement": EmptyList(
        "The measuring of each day writes what the droplets sent.", *_JOBS
    ),
    "billing.providerinvoice": EmptyList(
        "DigitalOcean's invoices are read every night, once a month is closed.", *_JOBS
    ),
    "billing.costline": EmptyList("Lines come with the invoices.", *_INVOICES),
    "billing.balancesnapshot": EmptyList("The balance is read every hour.", *_JOBS),
    "billing.billingentry": EmptyList("Payments and credits are read with the invoices.", *_INVOICES),
    "billing.dailycost": EmptyList(
        "Every night the costs of the day before are written, from the resources' prices.", *_JOBS
    ),
    "billing.costanomaly": EmptyList(
        "No day's costs were out of the usual; each night looks through them.", *_JOBS
    ),
    "billing.auditfinding": EmptyList(
        "The money audit has found nothing wrong; it runs every night, and on “Run now”.", *_JOBS
    ),
    "billing.exchangerate": EmptyList(
        "Costs are in US dollars; revenue in another currency has a margin once people of the groups admin "
        "and billing add a rate."
    ),
    "billing.providerprice": EmptyList(
        "DigitalOcean's size prices are read every night; people of the groups admin and billing add others.",
        *_JOBS,
    ),
    "billing.plansimulation": EmptyList(
        "“Simulate” on the page that publishes a draft runs one.",
        "admin:catalog_planversion_changelist",
        "Plan versions",
    ),
    "kernel.alert": EmptyList("Nothing needs a hand."),
    "kernel.lease": EmptyList("No work that holds a lease is going on."),
    "django_celery_beat.crontabschedule": _TIMES,
    "django_celery_beat.intervalschedule": _TIMES,
    "axes.accessattempt": EmptyList("No login has failed of late."),
    "admin.logentry": EmptyList("Nobody has changed anything yet."),
}
