"""The marks of what a saga makes at the provider: in a tag, a name or a description.

A mark names the saga, the step and the saga's nonce. The number alone proves nothing: it repeats after a
restore or a failover that lost commits, and in another installation that works on the same account.
"""

import re
from dataclasses import dataclass
from typing import Final

from provisioning.contract import StepState

TAG_PREFIX: Final = "saga:"
_TAG: Final = re.compile(r"saga:(?P<saga_id>\d{1,18})-\d+(?:-(?P<nonce>[0-9a-f]+))?")


@dataclass(frozen=True, slots=True)
class Maker:
    """The saga that a mark names. `nonce` is "" in marks of sagas that had none."""

    saga_id: int
    nonce: str


def saga_tag(state: StepState) -> str:
    """Return the tag of what this step makes: `saga:<id>-<step>-<nonce>`."""
    return TAG_PREFIX + _mark(state)


def saga_suffix(state: StepState) -> str:
    """Return the end of a name that can be found again: `saga-<id>-<step>-<nonce>`."""
    return f"saga-{_mark(state)}"


def find_maker(text: str) -> Maker | None:
    """Return the maker that a tag or a description names; None where it names none."""
    match = _TAG.search(text.lower())
    return None if match is None else Maker(int(match["saga_id"]), match["nonce"] or "")


def is_made_by(state: StepState, text: str) -> bool:
    """Return whether a description names this saga, whichever of its steps."""
    return find_maker(text) == Maker(state.saga_id, state.nonce)


def _mark(state: StepState) -> str:
    mark = f"{state.saga_id}-{state.step_idx}"
    return f"{mark}-{state.nonce}" if state.nonce else mark
