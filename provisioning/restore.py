"""A database that was restored from a backup, and must not act on a world that went on without it.

Where the original is gone, its live sagas go on here: their marks find what it made since. A copy beside an
original that runs has sagas with the same numbers and nonces, so no mark proves whose a machine is: they are
the original's, and end here.
"""

from typing import Final

from django.db import transaction

from arcadia_cloud.kernel.alerts import resolve_alert
from arcadia_cloud.kernel.sql import fetch_all, load
from provisioning.engine.dead_letters import DEAD_LETTER
from provisioning.event_feed import renumber_feed
from provisioning.pause import pause
from provisioning.start import skip_saga_numbers

_LEAVE_TO_ORIGINAL: Final = load(__package__, "leave_to_original.sql")


def prepare_restored(*, actor: str, is_copy: bool = False) -> int:
    """Pause provisioning, skip sagas' numbers, renumber the feed of events; return how many sagas were ended.

    With `is_copy` every saga that isn't over ends, and nothing is done or undone. To be called
    before any worker starts; may be repeated.
    """
    # All or nothing: a worker that starts now must find provisioning paused, or unchanged.
    with transaction.atomic():
        pause(actor=actor, reason="restored from a backup")
        skip_saga_numbers()
        renumber_feed()
        if not is_copy:
            return 0
        ended = fetch_all(_LEAVE_TO_ORIGINAL, {}, into=int)
        for saga_id in ended:
            resolve_alert(code=DEAD_LETTER, subject=f"saga:{saga_id}", actor=actor)
    return len(ended)
