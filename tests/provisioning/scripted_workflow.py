"""A workflow whose steps follow a script, and write a journal of each call.

Loaded by tests, and by workers that a test starts: `--include tests.provisioning.scripted_workflow`.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.db import connection

from provisioning.contract import FinalError, Inputs, RetryableError, Step, StepState, Wait, Workflow
from provisioning.registry import register_steps, register_workflow, step_named
from provisioning.services import cancel_saga, pause


class Script(Inputs, frozen=True, kw_only=True):
    """The names of the steps, and by `do:<index>` or `undo:<index>` how each call ends: the first call by
    the first word, and so on; without a word it is `ok`. `journal` is the file's path."""

    step_names: list[str]
    journal: str
    script: dict[str, list[str]] = {}
    subject_names: list[str] = []

    def steps(self) -> Sequence[str]:
        return self.step_names

    def subjects(self) -> Sequence[str]:
        return self.subject_names


def act(state: StepState) -> Wait | None:
    """Write the call into the journal, then follow the script."""
    function = f"{'undo' if state.is_compensating else 'do'}:{state.step_idx}"
    journal = Path(state.inputs["journal"])
    line = f"{state.saga_id} {function}"
    earlier = journal.read_text().splitlines().count(line) if journal.exists() else 0
    with journal.open("a") as file:
        file.write(f"{line}\n")
    words = state.inputs["script"].get(function, [])
    state.put_output(f"calls of {function}", earlier + 1)
    verb, _, argument = (words[earlier] if earlier < len(words) else "ok").partition("=")
    return VERBS[verb](state, argument)


def _wait(_state: StepState, seconds: str) -> Wait:
    return Wait(float(seconds), "the script says so")


def _retry(_state: StepState, after_seconds: str) -> None:
    raise RetryableError("not yet", after_seconds=float(after_seconds or 0))


def _fail(_state: StepState, _argument: str) -> None:
    raise FinalError("the script says so")


def _bug(_state: StepState, _argument: str) -> None:
    raise ZeroDivisionError("a\0bug")


def _answer(_state: StepState, _argument: str) -> Any:
    return 42


def _die(_state: StepState, _argument: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _lose_and_write(state: StepState, _argument: str) -> None:
    lose_lease(state.saga_id)
    state.extend_lease_for(1)


def _write(state: StepState, seconds: str) -> None:
    state.extend_lease_for(float(seconds))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM lease_expires_at - clock_timestamp())::int"
            " FROM saga_runs WHERE id = %s",
            [state.saga_id],
        )
        state.put_output("seconds left", cursor.fetchone()[0])


def _cancel(state: StepState, then: str) -> Wait | None:
    cancel_saga(saga_id=state.saga_id, actor="the script")
    return Wait(3600) if then == "wait" else None


def _pause(_state: StepState, _argument: str) -> None:
    pause(actor="the script", reason="the script says so")


VERBS: dict[str, Callable[[StepState, str], Wait | None]] = {
    "ok": lambda _state, _argument: None,
    "wait": _wait,
    "retry": _retry,
    "fail": _fail,
    "bug": _bug,
    "answer": _answer,
    "put": lambda state, what: state.put_output("put", {"set": {1}, "nan": float("nan"), "nul": "\0"}[what]),
    "die": _die,
    "sleep": lambda _state, seconds: time.sleep(float(seconds)),
    "lose": lambda state, _argument: lose_lease(state.saga_id),
    "lose and write": _lose_and_write,
    "write": _write,
    "cancel": _cancel,
    "pause": _pause,
}


def lose_lease(saga_id: int) -> None:
    """Let so much time pass for this saga that its lease runs out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE saga_runs SET lease_expires_at = clock_timestamp() - interval '1 second' WHERE id = %s",
            [saga_id],
        )


STEPS = (
    Step("act", act, compensate=act),
    Step("act without undo", act),
    Step("retried", act, compensate=act, retries=2, backoff_seconds=0.01),
    Step(
        "patiently compensated", act, compensate=act, retries=2, backoff_seconds=0.01, compensation_retries=5
    ),
    Step("patient", act, compensate=act, retries=10, backoff_seconds=8.4),
    Step("timed", act, compensate=act, retries=1000, backoff_seconds=0.01, deadline_seconds=0.4),
    Step("halfway", act, compensate=act, compensate_on_failure=True),
)
SCRIPTED = Workflow("scripted", Script, deadline_seconds=3600)

if step_named("act") is None:
    register_steps(*STEPS)
    register_workflow(SCRIPTED)
