"""A new droplet: made once, waited for, and removed with all its twins by the compensation.

Stores `droplet_id`, `droplet_mark`, `droplet_ip`, and, when the request was sent more than once,
`twins_until`: the moment at which a list by the mark shows every droplet that came of it.

A droplet is the saga's own if it has the mark, which no other saga can have, if it is what was ordered, and
if it isn't older than the step. Any other with the mark, as a copy, is left alone, and reported as an
orphan. `droplet_since` is stored for it: when this step was first entered.
"""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from arcadia_cloud.digitalocean.records import DropletRecord
from inventory.values import Kind
from provisioning.contract import FinalError, Step, StepState, Wait
from provisioning.create_caps import reserve_create
from provisioning.saga_marks import saga_tag
from provisioning.steps.cloud import COMPENSATION_RETRIES, RETRIES, poll, with_cloud
from provisioning.steps.droplets.checks import wait_while_busy
from provisioning.steps.droplets.delete import remove_droplet
from provisioning.steps.idempotent_create import list_lag_ends_at, wait_for_listing
from provisioning.steps.inventory import record_rollback

_ORDERED: Final = (
    "name", "region", "size", "image", "ssh_keys", "user_data", "vpc_uuid", "backups", "ipv6", "monitoring",
)  # fmt: skip


@with_cloud
def create_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Ask for the droplet, unless an earlier attempt's is found by its mark: that one is adopted."""
    if (full := reserve_create(state)) is not None:
        return full
    # Stored before the request: an observation that finds the mark must know whose it is.
    mark = saga_tag(state)
    state.put_output("droplet_mark", mark)
    state.put_output("droplet_since", state.first_began_at.isoformat())
    # A first attempt has sent nothing yet: there is nothing of its own to find.
    found = _find_own(state, cloud, mark, since=state.first_began_at) if state.attempt > 1 else []
    if not found and (wait := wait_for_listing(state, list_lag_ends_at(state), of="the droplet")):
        return wait
    if state.attempt > 1:  # the list may show another one late, of an earlier request or of this one
        until = state.now() + timedelta(seconds=settings.ARCADIA_SAGA_TAG_LAG_SECONDS)
        state.put_output("twins_until", until.isoformat())
    if found:
        state.put_output("droplet_id", found[0].id)
        return None
    order = {field: state.inputs[field] for field in _ORDERED if field in state.inputs}
    created = cloud.create_droplet(**order, tags=[*state.inputs.get("tags", ()), mark])
    state.put_output("droplet_id", created.droplet.id)
    state.put_output("create_action_id", created.action_id)
    return None


@with_cloud
def remove_created_droplet(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Remove the droplet, and any other that carries its mark, until no more can turn up."""
    droplet_id, until = state.get_output("droplet_id"), state.get_output("twins_until")
    marked = _find_own(state, cloud, saga_tag(state), since=state.first_began_at)
    found = {droplet.id: droplet for droplet in marked}
    if droplet_id is not None and droplet_id not in found and (droplet := _find(cloud, droplet_id)):
        found[droplet_id] = droplet
    if busy := wait_while_busy(*found.values()):
        return busy
    # Every one with the mark: a lost answer's droplet costs as much as the known one.
    for droplet in found.values():
        remove_droplet(state, cloud, droplet)
        record_rollback(state, Kind.DROPLET, str(droplet.id))
    if droplet_id is not None:
        record_rollback(state, Kind.DROPLET, str(droplet_id))  # the answer to an earlier removal may be lost
    if droplet_id is not None and until is None:
        return None  # one request, one answer
    ends = [datetime.fromisoformat(until)] if until is not None else []
    if (lag_ends := list_lag_ends_at(state)) is not None:  # an attempt that died later left no `twins_until`
        ends.append(lag_ends)
    return wait_for_listing(state, max(ends, default=None), of="a droplet")


@with_cloud
def wait_droplet_active(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Wait until the droplet runs; twins of it that turn up meanwhile are removed.

    Raises FinalError when the create action ends errored, and when the droplet stays away: a 202 is no
    success.
    """
    droplet_id = state.get_output("droplet_id")
    droplet = _find(cloud, droplet_id)
    if droplet is None or droplet.status == "new" or droplet.locked:
        return _wait_for_create(state, cloud, is_there=droplet is not None)
    if wait := _remove_twins(state, cloud):
        return wait
    public = [each.ip_address for each in droplet.networks.v4 if each.type == "public"]
    state.put_output("droplet_ip", public[0] if public else None)
    return None


def _remove_twins(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Remove what a repeated request made beside the droplet; None once no more can turn up."""
    until = state.get_output("twins_until")
    if until is None:
        return None
    since = datetime.fromisoformat(state.get_output("droplet_since", state.first_began_at.isoformat()))
    marked = _find_own(state, cloud, state.get_output("droplet_mark"), since=since)
    twins = [each for each in marked if each.id != state.get_output("droplet_id")]
    if any(twin.locked for twin in twins):
        return poll("a second droplet came of a repeated request, and is busy")
    for twin in twins:
        remove_droplet(state, cloud, twin)
    return wait_for_listing(state, datetime.fromisoformat(until), of="a second droplet")


def _wait_for_create(state: StepState, cloud: DigitalOcean, *, is_there: bool) -> Wait:
    """Wait on, unless the action that makes the droplet failed, or is over and the droplet isn't there."""
    droplet_id, action_id = state.get_output("droplet_id"), state.get_output("create_action_id")
    status = ""
    if action_id is not None:
        try:
            status = cloud.action(action_id).status
        except ProviderNotFound:  # what was just made may not be found at first
            status = ""
    # A 202 is no success: the action that makes the droplet may fail minutes later.
    if status == "errored":
        raise FinalError(f"DigitalOcean gave up making droplet {droplet_id} (action {action_id})")
    if not is_there and status != "in-progress":
        away_for = (state.now() - state.first_began_at).total_seconds()
        if away_for > settings.ARCADIA_SAGA_TAG_LAG_SECONDS:
            raise FinalError(f"droplet {droplet_id} has vanished")
    return poll(f"droplet {droplet_id} is being made")


def _find_own(state: StepState, cloud: DigitalOcean, mark: str, *, since: datetime) -> list[DropletRecord]:
    """Return the droplets with the mark that are what was ordered since then, by the list, which lags."""
    earliest = since - timedelta(seconds=settings.ARCADIA_SAGA_CLOCK_SLACK_SECONDS)
    own = (
        each
        for each in cloud.droplets(tag=mark)
        if each.created_at >= earliest and _is_as_ordered(state, each)
    )
    return sorted(own, key=lambda droplet: droplet.id)


def _is_as_ordered(state: StepState, droplet: DropletRecord) -> bool:
    """Return whether the droplet has the name, the size, the region and the image that were asked for."""
    ordered, image = state.inputs, droplet.image
    is_image = True  # where the response doesn't say: a droplet that isn't adopted is made twice
    if image is not None and isinstance(ordered["image"], int):
        is_image = image.id == ordered["image"]
    elif image is not None and image.slug is not None:
        is_image = image.slug == ordered["image"]
    return (
        is_image
        and droplet.name == ordered["name"]
        and droplet.size_slug == ordered["size"]
        and droplet.region.slug.startswith(ordered["region"])  # `fra` takes any of Frankfurt's
    )


def _find(cloud: DigitalOcean, droplet_id: int) -> DropletRecord | None:
    try:
        return cloud.droplet(droplet_id)
    except ProviderNotFound:
        return None


STEPS: Final = (
    # Without a deadline: over the caps it waits for its turn.
    Step(
        "create_droplet",
        create_droplet,
        compensate=remove_created_droplet,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        compensate_on_failure=True,
    ),
    Step("wait_droplet_active", wait_droplet_active, retries=RETRIES, deadline_seconds=1800),
)
