"""The steps and workflows that this build knows, by name. Nothing from a row is ever imported.

Filled from each app's `AppConfig.ready()`: an app above this one adds its workflows here.
"""

from collections.abc import Mapping
from types import MappingProxyType

from provisioning.contract import PART, Step, Workflow, split_step

_steps: dict[str, Step] = {}
_workflows: dict[str, Workflow] = {}


def register_steps(*steps: Step) -> None:
    """Make steps known. A name stands for one step."""
    # Two steps of one name would make what a running saga does depend on the order of imports.
    for step in steps:
        if PART in step.name:
            raise ValueError(f"step {step.name!r} has a {PART} in its name: a part of a saga follows that")
        if _steps.setdefault(step.name, step) is not step:
            raise ValueError(f"step {step.name!r} is registered twice")


def register_workflow(workflow: Workflow) -> None:
    """Make a workflow known. A kind stands for one workflow."""
    if _workflows.setdefault(workflow.kind, workflow) is not workflow:
        raise ValueError(f"workflow {workflow.kind!r} is registered twice")


def step_named(name: str) -> Step | None:
    """The step, whichever part of a saga it works on, or None where this build has none of that name."""
    return _steps.get(split_step(name)[0])


def step_names() -> list[str]:
    """The names of every step that this build has."""
    return list(_steps)


def pure_steps() -> list[str]:
    """The names of the steps that change nothing outside."""
    return [step.name for step in _steps.values() if step.is_pure]


def workflow_of(kind: str) -> Workflow | None:
    """The workflow, or None where this build has none of that kind."""
    return _workflows.get(kind)


def workflows() -> Mapping[str, Workflow]:
    """Every workflow by kind, in the order of registration."""
    return MappingProxyType(_workflows)
