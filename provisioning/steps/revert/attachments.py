"""What a volume or a reserved IP is attached to, and a volume's size."""

from decimal import Decimal

from arcadia_cloud.digitalocean.records import ActionRecord
from provisioning.contract import Wait
from provisioning.steps.droplets.checks import retry_while_refused
from provisioning.steps.revert.change import Change


def attach_volume_again(change: Change) -> Wait | None:
    """Detach the volume from any other droplet, then attach it to its own."""
    held: list[str] = change.seen.attrs["droplet_ids"]
    wanted = [str(droplet) for droplet in change.value]
    # Detached first: a volume is attached to one droplet at most.
    others = [droplet for droplet in held if droplet not in wanted]
    if not others and held == wanted:
        return None
    kind, droplet_id = ("detach", int(others[0])) if others else ("attach", int(wanted[0]))

    def send() -> ActionRecord:
        with retry_while_refused(change.cloud, droplet_id):
            return change.cloud.volume_action(
                change.provider_id, kind, droplet_id=droplet_id, region=change.seen.region
            )

    return change.begin_or_wait(kind, send)


def grow_volume_again(change: Change) -> Wait | None:
    """Give the volume its size, which is larger."""
    wanted = int(Decimal(str(change.value)))
    if change.seen.size_gb is not None and change.seen.size_gb >= wanted:
        return None

    def send() -> ActionRecord:
        return change.cloud.volume_action(
            change.provider_id, "resize", size_gigabytes=wanted, region=change.seen.region
        )

    return change.begin_or_wait("resize", send)


def assign_reserved_ip(change: Change) -> Wait | None:
    """Assign the address to its droplet; one that is desired to have none is taken from whichever has it."""
    held: str | None = change.seen.attrs["droplet_id"]
    wanted = None if change.value in {None, ""} else str(change.value)
    if held == wanted:
        return None
    # DigitalOcean refuses to assign an address that another droplet has.
    if held is not None:
        return change.begin_or_wait(
            "unassign", lambda: change.cloud.reserved_ip_action(change.provider_id, "unassign")
        )
    return change.begin_or_wait(
        "assign",
        lambda: change.cloud.reserved_ip_action(change.provider_id, "assign", droplet_id=int(wanted or 0)),
    )
