"""The changes of resources' past that costs depend on: each has the days that it touches computed again.

An owner, a tombstone or a size may be found out late. A trigger of `resource_spans` records what changes, in
the transaction of the change, in `span_cost_changes`.
"""

from typing import Final

from django.db import transaction

from arcadia_cloud.kernel.sql import execute, load
from billing.models import SpanCostChange

_MARK: Final = load(__package__, "mark_changed_days.sql")
_CHANGES_AT_ONCE: Final = 10_000


def make_changed_days_due() -> int:
    """Make the days due that the changes recorded so far touch; return how many days."""
    # Read before: what is recorded from here on is the next run's.
    changes = list(SpanCostChange.objects.order_by("pk").values_list("pk", flat=True))
    marked = 0
    for first in range(0, len(changes), _CHANGES_AT_ONCE):
        batch = changes[first : first + _CHANGES_AT_ONCE]
        # Marked and forgotten together: a change that is lost would leave its days wrong.
        with transaction.atomic():
            marked += execute(_MARK, {"changes": batch})
            SpanCostChange.objects.filter(pk__in=batch).delete()
    return marked
