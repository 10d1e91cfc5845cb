"""The outcome of a run in words: what its function returned, or why it failed."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final, NamedTuple

from arcadia_cloud.kernel.errors import describe
from arcadia_cloud.kernel.models import JobRun

NOTHING_TO_DO: Final = "nothing to do"
# A task that goes on where a part fails returns that part's outcome: the run isn't good then.
_BAD_PARTS: Final = frozenset({"failed", "suspicious"})
_NAMES_SHOWN: Final = 5
# A client's error may quote the address that it called, with the password in it.
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s@]+@")


class JobOutcome(NamedTuple):
    """The end of a run: its outcome, and in words what it did."""

    outcome: str
    message: str


def describe_result(result: object) -> JobOutcome:
    """Describe what a task returned: `{"invoices": 143, "entries": 0}` is `143 invoices`."""
    if not isinstance(result, Mapping):
        return JobOutcome(JobRun.Outcome.OK, "")
    parts: list[str] = []
    named: dict[str, list[str]] = defaultdict(list)
    for key, value in result.items():
        name = str(key).replace("_", " ")
        if isinstance(value, bool):
            parts += [name] if value else []
        elif isinstance(value, int):
            parts += [f"{value:,} {name}"] if value else []
        elif isinstance(value, list | tuple):
            parts += [f"{name}: {_list_names([str(each) for each in value])}"] if value else []
        elif value:
            named[str(value)].append(name)
    parts += [_describe_named(word, names, is_alone=len(named) == 1) for word, names in named.items()]
    is_bad = not _BAD_PARTS.isdisjoint(named)
    return JobOutcome(
        JobRun.Outcome.FAILED if is_bad else JobRun.Outcome.OK, ", ".join(parts) or NOTHING_TO_DO
    )


def describe_failure(error: BaseException, *, expected: tuple[type[BaseException], ...]) -> JobOutcome:
    """Describe why a task failed; what it declares to expect, as another run's lease, is no fault."""
    text = _CREDENTIALS.sub("", describe(error))
    if expected and isinstance(error, expected):
        return JobOutcome(JobRun.Outcome.SKIPPED, text)
    return JobOutcome(JobRun.Outcome.FAILED, f"{type(error).__name__}: {text}")


def _describe_named(word: str, names: list[str], *, is_alone: bool) -> str:
    """Describe the parts of one outcome: `15 complete`, `failed: droplet, vpc`, `status: ingested`."""
    if word in _BAD_PARTS:
        return f"{len(names)} {word} ({_list_names(names)})"
    if len(names) == 1 and is_alone:
        return f"{names[0]}: {word}"
    return f"{len(names)} {word}"


def _list_names(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
