"""The life cycle of a sync run: from running to one of its outcomes, once."""

from typing import Final

from arcadia_cloud.kernel.states import Lifecycle
from inventory.values import RunOutcome

# What goes on with an interrupted reading is a run of its own.
RUN_LIFECYCLE: Final = Lifecycle(
    RunOutcome,
    {
        RunOutcome.RUNNING: frozenset(set(RunOutcome) - {RunOutcome.RUNNING}),
        RunOutcome.COMPLETE: frozenset(),
        RunOutcome.FAILED: frozenset(),
        RunOutcome.SUSPICIOUS: frozenset(),
        RunOutcome.INTERRUPTED: frozenset(),
        RunOutcome.SKIPPED: frozenset(),
    },
    field="outcome",
)
