"""What the edges of provisioning call. Each is written where its work is."""

from provisioning.brakes import pause, protect, unpause, unprotect
from provisioning.operator_actions import cancel_saga, requeue_saga, retry_saga
from provisioning.recovery import sweep
from provisioning.start import skip_numbers, start_saga

__all__ = [
    "cancel_saga",
    "pause",
    "protect",
    "requeue_saga",
    "retry_saga",
    "skip_numbers",
    "start_saga",
    "sweep",
    "unpause",
    "unprotect",
]
