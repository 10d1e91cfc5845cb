"""`echo`: the engine's own proof. Touches nothing outside."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from provisioning.contract import FinalError, Inputs, Step, StepState, Workflow


class EchoInputs(Inputs, frozen=True, kw_only=True):
    """`times` echoes of `message`, then, with `then_fail`, a step that fails."""

    message: Annotated[str, msgspec.Meta(max_length=1000)]
    times: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3
    then_fail: bool = False


def echo(state: StepState) -> None:
    """Put the message into the context, under the step's index."""
    state.put_output(f"echoed_at_step_{state.step_idx}", state.inputs["message"])


def unecho(_state: StepState) -> None:
    """Nothing was done outside, so nothing is undone."""


def fail(_state: StepState) -> None:
    """Fail for good."""
    raise FinalError("this step always fails")


def _steps(inputs: EchoInputs) -> Sequence[str]:
    return ["echo"] * inputs.times + ["fail"] * inputs.then_fail


def _subjects(_inputs: EchoInputs) -> Sequence[str]:
    return ()


STEPS = (Step("echo", echo, compensate=unecho, is_pure=True), Step("fail", fail, is_pure=True))
WORKFLOW = Workflow("echo", inputs=EchoInputs, steps=_steps, subjects=_subjects, title="Echo a message")
