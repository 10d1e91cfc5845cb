"""Checks of a droplet around what is done to it: is it protected, busy, or was it refused in passing."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound, ProviderRejected
from arcadia_cloud.digitalocean.records import ActionRecord, DropletRecord
from inventory.values import Kind
from provisioning.contract import RetryableError, Wait
from provisioning.protection import refuse_if_protected
from provisioning.steps.cloud import PASSING_STATUSES, is_passing, poll

_NEWEST_ACTIONS: Final = 50  # of a droplet's history, newest first: what is under way is among them


def refuse_protected(droplet: DropletRecord) -> None:
    """Raise Protected for a droplet with the tag, as just read, or with an operator's mark."""
    refuse_if_protected(kind=Kind.DROPLET, provider_id=str(droplet.id), tags=droplet.tags)


def wait_while_busy(*droplets: DropletRecord) -> Wait | None:
    """Return a wait while one of them is locked: it would refuse any event."""
    for droplet in droplets:
        if droplet.locked:
            return poll(f"droplet {droplet.id} is busy with an event")
    return None


def newest_actions(cloud: DigitalOcean, droplet_id: int) -> list[ActionRecord]:
    """Return the newest actions of the droplet's history, the newest first."""
    return list(islice(cloud.droplet_actions(droplet_id), _NEWEST_ACTIONS))


def wait_for_event(cloud: DigitalOcean, droplet_id: int) -> Wait | None:
    """Return a wait while an action on the droplet is under way: `locked` doesn't show every one of them."""
    for action in newest_actions(cloud, droplet_id):
        if action.status == "in-progress":
            return poll(f"{action.type} of droplet {droplet_id} is under way (action {action.id})")
    return None


@contextmanager
def retry_while_refused(cloud: DigitalOcean, droplet_id: int) -> Iterator[None]:
    """Raise RetryableError for a refusal that passes: the droplet is locked, or an event is under way.

    The droplet decides, since the wordings are many and change; the known ones decide where it shows
    nothing. Any other refusal stays as it is.
    """
    try:
        yield
    except ProviderRejected as error:
        if error.status not in PASSING_STATUSES:
            raise
        is_held = is_passing(error)
        # The droplet may be gone by now, and be refused for that: then nothing passes.
        with suppress(ProviderNotFound):
            is_held = (
                is_held or cloud.droplet(droplet_id).locked or wait_for_event(cloud, droplet_id) is not None
            )
        if is_held:
            raise RetryableError(str(error)) from error
        raise
