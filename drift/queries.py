"""The reads of drift that the edges need: the app's only door for them."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Min

from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.sql import fetch_all, fetch_one, load
from drift.models import Drift
from drift.values import KindCoverage
from inventory.models import Resource, ResourceQuerySet
from provisioning.states import LIVE

__all__ = [
    "CauseGroup",
    "DriftSummary",
    "count_causes",
    "drift_by_id",
    "list_causes",
    "list_coverage",
    "summarize_drift",
    "uncovered_resources",
]
_LIST_CAUSES: Final = load(__package__, "list_causes.sql")
_LIST_COVERAGE: Final = load(__package__, "list_coverage.sql")
_COUNT_IGNORED_AND_REVERTING: Final = load(__package__, "count_ignored_and_reverting.sql")


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """The open rows of one cause, with the values of one of them. `oldest_at` is the first detection."""

    cause: str
    kind: str
    field: str
    expected: Any
    actual: Any
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class DriftSummary:
    """The counts of the inbox; `coverage` has every kind that has a live resource.

    `reverting` are those of the open ones that a saga puts back at the moment.
    """

    open: int
    ignored: int
    reverting: int
    oldest_at: datetime | None
    by_kind: dict[str, int]
    by_field: dict[str, int]
    coverage: list[KindCoverage]


def drift_by_id(drift_pk: int) -> Drift:
    """Return the row, with its resource and saga. Raises NotFound."""
    drift = Drift.objects.select_related("resource", "revert_saga").filter(pk=drift_pk).first()
    if drift is None:
        raise NotFound(f"there is no drift {drift_pk}")
    return drift


def list_causes(*, limit: int = 50, offset: int = 0) -> list[CauseGroup]:
    """Return the open rows grouped by cause, the largest group first. One query."""
    groups = fetch_all(_LIST_CAUSES, {"most": limit, "skipped": offset}, into=_CauseRow)
    return [
        CauseGroup(
            cause=row.cause,
            kind=row.kind,
            field=row.field,
            expected=json.loads(row.expected),
            actual=json.loads(row.actual),
            count=row.count,
            oldest_at=row.oldest_at,
        )
        for row in groups
    ]


def count_causes() -> int:
    """Count the causes that have an open row."""
    return Drift.objects.open().values("cause").distinct().count()


def summarize_drift() -> DriftSummary:
    """Count what is open and ignored, and the coverage. Three queries."""
    counts = fetch_one(_COUNT_IGNORED_AND_REVERTING, {"live": [str(each) for each in LIVE]}, into=_Counts)
    assert counts is not None  # noqa: S101 - two sums have one row
    cells = list(
        Drift.objects.open()
        .values("kind", "field")
        .annotate(count=Count("pk"), oldest=Min("detected_at"))
        .order_by("kind", "field")
    )
    by_kind: Counter[str] = Counter()
    by_field: Counter[str] = Counter()
    for cell in cells:
        by_kind[cell["kind"]] += cell["count"]
        by_field[cell["field"]] += cell["count"]
    return DriftSummary(
        open=by_kind.total(),
        ignored=counts.ignored,
        reverting=counts.reverting,
        oldest_at=min((cell["oldest"] for cell in cells), default=None),
        by_kind=dict(by_kind),
        by_field=dict(by_field),
        coverage=list_coverage(),
    )


def list_coverage() -> list[KindCoverage]:
    """Return the coverage of each kind that has a live resource. One query."""
    return fetch_all(_LIST_COVERAGE, into=KindCoverage)


def uncovered_resources() -> ResourceQuerySet:
    """Return the live resources without a desired state."""
    return Resource.objects.live().filter(provisioned=None)


@dataclass(frozen=True, slots=True)
class _Counts:
    ignored: int
    reverting: int


@dataclass(frozen=True, slots=True)
class _CauseRow:
    cause: str
    kind: str
    field: str
    expected: str
    actual: str
    count: int
    oldest_at: datetime
