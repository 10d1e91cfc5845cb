"""The writes of drift that the edges need: the app's only door for them.

A row that an operator acts on is locked after its resource's desired state, always in this order. `cause`,
where it is given, is what the operator has seen (`Drift.cause`): a row of another cause is a Conflict.
"""

from datetime import datetime
from typing import Final

from arcadia_cloud.kernel.leases import lease
from drift.adoption import adopt_many, adopt_resource
from drift.alerts import update_alert
from drift.bulk import act_on_many
from drift.detection import SWEEP_ACTOR, sweep_all, sweep_resource
from drift.ignore_rules import create_ignore_rule, end_ignore_rule, ignore_drift
from drift.resolution import accept_drift, revert_drift
from drift.values import DriftCounts

__all__ = [
    "accept_drift",
    "act_on_many",
    "adopt_many",
    "adopt_resource",
    "create_ignore_rule",
    "detect_all",
    "detect_resource",
    "end_ignore_rule",
    "ignore_drift",
    "revert_drift",
]
_LEASE: Final = "drift: sweep"


def detect_all(*, at: datetime) -> DriftCounts:
    """Compare every desired state with its resource; open, update and close rows, and alert of new ones.

    Repeating it opens nothing. Raises LeaseHeld while another sweep runs.
    """
    # Two at once would come to the same, at twice the work.
    with lease(_LEASE) as held:
        counts = sweep_all(at=at, assert_held=held.assert_held)
    update_alert(opened=counts.opened, actor=SWEEP_ACTOR)
    return counts


def detect_resource(*, resource_pk: int, at: datetime) -> DriftCounts:
    """Compare the desired state of one resource, without an alert."""
    return sweep_resource(resource_pk=resource_pk, at=at)
