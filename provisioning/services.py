"""The writes of provisioning that other apps and the edges need: the app's only door for them.

Each is written in the module of its subject. Apps above add their workflows by `register_steps` and
`register_workflow`.
"""

from provisioning.desired_state import (
    adopt_desired_states,
    drop_provisioned,
    record_provisioned,
    set_desired_field,
)
from provisioning.engine.runner import run
from provisioning.event_feed import delete_old_feed_events
from provisioning.operator_actions import begin_saga, cancel_saga, requeue_saga, retry_saga
from provisioning.pause import pause, unpause
from provisioning.protection import protect, refuse_if_protected, unprotect
from provisioning.provider_offer import refresh_offer, request_offer
from provisioning.recovery import sweep
from provisioning.registry import register_steps, register_workflow
from provisioning.restore import prepare_restored
from provisioning.start import start_saga

__all__ = [
    "adopt_desired_states",
    "begin_saga",
    "cancel_saga",
    "delete_old_feed_events",
    "drop_provisioned",
    "pause",
    "prepare_restored",
    "protect",
    "record_provisioned",
    "refresh_offer",
    "refuse_if_protected",
    "register_steps",
    "register_workflow",
    "request_offer",
    "requeue_saga",
    "retry_saga",
    "run",
    "set_desired_field",
    "start_saga",
    "sweep",
    "unpause",
    "unprotect",
]
