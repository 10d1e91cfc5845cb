"""What the edges of provisioning call. Each is written where its work is."""

from provisioning.brakes import pause, protect, unpause, unprotect
from provisioning.settling import cancel_saga, requeue_saga, retry_saga
from provisioning.starting import skip_numbers, start_saga
from provisioning.sweeping import sweep

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
