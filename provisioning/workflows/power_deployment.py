"""The `suspend_deployment` and `resume_deployment` workflows: its droplets first, then its state."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from inventory.models import Resource
from provisioning.contract import PART, PARTS, Effect, Effects, Workflow
from provisioning.models import SagaRun
from provisioning.states import SagaStatus
from provisioning.workflows.deployments import DeploymentInputs
from provisioning.workflows.droplets import describe_droplet
from provisioning.workflows.power_droplet import NO_CHANGE, OFF_COSTS

SUSPEND = "suspend_deployment"


class SuspendDeployment(DeploymentInputs, frozen=True, kw_only=True):
    """A deployment to be paused or suspended. Its droplets are shut down, and go on costing."""

    to: Literal["suspended", "paused"] = "suspended"
    automatic: Annotated[
        bool,
        msgspec.Meta(
            description="A billing action: undone where its ground is gone by the time it is done, or the "
            "deployment exempt from billing actions."
        ),
    ] = False

    def steps(self) -> Sequence[str]:
        # The state follows the machines: a failure on the way must not leave it ahead of them.
        power = ("look_at_droplet", "shut_down_droplet", "observe_droplet", "record_desired_power")
        return [*self.each_droplet(*power), "transition_deployment"]

    def check(self) -> None:
        self.check_transition(self.to)
        self.check_droplets()

    def effects(self) -> Effects:
        deployment, droplets = self.find_deployment(), self.list_droplets()
        return Effects(
            changes=[
                *(describe_droplet(each, f"{each.status or 'unknown'} to off") for each in droplets),
                *self.describe_workers(),
                Effect("deployment", str(deployment), f"{deployment.state} to {self.to}"),
            ],
            powered_off=[f"{each.name} is off until the deployment is resumed" for each in droplets],
            price_change=NO_CHANGE,
            price_note=OFF_COSTS,
        )


class ResumeDeployment(DeploymentInputs, frozen=True, kw_only=True):
    """A paused or suspended deployment to be active again. What its suspension switched off goes on."""

    to: Literal["active"] = "active"

    def list_droplets(self) -> list[Resource]:
        droplets = super().list_droplets()
        suspensions = SagaRun.objects.filter(
            deployment=self.deployment_id, kind=SUSPEND, status=SagaStatus.COMPLETED
        )
        # The latest: an earlier suspension may have found other droplets off.
        last = suspensions.order_by("-pk").first()
        if last is None:
            return droplets
        # One that was off before the suspension is off on purpose.
        parts = last.context.get(PARTS, {})
        left_off = {part for part in parts if last.context.get(f"was_on{PART}{part}") is False}
        return [each for each in droplets if each.provider_id not in left_off]

    def steps(self) -> Sequence[str]:
        power = ("look_at_droplet", "switch_on_droplet", "observe_droplet", "record_desired_power")
        return [*self.each_droplet(*power), "transition_deployment"]

    def check(self) -> None:
        """Refuse what can't be changed. A protected droplet may be switched on: it does it no harm."""
        self.check_transition(self.to)
        self.check_droplets(harmless=True)

    def effects(self) -> Effects:
        deployment, droplets = self.find_deployment(), self.list_droplets()
        return Effects(
            changes=[
                *(describe_droplet(each, f"{each.status or 'unknown'} to active") for each in droplets),
                *self.describe_workers(),
                Effect("deployment", str(deployment), f"{deployment.state} to {self.to}"),
            ],
            price_change=NO_CHANGE,
            price_note=OFF_COSTS,
        )


SUSPEND_DEPLOYMENT = Workflow(
    SUSPEND, SuspendDeployment, title="Suspend a deployment", deadline_seconds=2 * 3600
)
RESUME_DEPLOYMENT = Workflow(
    "resume_deployment", ResumeDeployment, title="Resume a deployment", deadline_seconds=2 * 3600
)
