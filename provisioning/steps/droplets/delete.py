"""Removing droplets, and telling the inventory at once."""

import contextlib

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from arcadia_cloud.digitalocean.records import DropletRecord
from inventory.observation.observe import Origin
from inventory.sync.tombstones import tombstone_removed
from inventory.values import Kind
from provisioning.brakes import refuse_if_protected
from provisioning.contract import StepState


def remove_droplet(state: StepState, cloud: DigitalOcean, droplet: DropletRecord) -> None:
    """Destroy a droplet and write its tombstone; one that is gone already is as good.

    Its snapshots, volumes and reserved IPs stay. Raises Protected.
    """
    refuse_protected(droplet)
    with contextlib.suppress(ProviderNotFound):
        cloud.delete_droplet(droplet.id)
    tell_removed(state, Kind.DROPLET, str(droplet.id))


def tell_removed(state: StepState, kind: Kind, provider_id: str) -> None:
    """Write the tombstone of what this saga knows to be gone."""
    tombstone_removed(kind=kind, provider_id=provider_id, at=state.now(), origin=origin_of(state))


def origin_of(state: StepState) -> Origin:
    """Who acts, as the resource's history tells it."""
    return Origin(actor=state.requested_by, source=f"saga:{state.saga_id}")


def refuse_protected(droplet: DropletRecord) -> None:
    """Right before a write: raises Protected for a droplet with the tag, as just read, or with a mark."""
    refuse_if_protected(
        kind=Kind.DROPLET, provider_id=str(droplet.id), tags=[tag.lower() for tag in droplet.tags]
    )
