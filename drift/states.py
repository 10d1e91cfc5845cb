"""The life cycle of a drifted field: its states, and the moves between them.

The sweep's statements move rows, too: a trigger in the tests' database refuses moves that aren't here.
"""

from typing import Final

from django.db.models import TextChoices

from arcadia_cloud.kernel.states import Lifecycle


class DriftStatus(TextChoices):
    """The status of a drifted field.

    `open` awaits an operator, `ignored` is covered by a rule and returns when that ends; the rest is history.
    `stale`: it no longer differs, and no revert of ours did that.
    """

    OPEN = "open"
    ACCEPTED = "accepted"
    REVERTED = "reverted"
    STALE = "stale"
    IGNORED = "ignored"


DRIFT_LIFECYCLE: Final = Lifecycle(
    DriftStatus,
    {
        DriftStatus.OPEN: frozenset(
            {DriftStatus.ACCEPTED, DriftStatus.REVERTED, DriftStatus.STALE, DriftStatus.IGNORED}
        ),
        # Open again when its rule expires or is ended.
        DriftStatus.IGNORED: frozenset({DriftStatus.OPEN, DriftStatus.STALE}),
        DriftStatus.ACCEPTED: frozenset(),
        DriftStatus.REVERTED: frozenset(),
        DriftStatus.STALE: frozenset(),
    },
    field="status",
)
# A field that differs has one row in one of these. Once it is resolved, a later difference has a new row.
PRESENT: Final = (DriftStatus.OPEN, DriftStatus.IGNORED)
RESOLVED: Final = (DriftStatus.ACCEPTED, DriftStatus.REVERTED, DriftStatus.STALE)
