"""Demo tenants for the simulator's fleet: owners of its projects, their deployments and desired states."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from msgspec.structs import replace

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.kernel.database import DatabaseClock
from arcadia_cloud.kernel.errors import Conflict, NotFound
from arcadia_cloud.kernel.periods import month_of
from billing.queries import last_months
from billing.services import add_exchange_rates
from catalog.models import Addon
from catalog.services import seed_catalog
from catalog.values.kinds import BillingKind
from deployments.models import Deployment
from deployments.services import create_deployment, create_subscription
from deployments.states import DeploymentState
from drift.services import adopt_many
from inventory.models import Project, Resource
from inventory.queries import kind_spec
from inventory.services import (
    ObservationContext,
    Origin,
    give_project,
    mirror_projects,
    observe,
    sync_inventory,
)
from inventory.values import Kind, RunMode
from provisioning.models import Provisioned
from provisioning.services import set_desired_field

# The simulator's projects are named after their tenants; the deployments are those its tags name.
TENANTS: Final[Mapping[str, Mapping[str, str]]] = {
    "acme": {"shop": "Acme Shop", "wiki": "Acme Wiki", "assist": "Acme Assistant"},
    "globex": {"crm": "Globex CRM"},
    "initech": {"reports": "Initech Reports"},
}
# Each deployment's plan and add-ons. `reports` loses money: the cheapest plan, for a droplet and a
# cluster that cost three times as much.
PLANS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "shop": ("studio", ("storage_50gb", "demo_servers")),
    "wiki": ("starter", ()),
    "assist": ("pro", ("llm_tokens_1m", "demo_gpu")),
    "crm": ("studio", ("demo_servers",)),
    "reports": ("starter", ()),
}
# Add-ons that the demo's larger machines are sold with, so that only `reports` loses: name, hours, cents.
SERVERS: Final[Mapping[str, tuple[str, int, int]]] = {
    "demo_servers": ("Three servers", 3 * 744, 45_000),
    "demo_gpu": ("A server with a GPU", 744, 890_000),
}
# A droplet that is smaller than it should be: drift for the inbox, which a revert can put back.
TOO_SMALL: Final = "crm-worker-01"
DESIRED_SIZE: Final = "s-8vcpu-16gb"
# The sizes that droplets of one deployment had until three days ago: a cost anomaly with its cause.
SMALLER: Final[Mapping[str, str]] = {
    "crm-app-01": "s-2vcpu-2gb",
    "crm-worker-01": "s-1vcpu-2gb",
    "crm-db-01": "s-1vcpu-2gb",
}
_RESIZED_BEFORE: Final = timedelta(days=3)
_KNOWN_SINCE: Final = timedelta(days=60)
DEMO_RATE: Final = Decimal("0.65")  # US dollars for an Australian one
_RATE_MONTHS: Final = 14
_ACTOR: Final = "system: demo"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NotASimulator(Conflict):
    """Demo tenants would be given machines of a real account."""

    code = "not_a_simulator"


@dataclass(frozen=True, slots=True)
class SeedCounts:
    """Counts of the rows made; 0 the second time."""

    projects: int = 0
    deployments: int = 0
    subscriptions: int = 0
    desired_states: int = 0


def seed_demo() -> SeedCounts:
    """Give the simulator's projects to their tenants; make deployments, subscriptions and desired states.

    May be repeated; what an operator changed since stays. Raises NotASimulator when DO_API_URL isn't on
    this machine, and ProviderError.
    """
    if settings.PRODUCTION or urlsplit(settings.DO_API_URL).hostname not in _LOOPBACK:
        raise NotASimulator(f"demo tenants are for the simulator, and DO_API_URL is {settings.DO_API_URL}")
    with DigitalOcean("SYNC") as cloud:
        clock = DatabaseClock()
        cloud.verify_account()
        asked_at = clock.now()
        records = list(cloud.projects())
    with transaction.atomic():
        mirror_projects(records, at=asked_at)
        # Only projects without a tenant: what an operator changed since stays.
        free = Project.objects.filter(name__in=TENANTS, tenant_id=None, deleted_at=None)
        projects = sum(
            give_project(project_pk=pk, tenant_id=name, actor="demo seed")
            for pk, name in free.order_by("pk").values_list("pk", "name")
        )
        seed_catalog(at=asked_at)
        for code, (name, hours, cents) in SERVERS.items():
            terms = {"name": name, "qty": hours, "price_cents": cents}
            Addon.objects.get_or_create(
                code=code, defaults={**terms, "resource_kind": BillingKind.DROPLET_HOURS}
            )
        # Months of the past, too: their charts would have gaps.
        add_exchange_rates(
            source_currency="AUD",
            target_currency="USD",
            rate=DEMO_RATE,
            days=[month.start for month in last_months(asked_at, _RATE_MONTHS)],
            source="made up for the demo",
        )
        made = [
            _seed_deployment(tenant, slug, display_name, at=sold_at(asked_at))
            for tenant, deployments in TENANTS.items()
            for slug, display_name in deployments.items()
        ]
    return SeedCounts(
        projects,
        sum(is_new for is_new, _ in made),
        sum(is_new for _, is_new in made),
        _seed_desired_states(at=asked_at),
    )


def sold_at(at: datetime) -> datetime:
    """Return the time of the demo's sales: ten days ago and in this month, so that its quotes have usage."""
    return max(month_of(at).starts_at, at - timedelta(days=10))


def _seed_desired_states(*, at: datetime) -> int:
    """Adopt the tenants' droplets, one of them with another size than it has; return how many.

    Once: where anything is desired already, it is the operator's.
    """
    if Provisioned.objects.exists():
        return 0
    _seed_resize(at=at)
    # A fast run, of a page or two: the first full one is still to come.
    sync_inventory(mode=RunMode.FAST, kinds=[Kind.DROPLET], actor=_ACTOR)
    droplets = Resource.objects.live().filter(
        kind=Kind.DROPLET, tags__overlap=[f"tenant:{tenant}" for tenant in TENANTS]
    )
    adopted = adopt_many(resource_pks=list(droplets.values_list("pk", flat=True)), actor=_ACTOR, at=at)
    for resource in droplets.filter(name=TOO_SMALL):
        set_desired_field(resource_pk=resource.pk, field="size_slug", value=f'"{DESIRED_SIZE}"')
    return sum(result.adopted for result in adopted)


def _seed_resize(*, at: datetime) -> None:
    """Observe some droplets as they were two months ago, smaller, and as they are since an operator's resize.

    Where a droplet is known already, its history is real.
    """
    if Resource.objects.filter(kind=Kind.DROPLET).exists():
        return
    spec = kind_spec(Kind.DROPLET)
    with DigitalOcean("SYNC") as cloud:
        present = [spec.to_observation(each) for each in cloud.droplets() if each.name in SMALLER]
    former = [
        replace(each, sku=SMALLER[each.name], attrs={**each.attrs, "size_slug": SMALLER[each.name]})
        for each in present
    ]
    # In the order in which it would have happened: an older observation of a row is no news.
    for seen, when, actor in (
        (former, at - _KNOWN_SINCE, _ACTOR),
        (present, at - _RESIZED_BEFORE, "user:demo"),
    ):
        observe(
            kind=Kind.DROPLET,
            observations=seen,
            context=ObservationContext(at=when, volatile=spec.volatile),
            origin=Origin(actor=actor),
        )


def _seed_deployment(tenant: str, slug: str, display_name: str, *, at: datetime) -> tuple[bool, bool]:
    """Make a deployment and its subscription where there is none; return which of them are new."""
    # Looked for first: a start of every day would else try to make it, and be refused.
    deployment = Deployment.objects.filter(tenant_id=tenant, slug=slug).first()
    is_new = deployment is None
    if deployment is None:
        deployment = create_deployment(
            tenant_id=tenant, slug=slug, display_name=display_name, actor=_ACTOR, at=at
        )
    # One that was ever subscribed, or moved, is the operator's by now.
    if deployment.state != DeploymentState.ACTIVE or deployment.subscriptions.exists():
        return is_new, False
    plan, addons = PLANS[slug]
    try:
        create_subscription(deployment_pk=deployment.pk, plan_code=plan, addons=addons, actor=_ACTOR, at=at)
    except NotFound:  # an operator sells other plans by now
        return is_new, False
    return is_new, True
