"""Checks of a droplet right before something is done to it."""

from arcadia_cloud.digitalocean.records import DropletRecord
from inventory.values import Kind
from provisioning.contract import Wait
from provisioning.protection import refuse_if_protected
from provisioning.steps.cloud import poll


def refuse_protected(droplet: DropletRecord) -> None:
    """Raise Protected for a droplet with the tag, as just read, or with an operator's mark."""
    refuse_if_protected(
        kind=Kind.DROPLET, provider_id=str(droplet.id), tags=[tag.lower() for tag in droplet.tags]
    )


def wait_while_busy(*droplets: DropletRecord) -> Wait | None:
    """Return a wait while an event holds one of them: it would refuse any other."""
    for droplet in droplets:
        if droplet.locked:
            return poll(f"droplet {droplet.id} is busy with an event")
    return None
