"""The `update_deployment` workflow: snapshots, the new image, a health check, or back to the snapshots."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from deployments.states import DeploymentState
from provisioning.contract import END, Effects, Workflow
from provisioning.errors import WrongState
from provisioning.workflows.deployments import DeploymentInputs
from provisioning.workflows.droplets import describe_droplet, describe_snapshot


class UpdateDeployment(DeploymentInputs, frozen=True, kw_only=True):
    """A deployment whose droplets are rebuilt from an image. Where it isn't healthy then, it is put back."""

    image: Annotated[int, msgspec.Meta(ge=1)] | Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    health_check_url: Annotated[
        str,
        msgspec.Meta(
            pattern=rf"^(?:https?://[^\s]+)?{END}",
            max_length=500,
            description="Must answer without an error within ten minutes. Empty: the droplets must run.",
        ),
    ] = ""

    def steps(self) -> Sequence[str]:
        before = ("look_at_droplet", "reserve_snapshot", "snapshot_droplet", "observe_snapshot")
        # All snapshots first: what is put back is of one time.
        return [
            "require_image",
            *self.each_droplet(*before),
            *self.each_droplet("rebuild_droplet"),
            "check_health",
            # A rebuild boots the droplet, also one that was off: of a paused deployment, or on purpose.
            *self.each_droplet("switch_off_again"),
            *self.each_droplet("observe_droplet"),
        ]

    def check(self) -> None:
        deployment = self.find_deployment()
        if deployment.state in {DeploymentState.CANCELLED, DeploymentState.ARCHIVED}:
            raise WrongState(f"deployment {deployment} is {deployment.state}")
        if not self.list_droplets():
            raise WrongState(f"deployment {deployment} has no droplet to be updated")
        self.check_droplets()

    def effects(self) -> Effects:
        droplets = self.list_droplets()
        return Effects(
            creates=[describe_snapshot(each) for each in droplets],
            changes=[
                *(
                    describe_droplet(each, f"rebuilt from image {self.image}; its disk is made anew")
                    for each in droplets
                ),
                *self.describe_workers(),
            ],
            powered_off=[
                f"{each.name} is away while it is rebuilt, and off again if it was off" for each in droplets
            ],
            price_note="a snapshot costs by its size, which is known once it is taken",
            counted_creates=len(droplets),
        )


UPDATE_DEPLOYMENT = Workflow(
    "update_deployment", UpdateDeployment, title="Update a deployment", deadline_seconds=8 * 3600
)
