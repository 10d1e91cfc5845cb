"""A workflow whose effects can be counted. Workers load it: `--include tests.provisioning.storm_workflow`.

A step's effect is a file that is there or not, whoever makes it how often; a journal has each time that a
worker began and ended one, and, where STORM is set, each time that one was committed.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from provisioning.contract import Inputs, Step, StepState, Wait, Workflow
from provisioning.engine import failpoints
from provisioning.engine.failpoints import Failpoint
from provisioning.registry import register_steps, register_workflow, workflow_of

VARIABLE = "STORM"
OPTIONS = ("--pool", "prefork", "--include", "tests.provisioning.storm_workflow", "--concurrency")
EFFECTS = ("effect", "effect", "effect after a wait", "effect", "effect")
JOURNAL = "journal"
_COMMITS = {Failpoint.AFTER_COMMIT: "do committed", Failpoint.AFTER_COMPENSATION_COMMIT: "undo committed"}


class Effects(Inputs, frozen=True, kw_only=True):
    """Each of five effects takes `seconds`. `folder` holds them and the journal."""

    folder: str
    seconds: float
    then_fail: bool = False

    def steps(self) -> Sequence[str]:
        return [*EFFECTS, *(["fail"] if self.then_fail else [])]


def note(folder: Path, saga_id: int, step_idx: int, words: str) -> None:
    """A line of the journal; one write, so that processes don't garble each other's."""
    line = f"{saga_id} {step_idx} {words}\n".encode()
    journal = os.open(folder / JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(journal, line)
    finally:
        os.close(journal)


def effect(state: StepState) -> None:
    """Make the file, or, as a compensation, take it away."""
    folder, done = Path(state.inputs["folder"]), "undo" if state.is_compensating else "do"
    note(folder, state.saga_id, state.step_idx, f"{done} began {state.attempt}")
    time.sleep(state.inputs["seconds"])
    made = folder / f"{state.saga_id}-{state.step_idx}"
    if state.is_compensating:
        made.unlink(missing_ok=True)
    else:
        made.touch()
    note(folder, state.saga_id, state.step_idx, f"{done} ended {state.attempt}")


def effect_after_a_wait(state: StepState) -> Wait | None:
    """The same, when it is entered for the second time."""
    if state.get_output("waited") is None:
        state.put_output("waited", True)
        return Wait(0.2, "to begin")
    effect(state)
    return None


def _note_commits(boundary: Failpoint, saga_id: int, step_idx: int, _step: str) -> None:
    if boundary in _COMMITS:
        note(Path(os.environ[VARIABLE]), saga_id, step_idx, f"{_COMMITS[boundary]} 0")


if workflow_of("effects") is None:
    register_steps(
        Step("effect", effect, compensate=effect),
        Step("effect after a wait", effect_after_a_wait, compensate=effect),
    )
    register_workflow(Workflow("effects", Effects))
if VARIABLE in os.environ:
    failpoints.listen(_note_commits)
