"""The reads of drift that the edges need: the app's only door for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from drift.models import Drift
from drift.restorable import refusal_to_restore, restorable_fields
from drift.values import KindCoverage
from inventory.models import ResourceQuerySet

__all__ = [
    "CauseGroup",
    "DriftSummary",
    "drift_by_id",
    "list_causes",
    "list_coverage",
    "refusal_to_restore",
    "restorable_fields",
    "summarize_drift",
    "uncovered_resources",
]


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """The open rows of one cause. `oldest_at` is the first detection among them."""

    cause: str
    kind: str
    field: str
    expected: Any
    actual: Any
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class DriftSummary:
    """The counts of the inbox; `coverage` has every kind that has a live resource."""

    open: int
    ignored: int
    reverting: int
    oldest_at: datetime | None
    by_kind: dict[str, int]
    by_field: dict[str, int]
    coverage: list[KindCoverage]


def drift_by_id(drift_pk: int) -> Drift:
    """Return the row, with its resource and saga. Raises NotFound."""
    raise NotImplementedError


def list_causes(*, limit: int = 50, offset: int = 0) -> list[CauseGroup]:
    """Return the open rows grouped by cause, the largest group first. Two queries."""
    raise NotImplementedError


def summarize_drift() -> DriftSummary:
    """Count what is open and ignored, and the coverage. A fixed number of queries."""
    raise NotImplementedError


def list_coverage() -> list[KindCoverage]:
    """Return the coverage of each kind that has a live resource. One query."""
    raise NotImplementedError


def uncovered_resources() -> ResourceQuerySet:
    """Return the live resources without a desired state."""
    raise NotImplementedError
