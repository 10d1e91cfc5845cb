"""The `echo` workflow, the engine's own proof. Touches nothing outside."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from provisioning.contract import FinalError, Inputs, Step, StepState, Workflow


class EchoInputs(Inputs, frozen=True, kw_only=True):
    """`times` echoes of `message`, then, with `then_fail`, a step that fails."""

    message: Annotated[str, msgspec.Meta(max_length=1000)]
    times: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3
    then_fail: bool = False

    def steps(self) -> Sequence[str]:
        return ["echo"] * self.times + ["fail"] * self.then_fail


def echo(state: StepState) -> None:
    """Put the message into the context, under the step's index."""
    state.put_output(f"echoed_at_step_{state.step_idx}", state.inputs["message"])


def compensate_echo(_state: StepState) -> None:
    """Do nothing: nothing was done outside."""


def fail(_state: StepState) -> None:
    """Fail for good."""
    raise FinalError("this step always fails")


STEPS: Final = (
    Step("echo", echo, compensate=compensate_echo, is_pure=True),
    Step("fail", fail, is_pure=True),
)
ECHO = Workflow("echo", EchoInputs, title="Echo a message")
