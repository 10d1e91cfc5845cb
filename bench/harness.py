"""Measures ours against a floor, side by side, and keeps what is known by name."""

import ctypes
import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from django.db import connections

ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `ratio` is ours over the floor; where `higher`, the floor over ours (more is better).

    Seconds are medians over the rounds. `target` is what the ratio may be at most (at least, where
    `higher`). `queries` are the SQL statements of one round of ours, `peak_mb` the most memory that a
    round of ours took over what the process held before all rounds (Linux; 0 elsewhere).
    """

    bench: str
    work: str
    ours_s: float
    floor_s: float
    ratio: float
    higher: bool
    target: float
    met: bool
    queries: int
    peak_mb: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


Bench = Callable[[float], Iterator[Row]]
REGISTRY: Final[dict[str, Bench]] = {}


def bench(name: str) -> Callable[[Bench], Bench]:
    """Register a function that takes the scale (1.0 is the whole work) and yields rows."""

    def register(function: Bench) -> Bench:
        if name in REGISTRY:
            raise ValueError(f"two benches are called {name}")
        REGISTRY[name] = function
        return function

    return register


@dataclass(frozen=True, slots=True)
class Contender:
    """Something to time. `prepare` runs before each round and isn't timed; its result is passed on."""

    run: Callable[..., object]
    prepare: Callable[[], object] | None = None

    def once(self, held_mb: float) -> "Measured":
        """One round; memory is told above `held_mb`."""
        arguments = () if self.prepare is None else (self.prepare(),)
        _start_a_new_peak()
        with _counting() as counted:
            started = time.perf_counter()
            self.run(*arguments)
            seconds = time.perf_counter() - started
        return Measured(seconds, counted[0], max(0.0, _status_mb("VmHWM") - held_mb))


@dataclass(frozen=True, slots=True)
class Measured:
    seconds: float
    queries: int
    peak_mb: float


def interleave(
    contenders: Mapping[str, Contender], *, rounds: int = ROUNDS, warm_up: bool = True
) -> dict[str, list[Measured]]:
    """Run all in turn, round by round, so that a slow minute of the machine slows each alike."""
    _start_a_new_peak()
    held_mb = _status_mb("VmRSS")
    if warm_up:
        for contender in contenders.values():
            contender.once(held_mb)
    found: dict[str, list[Measured]] = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders)[:: 1 if number % 2 == 0 else -1]
        for name in names:
            found[name].append(contenders[name].once(held_mb))
            tell(f"  round {number + 1} of {rounds}: {name} {found[name][-1].seconds:.3f} s")
    return found


def row(
    name: str, work: str, ours: list[Measured], floor: list[Measured], *, target: float, higher: bool = False
) -> Row:
    """Set two measured ones against each other."""
    ours_s = statistics.median(each.seconds for each in ours)
    floor_s = statistics.median(each.seconds for each in floor)
    ratio = floor_s / ours_s if higher else ours_s / floor_s
    return Row(
        bench=name,
        work=work,
        ours_s=round(ours_s, 4),
        floor_s=round(floor_s, 4),
        ratio=round(ratio, 3),
        higher=higher,
        target=target,
        met=ratio >= target if higher else ratio <= target,
        queries=ours[-1].queries,
        peak_mb=round(max(each.peak_mb for each in ours), 1),
    )


def compare(
    name: str,
    work: str,
    *,
    ours: Contender,
    floor: Contender,
    target: float,
    higher: bool = False,
    rounds: int = ROUNDS,
    warm_up: bool = True,
) -> Row:
    """Measure two contenders in turn and set them against each other."""
    found = interleave({"ours": ours, "floor": floor}, rounds=rounds, warm_up=warm_up)
    return row(name, work, found["ours"], found["floor"], target=target, higher=higher)


def tell(line: str) -> None:
    """Progress, on stderr: stdout is for the results."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@contextmanager
def _counting() -> Iterator[list[int]]:
    """Counts the statements that go through Django's connection."""
    counted = [0]

    def count(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        counted[0] += 1
        return execute(sql, params, many, context)

    with connections["default"].execute_wrapper(count):
        yield counted


_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


def _start_a_new_peak() -> None:
    """Give back what earlier rounds left free, or it would hide what this one takes."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
    if trim is not None:
        trim(0)
    if _CLEAR.exists():
        _CLEAR.write_text("5")


def _status_mb(field: str) -> float:
    if not _STATUS.exists():
        return 0.0
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024
