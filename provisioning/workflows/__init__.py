"""The workflows of this app, one module each. `register_all` makes them known."""

from provisioning.registry import register_steps, register_workflow
from provisioning.workflows import echo


def register_all() -> None:
    """Register every step and workflow; called once, when the app is ready."""
    for module in (echo,):
        register_steps(*module.STEPS)
        register_workflow(module.WORKFLOW)
