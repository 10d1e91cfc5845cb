"""The deletion of what nothing uses: a volume, a reserved IP, a snapshot. Steps without a way back.

Everything is read again right before the deletion: it may have been attached, protected or exchanged since
the operator saw it.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound, ProviderRejected
from inventory.queries import kind_spec
from inventory.values import PROVIDER, Kind, kind_label
from provisioning.contract import Execute, FinalError, RetryableError, Step, StepState, Wait
from provisioning.models import Provisioned
from provisioning.protection import refuse_if_protected
from provisioning.steps.cloud import (
    ACTION_DEADLINE_SECONDS,
    COMPENSATION_RETRIES,
    PASSING_STATUSES,
    RETRIES,
    poll,
    with_cloud,
)
from provisioning.steps.idempotent_create import list_lag_ends_at, wait_for_listing
from provisioning.steps.inventory import record_removal
from provisioning.unused import SEEN, holder_of, identify_observed


@dataclass(frozen=True, slots=True)
class Deletion:
    """The calls that read and delete a kind; `field` is the input with the provider's id."""

    kind: Kind
    field: str
    read: Callable[[DigitalOcean, str], Any]  # a record of the kind
    delete: Callable[[DigitalOcean, str], None]


VOLUME: Final = Deletion(Kind.VOLUME, "volume_id", DigitalOcean.volume, DigitalOcean.delete_volume)
RESERVED_IP: Final = Deletion(
    Kind.RESERVED_IP, "address", DigitalOcean.reserved_ip, DigitalOcean.release_reserved_ip
)
SNAPSHOT: Final = Deletion(Kind.SNAPSHOT, "snapshot_id", DigitalOcean.snapshot, DigitalOcean.delete_snapshot)


@with_cloud
def delete_volume(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Delete the volume for good, if it is what was seen and attached to nothing."""
    return _delete_unused(state, cloud, VOLUME)


@with_cloud
def release_reserved_ip(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Give the reserved IP back for good, if no droplet has it."""
    return _delete_unused(state, cloud, RESERVED_IP)


@with_cloud
def delete_snapshot(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Delete the snapshot for good, if it is what was seen."""
    return _delete_unused(state, cloud, SNAPSHOT)


def _delete_unused(state: StepState, cloud: DigitalOcean, deletion: Deletion) -> Wait | None:
    """Delete the resource and write its tombstone; one that is gone already is as good.

    Raises FinalError for one that is in use or isn't what was seen, and Protected.
    """
    kind, provider_id = deletion.kind, state.inputs[deletion.field]
    try:
        record = deletion.read(cloud, provider_id)
    except ProviderNotFound:
        _record_end(state, deletion)
        return None
    found = kind_spec(kind).to_observation(record)
    label = f"{kind_label(kind)} {found.name}"
    if identify_observed(found) != state.get_output(SEEN):
        raise FinalError(f"{label} isn't what it was when the saga was started: nothing was deleted")
    if holder := holder_of(kind, found.attrs):
        raise FinalError(f"{label} is in use by droplet {holder}: nothing was deleted")
    if found.attrs.get("locked"):
        return poll(f"{label} is busy with an event")
    # The last look: the mark may be newer than the saga.
    refuse_if_protected(kind=kind, provider_id=provider_id, tags=found.tags)
    try:
        # Gone already, or deleted by an attempt whose answer was lost: both are success.
        with contextlib.suppress(ProviderNotFound):
            deletion.delete(cloud, provider_id)
    except ProviderRejected as error:
        # Refused while it is being attached: the next look at it tells.
        if error.status in PASSING_STATUSES:
            raise RetryableError(str(error)) from error
        raise
    _record_end(state, deletion)
    return None


def _record_end(state: StepState, deletion: Deletion) -> None:
    """Write the tombstone, and expect nothing of the resource any more."""
    provider_id = state.inputs[deletion.field]
    record_removal(state, deletion.kind, provider_id)
    Provisioned.objects.filter(
        resource__provider=PROVIDER, resource__kind=deletion.kind, resource__provider_id=provider_id
    ).delete()


def _require_not_deleted(deletion: Deletion) -> Execute:
    """Return the compensation of a deletion that was interrupted or refused."""

    @with_cloud
    def require(state: StepState, cloud: DigitalOcean) -> Wait | None:
        """Find out whether the resource is there still. Raises FinalError where it is gone."""
        provider_id = state.inputs[deletion.field]
        try:
            deletion.read(cloud, provider_id)
        except ProviderNotFound:
            _record_end(state, deletion)
            label = kind_label(deletion.kind)
            raise FinalError(f"{label} {provider_id} is deleted: nothing brings it back") from None
        # A request whose answer was lost may still have its effect.
        return wait_for_listing(state, list_lag_ends_at(state), of="the deletion")

    return require


def _step(name: str, execute: Execute, deletion: Deletion) -> Step:
    return Step(
        name,
        execute,
        compensate=_require_not_deleted(deletion),
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=ACTION_DEADLINE_SECONDS,
        compensate_on_failure=True,
    )


STEPS: Final = (
    _step("delete_volume", delete_volume, VOLUME),
    _step("release_reserved_ip", release_reserved_ip, RESERVED_IP),
    _step("delete_snapshot", delete_snapshot, SNAPSHOT),
)
