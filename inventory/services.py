"""What the edges of inventory call: the task, the command and the console."""

from collections.abc import Sequence

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.kernel.queue.nudge import nudge, publish_now
from inventory.kinds import registry
from inventory.models import SyncRun
from inventory.sync.run import Report, Sync
from inventory.values import RunMode

_FULL_RUN_WAITS_SECONDS = 120  # at :15 the fast run may hold a kind's lease; a full one outwaits it


def sync_inventory(
    *,
    mode: RunMode,
    requested_by: str,
    kinds: Sequence[str] = (),
    confirm_loss: bool = False,
    report: Report | None = None,
) -> list[SyncRun]:
    """Sync these kinds, or every kind of `mode`; return a run per kind, the projects' first.

    `requested_by` is kept as the actor of what happens. `confirm_loss` lets a suspicious loss through.
    Raises InvalidInput for an unknown kind and MissingToken without a token.
    """
    entries = registry.named(kinds) if kinds else registry.of_mode(mode)
    with DigitalOcean("SYNC") as cloud:
        sync = Sync(
            cloud,
            mode,
            requested_by,
            confirm_loss=confirm_loss,
            lease_wait_seconds=0 if mode == RunMode.FAST else _FULL_RUN_WAITS_SECONDS,
            report=report,
        )
        return sync.run(entries)


def request_reattribution(*, project_pk: int, requested_by: str) -> None:
    """Have the resources of a project that changed hands follow it, once the transaction commits.

    Where the broker is away they follow at their next sync.
    """
    nudge(
        "inventory.reattribute_project",
        queue="cloud_sync_full",
        project_pk=project_pk,
        requested_by=requested_by,
    )


def request_sync(*, mode: RunMode, requested_by: str, must_reach_broker: bool = False) -> None:
    """Ask the workers for a sync of every kind of `mode`, once the transaction commits.

    A broker that is away leaves it to the schedule, silently. With `must_reach_broker` the request is
    sent at once instead, and BrokerAway raised when it can't be: for who waits for the answer.
    """
    publish = publish_now if must_reach_broker else nudge
    publish("inventory.sync", queue=f"cloud_sync_{mode}", mode=str(mode), requested_by=requested_by)
