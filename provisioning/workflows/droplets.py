"""What the workflows on droplets check before they start, from the inventory alone."""

import re
from typing import Annotated, Final, TypeAlias

import msgspec

from arcadia_cloud.kernel.errors import Conflict, InvalidInput
from deployments.models import Deployment
from inventory.models import Resource
from inventory.values import PROVIDER, Kind
from provisioning.brakes import refuse_if_protected
from provisioning.contract import END, Ownership
from provisioning.models import SagaRun
from provisioning.states import LIVE, SagaStatus

DropletId: TypeAlias = Annotated[int, msgspec.Meta(ge=1, description="The droplet's id at the provider.")]
SizeSlug: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=rf"^[a-z0-9.-]{{3,60}}{END}", description="A size's slug, as s-2vcpu-4gb.")
]
SnapshotName: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        max_length=200,
        description="What the snapshot's name begins with, instead of the droplet's; the saga's id is added.",
    ),
]
_MARK: Final = re.compile(r"saga:(\d{1,18})-\d+")


def droplet_in_inventory(droplet_id: int) -> Resource:
    """The live droplet. Raises InvalidInput where the inventory has none."""
    found = (
        Resource.objects.live()
        .filter(provider=PROVIDER, kind=Kind.DROPLET, provider_id=str(droplet_id))
        .first()
    )
    if found is None:
        words = f"the inventory has no droplet {droplet_id}; one made by hand is there after the next sync"
        raise InvalidInput(words, errors={"inputs.droplet_id": [words]})
    return found


def check_may_be_changed(droplet_id: int, *, harmless: bool = False) -> None:
    """Raise InvalidInput or Conflict for a droplet that no saga may change now.

    One that is not in the inventory, a Kubernetes cluster's worker, one that another saga is still making
    (a dead letter goes on with it when it is retried), and, unless what is to be done is harmless, one that
    is protected.
    """
    droplet = droplet_in_inventory(droplet_id)
    if cluster := droplet.attrs.get("cluster_id"):
        raise Conflict(f"droplet {droplet_id} is a worker of Kubernetes cluster {cluster}, which manages it")
    makers = [int(match[1]) for tag in droplet.tags if (match := _MARK.fullmatch(tag.lower()))]
    unsettled = SagaRun.objects.filter(pk__in=makers, status__in=[*LIVE, SagaStatus.FAILED])
    if busy := unsettled.values_list("pk", flat=True).first():
        raise Conflict(f"saga {busy} is still making droplet {droplet_id}")
    if not harmless:
        refuse_if_protected(
            kind=Kind.DROPLET, provider_id=str(droplet_id), tags=[tag.lower() for tag in droplet.tags]
        )


def owner_of_droplet(droplet_id: int) -> Ownership:
    """Whose the droplet is, by the inventory."""
    droplet = droplet_in_inventory(droplet_id)
    return Ownership(tenant_id=droplet.tenant_id, deployment_id=droplet.deployment_id)


def owner_of_deployment(deployment_id: int | None) -> Ownership:
    """The deployment and its tenant. Raises InvalidInput where there is none of that id."""
    if deployment_id is None:
        return Ownership()
    tenant_id = Deployment.objects.filter(pk=deployment_id).values_list("tenant_id", flat=True).first()
    if tenant_id is None:
        words = f"there is no deployment {deployment_id}"
        raise InvalidInput(words, errors={"inputs.deployment_id": [words]})
    return Ownership(tenant_id=tenant_id, deployment_id=deployment_id)


def subject_of(droplet_id: int) -> str:
    """By what at most one live saga holds a droplet."""
    return f"droplet:{droplet_id}"
