"""The workflows of this app, one module each. `register_all` registers them and their steps."""

from provisioning.registry import register_steps, register_workflow
from provisioning.steps import (
    deletions,
    desired_state,
    dns,
    health,
    inventory,
    offboard,
    projects,
    transitions,
    volumes,
)
from provisioning.steps.droplets import create, delete, inspect, power, rebuild, resize, snapshot
from provisioning.steps.revert import fields
from provisioning.workflows import echo
from provisioning.workflows.destroy_droplet import DESTROY_DROPLET
from provisioning.workflows.offboard_deployment import OFFBOARD_DEPLOYMENT
from provisioning.workflows.power_deployment import RESUME_DEPLOYMENT, SUSPEND_DEPLOYMENT
from provisioning.workflows.power_droplet import POWER_OFF_DROPLET, POWER_ON_DROPLET
from provisioning.workflows.provision_deployment import PROVISION_DEPLOYMENT
from provisioning.workflows.provision_droplet import PROVISION_DROPLET
from provisioning.workflows.resize_droplet import RESIZE_DROPLET
from provisioning.workflows.revert_drift import REVERT_DRIFT
from provisioning.workflows.snapshot_droplet import SNAPSHOT_DROPLET
from provisioning.workflows.unused import DELETE_SNAPSHOT, DELETE_VOLUME, RELEASE_RESERVED_IP
from provisioning.workflows.update_deployment import UPDATE_DEPLOYMENT


def register_all() -> None:
    """Register every step and workflow; called once, when the app is ready."""
    for module in (
        create,
        delete,
        deletions,
        transitions,
        desired_state,
        dns,
        echo,
        fields,
        health,
        inspect,
        inventory,
        offboard,
        power,
        projects,
        rebuild,
        resize,
        snapshot,
        volumes,
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
        PROVISION_DEPLOYMENT,
        SUSPEND_DEPLOYMENT,
        RESUME_DEPLOYMENT,
        UPDATE_DEPLOYMENT,
        OFFBOARD_DEPLOYMENT,
        REVERT_DRIFT,
        DELETE_VOLUME,
        RELEASE_RESERVED_IP,
        DELETE_SNAPSHOT,
    ):
        register_workflow(workflow)
