"""The `offboard_deployment` workflow: snapshots, names, machines, subscription, archive."""

from collections.abc import Sequence

from deployments.states import DeploymentState
from provisioning.contract import Effect, Effects, Workflow
from provisioning.errors import WrongState
from provisioning.workflows.deployments import DeploymentInputs
from provisioning.workflows.droplets import describe_droplet, describe_snapshot, sum_of_prices


class OffboardDeployment(DeploymentInputs, frozen=True, kw_only=True):
    """A deployment to end for good. Its droplets' last snapshots are kept, and cost, unless unwanted."""

    keep_snapshots: bool = True

    def steps(self) -> Sequence[str]:
        snapshot = ("snapshot_droplet", "observe_snapshot") if self.keep_snapshots else ()
        # Switched off before its snapshot: the last one is of a disk at rest.
        each = self.each_droplet("look_at_droplet", "shut_down_droplet", *snapshot)
        # What has no way back comes last, and what follows it can't fail: the subscription ends with it.
        return [*each, "remove_dns_records", "destroy_deployment", "cancel_deployment", "archive_deployment"]

    def check(self) -> None:
        deployment = self.find_deployment()
        # One with droplets, found after its archive, is offboarded once more: nothing else removes them.
        if deployment.state == DeploymentState.ARCHIVED and not self.list_droplets():
            raise WrongState(f"deployment {deployment} is archived already")
        if deployment.state not in {DeploymentState.CANCELLED, DeploymentState.ARCHIVED}:
            self.check_transition(DeploymentState.CANCELLED)
        self.check_droplets()

    def effects(self) -> Effects:
        deployment, droplets = self.find_deployment(), self.list_droplets()
        price = sum_of_prices(droplets)
        notes = [
            *(["without the last snapshots' price"] if self.keep_snapshots and droplets else []),
            *(["a droplet's price isn't known"] if price is None else []),
        ]
        return Effects(
            creates=[describe_snapshot(each) for each in droplets] if self.keep_snapshots else [],
            changes=[
                Effect(
                    "deployment", str(deployment), f"{deployment.state} to archived, subscription cancelled"
                ),
                *self.describe_workers(),
            ],
            destroys=[
                *(describe_droplet(each, "for good; its volumes stay") for each in droplets),
                *([Effect("dns_record", "all that point to its droplets")] if droplets else []),
            ],
            powered_off=[f"{each.name} is shut down, and then destroyed" for each in droplets],
            price_change=None if price is None else -price,
            price_note="; ".join(notes),
        )


OFFBOARD_DEPLOYMENT = Workflow(
    "offboard_deployment", OffboardDeployment, title="Offboard a deployment", deadline_seconds=8 * 3600
)
