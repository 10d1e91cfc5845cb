"""The global pause: no saga starts, and the running ones stop at their next step."""

from django.db import transaction
from django.db.models.functions import Now

from arcadia_cloud.kernel.queue.nudge import nudge
from provisioning.models import ProvisioningBrake
from provisioning.queue import QUEUE, SWEEP


def pause_state() -> ProvisioningBrake:
    """Return the pause's row; an unsaved one as long as there never was a pause."""
    return ProvisioningBrake.objects.first() or ProvisioningBrake()


def pause(*, actor: str, reason: str = "") -> None:
    """Set the pause. Repeating it changes the reason."""
    _set(paused=True, actor=actor, reason=reason)


def unpause(*, actor: str) -> None:
    """Lift the pause, and have the sweep look for sagas at once."""
    with transaction.atomic():
        # The nudge goes out after the commit: a sweep before it would still find the pause.
        _set(paused=False, actor=actor, reason="")
        nudge(SWEEP, queue=QUEUE)


def _set(*, paused: bool, actor: str, reason: str) -> None:
    values = {"paused": paused, "changed_by": actor, "reason": reason, "changed_at": Now()}
    ProvisioningBrake.objects.update_or_create(pk=1, defaults=values)
