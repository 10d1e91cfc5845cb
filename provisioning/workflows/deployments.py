"""The rules that the workflows on one deployment share. Each of its droplets is a part of the saga."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import msgspec

from arcadia_cloud.kernel.errors import InvalidInput
from deployments.models import Deployment
from deployments.states import LIFECYCLE
from inventory.models import Resource
from inventory.values import PROVIDER, Kind
from provisioning.contract import PART, Inputs, Ownership
from provisioning.workflows.droplets import DropletInputs

DeploymentId: TypeAlias = Annotated[int, msgspec.Meta(ge=1, description="The deployment's id.")]
Reason: TypeAlias = Annotated[
    str, msgspec.Meta(max_length=500, description="Why, for the deployment's history.")
]


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
        live = Resource.objects.live().filter(provider=PROVIDER, kind=Kind.DROPLET)
        return list(live.filter(deployment=self.deployment_id).order_by("pk"))

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
        """Raise IllegalTransition unless the deployment may move to this state."""
        deployment = self.find_deployment()
        LIFECYCLE.assert_allows(deployment.state, to, f"deployment {deployment}")

    def each_droplet(self, *steps: str) -> list[str]:
        """Return the steps of every droplet, one droplet after the other."""
        return [f"{step}{PART}{part}" for part in self.parts() for step in steps]
