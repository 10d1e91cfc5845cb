"""Lets workers die by SIGKILL at named failpoints. They load it: `--include tests.provisioning.crashes`.

In the folder that CRASHES names, a file per saga plans what is to happen where, and another one is a journal
of the failpoints that the saga passed. Both outlive the worker.
"""

import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from provisioning.engine import failpoints
from provisioning.engine.failpoints import Failpoint
from provisioning.errors import WrongState
from provisioning.services import cancel_saga

VARIABLE = "CRASHES"
OPTIONS = ("--pool", "prefork", "--include", "tests.provisioning.crashes", "--concurrency")
_BACK = {
    Failpoint.COMPENSATION_STARTED,
    Failpoint.BEFORE_COMPENSATION,
    Failpoint.AFTER_COMPENSATION,
    Failpoint.AFTER_COMPENSATION_COMMIT,
}


@dataclass(frozen=True, slots=True)
class Point:
    """A boundary of a step, on the way there or back, as it is passed for the `nth` time."""

    boundary: Failpoint
    step_idx: int
    is_back: bool = False
    nth: int = 1

    @property
    def key(self) -> str:
        return f"{'back' if self.is_back else 'there'} {self.boundary} {self.step_idx} {self.nth}"


@dataclass(frozen=True, slots=True)
class Passed:
    """A line of a saga's journal."""

    point: Point
    pid: int


def _cancel(saga_id: int) -> None:
    with suppress(WrongState):
        cancel_saga(saga_id=saga_id, actor="a test")


def _kill_child(_saga_id: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_worker(_saga_id: int) -> None:
    """The pool's other processes and their parent too: a machine that is gone."""
    os.killpg(os.getpgrp(), signal.SIGKILL)


DEEDS: Mapping[str, Callable[[int], None]] = {
    "cancel": _cancel,
    "kill child": _kill_child,
    "kill worker": _kill_worker,
}


class Crashes:
    """Plans and journals in a folder that the test and its workers share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {VARIABLE: str(folder)}

    def plan(self, saga_id: int, deeds: Mapping[Point, Sequence[str]]) -> None:
        """Call it before the saga's start is committed."""
        (self.folder / f"{saga_id}.plan").write_text(
            json.dumps({point.key: list(names) for point, names in deeds.items()})
        )

    def passed(self, saga_id: int) -> list[Passed]:
        """Return the failpoints that the saga passed so far, in order."""
        try:
            lines = (self.folder / f"{saga_id}.journal").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [_parsed(line) for line in lines if not line.startswith("done ")]

    def done(self, saga_id: int) -> list[str]:
        """The deeds that were done to the saga, in order."""
        lines = (self.folder / f"{saga_id}.journal").read_text().splitlines()
        return [line.removeprefix("done ") for line in lines if line.startswith("done ")]

    def watch(self, boundary: Failpoint, saga_id: int, step_idx: int, _step: str) -> None:
        """The engine's listener in a worker: writes the journal, then does what is planned there."""
        journal = self.folder / f"{saga_id}.journal"
        earlier = [each.point for each in self.passed(saga_id)]
        is_back = boundary in _BACK or any(point.is_back for point in earlier)
        point = Point(boundary, step_idx, is_back)
        point = Point(boundary, step_idx, is_back, 1 + sum(_is_same(point, other) for other in earlier))
        plan = self.folder / f"{saga_id}.plan"
        deeds = json.loads(plan.read_text()).get(point.key, ()) if plan.exists() else ()
        with journal.open("a") as file:
            file.write("".join([f"{point.key} {os.getpid()}\n", *(f"done {deed}\n" for deed in deeds)]))
        for deed in deeds:
            DEEDS[deed](saga_id)


def _is_same(one: Point, other: Point) -> bool:
    return (one.boundary, one.step_idx, one.is_back) == (other.boundary, other.step_idx, other.is_back)


def _parsed(line: str) -> Passed:
    way, boundary, step_idx, nth, pid = line.split()
    return Passed(Point(Failpoint(boundary), int(step_idx), way == "back", int(nth)), int(pid))


if VARIABLE in os.environ:
    failpoints.listen(Crashes(Path(os.environ[VARIABLE])).watch)
