"""Deployments for tests: subscribed, with droplets at the simulated provider, or still to be provisioned."""

from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone

from catalog.services import seed_catalog
from deployments.models import Deployment, DeploymentTemplate, Subscription
from deployments.services import (
    complete_transition,
    create_deployment,
    create_subscription,
    create_template,
    publish_template,
)
from inventory.models import Resource
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.models import SagaRun
from tests.provisioning.workflows.cloud import ZONE, Cloud
from tests.simulator.api import Json

IMAGE: Final = "ubuntu-24-04-x64"
NEW_IMAGE: Final = "debian-12-x64"
TEMPLATE: Final[dict[str, Any]] = {
    "project": "{slug}",
    "tags": ["role:test"],
    "droplets": [
        {"key": "db", "name": "{slug}-db", "size": "s-1vcpu-1gb", "image": IMAGE},
        {"key": "web", "name": "{slug}-web", "size": "s-1vcpu-1gb", "image": IMAGE},
    ],
    "volumes": [{"key": "data", "name": "{slug}-data", "droplet": "db", "size_gb": 10}],
    "dns_records": [{"droplet": "web", "domain": ZONE, "name": "{slug}"}],
}


@dataclass(frozen=True, slots=True)
class Ended:
    """A deployment as it is: here, and at the provider. `subscriptions` are the live ones' statuses."""

    state: str
    subscriptions: list[str]
    droplets: list[tuple[str, str, str]]
    volumes: list[tuple[str, bool]]
    records: int
    projects: int
    snapshots: int


def subscribed(slug: str) -> Deployment:
    """A deployment with a live subscription, and nothing at the provider."""
    seed_catalog(at=timezone.now())
    deployment = create_deployment(
        tenant_id="acme", slug=slug, region="fra1", actor="a test", at=timezone.now()
    )
    create_subscription(deployment_pk=deployment.pk, plan_code="studio", actor="a test", at=timezone.now())
    return deployment


def published_template(code: str = "kiosk") -> DeploymentTemplate:
    """The template of two droplets, a volume and a name, published."""
    known = DeploymentTemplate.objects.filter(code=code).first()
    if known is not None:
        return known
    template = create_template(code=code, spec=TEMPLATE, actor="a test")
    return publish_template(template_pk=template.pk, actor="a test", at=timezone.now())


def running(cloud: Cloud, slug: str, *, droplets: int = 2, record: bool = True) -> Deployment:
    """A subscribed deployment whose droplets run, the first of them with a name in DNS."""
    deployment = subscribed(slug)
    made = cloud.simulator.control(
        "POST",
        "droplets",
        name=slug,
        size="s-1vcpu-1gb",
        region="fra1",
        count=droplets,
        tags=["tenant:acme", f"deployment:{slug}"],
    )["droplets"]
    if record:
        address = next(each["ip_address"] for each in made[0]["networks"]["v4"] if each["type"] == "public")
        cloud.api.post(f"/v2/domains/{ZONE}/records", {"type": "A", "name": slug, "data": address})
    sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["droplet", "dns_zone"])
    assert Resource.objects.filter(deployment=deployment).count() == droplets
    return deployment


def suspended(cloud: Cloud, slug: str, *, droplets: int = 2) -> Deployment:
    """A deployment that is suspended, its droplets off."""
    deployment = running(cloud, slug, droplets=droplets)
    for droplet in cloud.all("/v2/droplets", "droplets"):
        if droplet["name"].startswith(f"{slug}-"):
            cloud.simulator.control("PATCH", f"droplets/{droplet['id']}", status="off")
    sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["droplet"])
    complete_transition(
        deployment_pk=deployment.pk, to="suspended", actor="a test", at=timezone.now(), saga_id=0
    )
    return deployment


def ended(cloud: Cloud, deployment: Deployment) -> Ended:
    """Read how it is now."""
    deployment.refresh_from_db()
    slug = deployment.slug
    live = Subscription.objects.filter(deployment=deployment, status__in=["active", "paused"])
    droplets = [each for each in cloud.all("/v2/droplets", "droplets") if each["name"].startswith(f"{slug}-")]
    volumes = [each for each in cloud.all("/v2/volumes", "volumes") if each["name"].startswith(f"{slug}-")]
    return Ended(
        state=deployment.state,
        subscriptions=[each.status for each in live],
        droplets=sorted((each["name"], each["status"], _image(each)) for each in droplets),
        volumes=[(each["name"], bool(each["droplet_ids"])) for each in volumes],
        records=sum(each["name"] == slug for each in cloud.records()),
        projects=int(slug in cloud.projects()),
        snapshots=sum(name.startswith(f"{slug}-") for name in cloud.snapshots()),
    )


def reason(saga: SagaRun) -> str:
    """Return why it was compensated."""
    return str((saga.error or {}).get("reason"))


def _image(droplet: Json) -> str:
    """The image's slug; a snapshot has none, and is of the image that it was taken of."""
    return str(droplet["image"].get("slug") or IMAGE)
