"""The rules that the workflows on one droplet share, decided from the inventory alone."""

from collections.abc import Iterable, Sequence
from typing import Annotated, TypeAlias

import msgspec

from arcadia_cloud.kernel.errors import Conflict, InvalidInput
from arcadia_cloud.kernel.money import Money, sum_money
from inventory.models import Resource
from inventory.values import PROVIDER, PROVIDER_CURRENCY, Kind
from provisioning.contract import END, Effect, Inputs, Ownership
from provisioning.models import SagaRun
from provisioning.protection import refuse_if_protected
from provisioning.saga_marks import find_maker
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


class DropletInputs(Inputs, frozen=True, kw_only=True):
    """A droplet that is in the inventory."""

    droplet_id: DropletId

    def subjects(self) -> Sequence[str]:
        return [f"droplet:{self.droplet_id}"]

    def owner(self) -> Ownership:
        droplet = self.find_droplet()
        return Ownership(tenant_id=droplet.tenant_id, deployment_id=droplet.deployment_id)

    def check(self) -> None:
        """Refuse what `check_can_be_changed` refuses, and a protected droplet."""
        droplet = self.check_can_be_changed()
        refuse_if_protected(kind=Kind.DROPLET, provider_id=droplet.provider_id, tags=droplet.tags)

    def find_droplet(self) -> Resource:
        """Return the live droplet. Raises InvalidInput where the inventory has none."""
        found = (
            Resource.objects.live()
            .filter(provider=PROVIDER, kind=Kind.DROPLET, provider_id=str(self.droplet_id))
            .first()
        )
        if found is None:
            message = (
                f"the inventory has no droplet {self.droplet_id}; "
                "one made by hand is there after the next sync"
            )
            raise InvalidInput(message, errors={"inputs.droplet_id": [message]})
        return found

    def check_can_be_changed(self) -> Resource:
        """Return the droplet. Raises InvalidInput or Conflict for one that no saga may change now.

        One that is not in the inventory, a Kubernetes cluster's worker, and one that another saga is still
        making (a dead letter goes on with it when it is retried).
        """
        droplet = self.find_droplet()
        if cluster := droplet.attrs.get("cluster_id"):
            raise Conflict(
                f"droplet {self.droplet_id} is a worker of Kubernetes cluster {cluster}, which manages it"
            )
        # By the tag, not by the context: a live saga's context has no droplet until its create is committed.
        for maker in map(find_maker, droplet.tags):
            unsettled = [*LIVE, SagaStatus.FAILED]
            if maker is not None and SagaRun.objects.filter(
                pk=maker.saga_id, nonce=maker.nonce, status__in=unsettled
            ):
                raise Conflict(f"saga {maker.saga_id} is still making droplet {self.droplet_id}")
        return droplet


def describe_droplet(droplet: Resource, detail: str = "") -> Effect:
    """Return the effect on a droplet that is there already."""
    return Effect(Kind.DROPLET, f"{droplet.name} ({droplet.provider_id})", detail)


def describe_snapshot(droplet: Resource) -> Effect:
    """Return the effect of taking a snapshot of the droplet."""
    return Effect(Kind.SNAPSHOT, f"of {droplet.name}", "costs by its size, which is known once it is taken")


def price_of_droplet(droplet: Resource) -> Money | None:
    """Return the list price of a month, as the inventory last saw it; None where it isn't known."""
    return Money.from_cents(droplet.monthly_price_cents, PROVIDER_CURRENCY)


def sum_of_prices(droplets: Iterable[Resource]) -> Money | None:
    """Return what the droplets cost together in a month; None where a price isn't known."""
    prices = [price_of_droplet(each) for each in droplets]
    known = [price for price in prices if price is not None]
    # A sum without all its prices would be too low, and look right.
    return sum_money(known, PROVIDER_CURRENCY) if len(known) == len(prices) else None
