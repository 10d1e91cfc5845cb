"""A new volume, attached to a droplet of the same saga.

Names are unique within a region there, so a volume can't be made twice: one of that name with the saga's mark
is its own, any other is left alone. Stores `volume_id`.
"""

from typing import Final

from msgspec.structs import replace

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound, ProviderRejected
from arcadia_cloud.digitalocean.records import VolumeRecord
from inventory.queries import kind_spec
from inventory.services import ObservationContext, observe
from inventory.values import Kind
from provisioning.contract import PART, FinalError, RetryableError, Step, StepState, Wait
from provisioning.create_caps import reserve_create
from provisioning.saga_marks import saga_tag
from provisioning.steps.cloud import (
    ACTION_DEADLINE_SECONDS,
    COMPENSATION_RETRIES,
    PASSING_STATUSES,
    RETRIES,
    poll,
    with_cloud,
)
from provisioning.steps.droplets.checks import retry_while_refused, wait_for_event
from provisioning.steps.idempotent_create import list_lag_ends_at, wait_for_listing
from provisioning.steps.inventory import find_droplet_row, origin_of, record_removal

VOLUME: Final = kind_spec(Kind.VOLUME)


@with_cloud
def create_volume(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Make the volume in its droplet's region, unless an earlier attempt's is there."""
    if (full := reserve_create(state)) is not None:
        return full
    # Stored before the request, as a droplet's is: what has the mark is known to be the saga's own.
    mark = saga_tag(state)
    state.put_output("volume_mark", mark)
    region = find_droplet_row(_droplet_id(state)).region
    # A name is the region's own: a volume of the same name elsewhere is another one.
    named = cloud.volumes(name=state.inputs["volume_name"])
    found = next((each for each in named if each.region.slug == region), None)
    if found is None:
        # A lost answer's volume may not be listed yet; asked for again, its name would be refused for good.
        if wait := wait_for_listing(state, list_lag_ends_at(state), of="the volume"):
            return wait
        found = cloud.create_volume(
            name=state.inputs["volume_name"],
            region=region,
            size_gigabytes=state.inputs["size_gb"],
            tags=[*state.inputs["tags"], mark],
        )
    elif mark not in found.tags:
        raise FinalError(f"there is a volume {found.name} in {region} that this saga didn't make")
    state.put_output("volume_id", found.id)
    _observe(state, found)
    return None


@with_cloud
def remove_created_volume(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Remove the volume that the saga made, once no droplet holds it.

    Raises FinalError for one that was attached to another droplet meanwhile.
    """
    known, mark = state.get_output("volume_id"), saga_tag(state)
    found = next(
        (each for each in cloud.volumes(name=state.inputs["volume_name"]) if mark in each.tags), None
    )
    if found is None:
        if known is None:
            return wait_for_listing(state, list_lag_ends_at(state), of="a volume")
        record_removal(state, Kind.VOLUME, known)
        return None
    # The droplet that holds it is removed after it: nothing else detaches it after a failed `detach_volume`.
    if found.droplet_ids:
        if _droplet_id(state) not in found.droplet_ids:
            raise FinalError(f"volume {found.name} is attached to droplet {found.droplet_ids[0]}: it is kept")
        return _wait_for_events(state, cloud) or _act(state, cloud, found, "detach")
    try:
        cloud.delete_volume(found.id)
    except ProviderNotFound:
        pass
    except ProviderRejected as error:
        # Refused while it is attached, and while that is under way: the next look at it tells.
        if error.status in PASSING_STATUSES:
            raise RetryableError(str(error)) from error
        raise
    record_removal(state, Kind.VOLUME, found.id)
    return None


@with_cloud
def attach_volume(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Attach the volume to its droplet. It is attached to one at most."""
    volume = cloud.volume(state.get_output("volume_id"))
    if _droplet_id(state) in volume.droplet_ids:
        _observe(state, volume)
        return None
    return _act(state, cloud, volume, "attach")


@with_cloud
def detach_volume(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Detach the volume, so that it can be removed; one whose droplet is gone is detached already."""
    # An attachment that is under way doesn't show yet, and has its effect all the same.
    if wait := _wait_for_events(state, cloud):
        return wait
    try:
        volume = cloud.volume(state.get_output("volume_id"))
    except ProviderNotFound:
        return None
    if _droplet_id(state) not in volume.droplet_ids:
        return None
    return _act(state, cloud, volume, "detach")


def _act(state: StepState, cloud: DigitalOcean, volume: VolumeRecord, kind: str) -> Wait:
    """Begin the action, or wait for the one that was begun; one that is over without effect is begun anew."""
    key = f"{kind}_action_id"
    begun = state.get_output(key)
    if begun is None:
        # A request whose answer was lost leaves no id: it is over before another is sent.
        if event := wait_for_event(cloud, _droplet_id(state)):
            return event
        try:
            with retry_while_refused(cloud, _droplet_id(state)):
                action = cloud.volume_action(
                    volume.id, kind, droplet_id=_droplet_id(state), region=volume.region.slug
                )
        except ProviderRejected:
            # Its effect may have come between the look at the volume and the request, which then is refused.
            is_attached = _droplet_id(state) in cloud.volume(volume.id).droplet_ids
            if is_attached != (kind == "attach"):
                raise
            return poll(f"volume {volume.name} is {kind}ed")
        state.put_output(key, action.id)
    elif cloud.action(begun).status == "errored":
        state.put_output(key, None)
        raise RetryableError(f"DigitalOcean gave up to {kind} volume {volume.name} (action {begun})")
    return poll(f"volume {volume.name} is to {kind}")


def _wait_for_events(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Return a wait while the attachment, or anything else on the droplet, is under way."""
    begun = state.get_output("attach_action_id")
    try:
        if begun is not None and cloud.action(begun).status == "in-progress":
            return poll(f"the volume is being attached (action {begun})")
        # The action of an answer that was lost is known by the droplet alone.
        if event := wait_for_event(cloud, _droplet_id(state)):
            return event
    except ProviderNotFound:  # the droplet is gone, or the action is forgotten
        return None
    return wait_for_listing(state, list_lag_ends_at(state), of="the attachment")


def _droplet_id(state: StepState) -> int:
    droplet_id: int = state.get_output(f"droplet_id{PART}{state.inputs['droplet']}")
    return droplet_id


def _observe(state: StepState, volume: VolumeRecord) -> None:
    context = ObservationContext(at=state.now(), volatile=VOLUME.volatile)
    seen = replace(
        VOLUME.to_observation(volume), deployment_id=state.deployment_id, tenant_id=state.tenant_id
    )
    observe(kind=VOLUME.kind, observations=[seen], context=context, origin=origin_of(state))


STEPS: Final = (
    # Without a deadline: over the caps it waits for its turn.
    Step(
        "create_volume",
        create_volume,
        compensate=remove_created_volume,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        compensation_deadline_seconds=ACTION_DEADLINE_SECONDS,
        compensate_on_failure=True,
    ),
    Step(
        "attach_volume",
        attach_volume,
        compensate=detach_volume,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=ACTION_DEADLINE_SECONDS,
        compensate_on_failure=True,
    ),
)
