"""The rules that the workflows on one deployment share. Each of its droplets is a part of the saga."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from arcadia_cloud.kernel.database import DatabaseClock
from arcadia_cloud.kernel.errors import InvalidInput
from deployments.models import Deployment
from deployments.registry import TransitionOrder, check_transition
from deployments.states import LIFECYCLE
from inventory.models import Resource
from inventory.values import PROVIDER, Kind
from provisioning.contract import PART, Effect, Inputs, Ownership
from provisioning.workflows.droplets import DropletInputs, describe_droplet

_ACTOR: Final = "system: sagas"
DeploymentId: TypeAlias = Annotated[int, msgspec.Meta(ge=1, description="The deployment's id.")]
Reason: TypeAlias = Annotated[
    str, msgspec.Meta(max_length=500, description="Why, for the deployment's history.")
]


@dataclass(frozen=True, slots=True)
class DeploymentDroplets:
    """The live droplets of a deployment: its own, and workers of Kubernetes clusters, which manage them."""

    own: list[Resource]
    workers: list[Resource]


def droplets_of_deployment(deployment_id: int) -> DeploymentDroplets:
    """Return the live droplets of the deployment."""
    live = Resource.objects.live().filter(provider=PROVIDER, kind=Kind.DROPLET, deployment=deployment_id)
    droplets = DeploymentDroplets([], [])
    for each in live.order_by("pk"):
        (droplets.workers if each.attrs.get("cluster_id") else droplets.own).append(each)
    return droplets


class DeploymentInputs(Inputs, frozen=True, kw_only=True):
    """A deployment, with the droplets that it has when the saga begins."""

    deployment_id: DeploymentId
    reason: Reason = ""

    def find_deployment(self) -> Deployment:
        """Return the deployment. Raises InvalidInput where there is none of that id."""
        found = Deployment.objects.filter(pk=self.deployment_id).first()
        if found is None:
            message = f"there is no deployment {self.deployment_id}"
            raise InvalidInput(message, errors={"inputs.deployment_id": [message]})
        return found

    def list_droplets(self) -> list[Resource]:
        """Return the droplets that the saga works on: the deployment's live ones."""
        return droplets_of_deployment(self.deployment_id).own

    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        return {each.provider_id: {"droplet_id": int(each.provider_id)} for each in self.list_droplets()}

    def subjects(self) -> Sequence[str]:
        droplets = [f"droplet:{each.provider_id}" for each in self.list_droplets()]
        return [f"deployment:{self.deployment_id}", *droplets]

    def owner(self) -> Ownership:
        deployment = self.find_deployment()
        return Ownership(tenant_id=deployment.tenant_id, deployment_id=deployment.pk)

    def check_droplets(self, *, harmless: bool = False) -> None:
        """Refuse what can't be changed, and, unless what is done is harmless, a protected droplet."""
        for droplet in self.list_droplets():
            inputs = DropletInputs(droplet_id=int(droplet.provider_id))
            if harmless:
                inputs.check_can_be_changed()
            else:
                inputs.check()

    def check_transition(self, to: str) -> None:
        """Raise IllegalTransition unless the deployment may move to this state, and what guards raise."""
        deployment = self.find_deployment()
        LIFECYCLE.assert_allows(deployment.state, to, f"deployment {deployment}")
        # At every door: a saga may be started by itself, by a retry, or have been scheduled long ago.
        check_transition(
            TransitionOrder(
                deployment.pk, deployment.state, to, self.reason, actor=_ACTOR, at=DatabaseClock().now()
            )
        )

    def describe_workers(self) -> list[Effect]:
        """Return a plan's lines on the workers of clusters, which no saga touches."""
        text = "left alone: a worker of Kubernetes cluster {}, which manages it"
        workers = droplets_of_deployment(self.deployment_id).workers
        return [describe_droplet(each, text.format(each.attrs["cluster_id"])) for each in workers]

    def each_droplet(self, *steps: str) -> list[str]:
        """Return the steps of every droplet, one droplet after the other."""
        return [f"{step}{PART}{part}" for part in self.parts() for step in steps]
