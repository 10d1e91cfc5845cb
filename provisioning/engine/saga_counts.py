"""The counts of sagas as they end, by kind and outcome, and how long they took."""

from typing import Final

from arcadia_cloud.kernel.metrics.counts import OF_TASKS, Counter, Histogram, declare
from provisioning.engine.claim import ClaimedSaga
from provisioning.states import AdvanceOutcome

SAGAS_ENDED: Final = declare(
    Counter("arcadia_sagas_ended_total", "Sagas that a worker has ended, by outcome.", ("kind", "outcome"))
)
SAGA_SECONDS: Final = declare(
    Histogram(
        "arcadia_saga_seconds",
        "Seconds from a saga's beginning to its end, waits included.",
        ("kind", "outcome"),
        OF_TASKS,
    )
)


def count_end(saga: ClaimedSaga, outcome: AdvanceOutcome) -> float:
    """Count a saga that has just ended; return the seconds that it took."""
    # The database's clock, as the row's own instants: the workers' may differ.
    seconds = (saga.clock.now() - saga.begun_at).total_seconds()
    SAGAS_ENDED.add(saga.kind, str(outcome))
    SAGA_SECONDS.observe(seconds, saga.kind, str(outcome))
    return seconds
