"""The workflows of this app, one module each. `register_all` registers them and their steps."""

from provisioning.registry import register_steps, register_workflow
from provisioning.steps import desired_state, dns, inventory, projects
from provisioning.steps.droplets import create, delete, inspect, power, resize, snapshot
from provisioning.workflows import echo
from provisioning.workflows.destroy_droplet import DESTROY_DROPLET
from provisioning.workflows.power_droplet import POWER_OFF_DROPLET, POWER_ON_DROPLET
from provisioning.workflows.provision_droplet import PROVISION_DROPLET
from provisioning.workflows.resize_droplet import RESIZE_DROPLET
from provisioning.workflows.snapshot_droplet import SNAPSHOT_DROPLET


def register_all() -> None:
    """Register every step and workflow; called once, when the app is ready."""
    for module in (
        create,
        delete,
        desired_state,
        dns,
        echo,
        inspect,
        inventory,
        power,
        projects,
        resize,
        snapshot,
    ):
        register_steps(*module.STEPS)
    for workflow in (
        echo.ECHO,
        PROVISION_DROPLET,
        RESIZE_DROPLET,
        SNAPSHOT_DROPLET,
        DESTROY_DROPLET,
        POWER_OFF_DROPLET,
        POWER_ON_DROPLET,
    ):
        register_workflow(workflow)
