"""The life cycles of a provider invoice, its ingest and its push to finance, and of a cost anomaly."""

from typing import Final

from django.db.models import TextChoices

from arcadia_cloud.kernel.states import Lifecycle


class IngestStatus(TextChoices):
    """The state of an invoice's lines. A mismatch has its lines, but they don't add up to its amount."""

    PENDING = "pending"
    INGESTED = "ingested"
    FAILED = "failed"
    MISMATCH = "mismatch"


class PushStatus(TextChoices):
    """The state of an invoice at finance. `refused`: a 4xx, which waits for an operator."""

    WAITING = "waiting"
    PUSHED = "pushed"
    REFUSED = "refused"


# An invoice is read again and again, and each reading may end in any way. `pending` is what the history makes
# of one whose amount changed, `ingested` also what an operator makes of a mismatch.
_AFTER_A_READING: Final = frozenset({IngestStatus.INGESTED, IngestStatus.FAILED, IngestStatus.MISMATCH})
INGEST_LIFECYCLE: Final = Lifecycle(
    IngestStatus,
    {status: _AFTER_A_READING | {IngestStatus.PENDING} for status in IngestStatus},
    field="ingest_status",
)
# Each push starts from `waiting`: a changed invoice goes back there, and so does one that is pushed by force.
PUSH_LIFECYCLE: Final = Lifecycle(
    PushStatus,
    {
        PushStatus.WAITING: frozenset(PushStatus),
        PushStatus.PUSHED: frozenset({PushStatus.WAITING}),  # changed, or an answer came too late to count
        PushStatus.REFUSED: frozenset({PushStatus.WAITING}),
    },
    field="push_status",
)


class SimulationStatus(TextChoices):
    """The state of a price simulation."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


SIMULATION_LIFECYCLE: Final = Lifecycle(
    SimulationStatus,
    {
        SimulationStatus.QUEUED: frozenset({"running", "failed"}),
        SimulationStatus.RUNNING: frozenset({"running", "completed", "failed"}),  # taken up by another worker
        SimulationStatus.COMPLETED: frozenset(),
        SimulationStatus.FAILED: frozenset(),
    },
    field="status",
)
UNFINISHED_SIMULATIONS: Final = (SimulationStatus.QUEUED, SimulationStatus.RUNNING)


class AnomalyStatus(TextChoices):
    """The state of a cost anomaly: `closed` ended by itself, `dismissed` by an operator, for its level."""

    OPEN = "open"
    CLOSED = "closed"
    DISMISSED = "dismissed"


ANOMALY_LIFECYCLE: Final = Lifecycle(
    AnomalyStatus,
    {
        AnomalyStatus.OPEN: frozenset({AnomalyStatus.CLOSED, AnomalyStatus.DISMISSED}),
        AnomalyStatus.CLOSED: frozenset(),
        AnomalyStatus.DISMISSED: frozenset(),
    },
    field="status",
)
