"""The values of drift: the pseudo-field of a resource that is gone, actions and their outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

# The field of a resource that is gone from the provider: expected true, actual false.
EXISTS: Final = "exists"
ALL_FIELDS: Final = ""  # of an ignore rule: it covers every field of its kind


class DriftAction(StrEnum):
    """The actions of an operator on an open row."""

    ACCEPT = "accept"
    REVERT = "revert"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The outcome of a bulk action on one id. `code` and `detail` are the refusal's, empty where it was done.

    `status` is what the API answers for this id: 200 where it was done. `saga_id` is the revert's.
    """

    pk: int
    status: int = 200
    code: str = ""
    detail: str = ""
    saga_id: int | None = None
    errors: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DriftCounts:
    """The counts of a sweep. `checked` are the desired states, `skipped` those that a saga works on.

    `differing` are the fields that differ, the ignored ones too; `unchanged` of them had their row already.
    """

    checked: int = 0
    skipped: int = 0
    differing: int = 0
    opened: int = 0
    unchanged: int = 0
    ignored: int = 0
    reverted: int = 0
    stale: int = 0


@dataclass(frozen=True, slots=True)
class KindCoverage:
    """The live resources of a kind, and those of them that have a desired state."""

    kind: str
    live: int
    covered: int

    @property
    def percent(self) -> int:
        """The covered share, rounded down, so that 100 means all; 100 where there is none to cover."""
        return self.covered * 100 // self.live if self.live else 100


@dataclass(frozen=True, slots=True)
class AdoptResult:
    """The outcome of adopting one resource; `detail` is why not."""

    resource_pk: int
    adopted: bool
    detail: str = ""
