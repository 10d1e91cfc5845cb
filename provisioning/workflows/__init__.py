"""The workflows of this app, one module each. `register_all` makes them known."""

from provisioning.registry import register_steps, register_workflow
from provisioning.steps import dns, inventory, projects
from provisioning.steps.droplets import create, destroy, resize, snapshot
from provisioning.workflows import (
    destroy_droplet,
    echo,
    provision_droplet,
    resize_droplet,
    snapshot_droplet,
)


def register_all() -> None:
    """Register every step and workflow; called once, when the app is ready."""
    for module in (echo, destroy, dns, create, inventory, projects, resize, snapshot):
        register_steps(*module.STEPS)
    for workflow in (echo, provision_droplet, resize_droplet, snapshot_droplet, destroy_droplet):
        register_workflow(workflow.WORKFLOW)
