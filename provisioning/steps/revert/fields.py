"""A field of a resource, written to its desired value and by the compensation back to what it was.

Each field is a part of the saga, with the inputs `field` and `value`; the whole saga has `resource_id` and,
under `resource`, `kind`, `provider_id` and `urn`. Stores `value_before`, `project_before`.
"""

from typing import Any, Final

from msgspec.structs import replace

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from inventory.models import Project, Resource
from inventory.queries import kind_spec
from inventory.services import ObservationContext, look_up, observe
from inventory.values import PROVIDER, Kind, Observation
from provisioning.contract import PART, FinalError, Step, StepState, Wait
from provisioning.reversals import REVERSALS
from provisioning.steps.cloud import ACTION_DEADLINE_SECONDS, COMPENSATION_RETRIES, RETRIES, with_cloud
from provisioning.steps.inventory import origin_of, record_removal
from provisioning.steps.projects import (
    DEFAULT_PROJECT,
    find_project,
    mirror_unknown_project,
    move_to_project,
)
from provisioning.steps.revert.attachments import grow_volume_again
from provisioning.steps.revert.change import Change, value_of
from provisioning.steps.revert.writers import WRITERS, refuse_protected_resource

_MOVED_TO: Final = f"assigned_to_project{PART}project"


def _find_row(state: StepState) -> Resource:
    return Resource.objects.get(pk=state.inputs["resource_id"])


def _read(state: StepState, cloud: DigitalOcean) -> Observation:
    """Return the resource as it is. Raises ProviderNotFound where it is gone."""
    row = _find_row(state)
    seen = look_up(kind_spec(row.kind), cloud, row)
    if seen is None:
        raise ProviderNotFound(f"{row.kind} {row.provider_id} is gone", call="a look by its id", status=404)
    return seen


def _change(state: StepState, cloud: DigitalOcean, value: Any) -> Change:
    row = _find_row(state)
    return Change(state, cloud, row.kind, _read(state, cloud), state.inputs["field"], value)


def _observe(state: StepState, cloud: DigitalOcean) -> None:
    """Write the resource as it is now into the inventory; a tombstone where it is gone."""
    # The time of asking, not of the answer: a change in between must not look older.
    row, at = _find_row(state), state.now()
    spec = kind_spec(row.kind)
    try:
        seen = _read(state, cloud)
    except ProviderNotFound:
        record_removal(state, Kind(row.kind), row.provider_id)
        return
    if (project_id := state.get_output(_MOVED_TO)) is not None:
        project = Project.objects.filter(provider=PROVIDER, provider_id=project_id).only("pk").first()
        seen = replace(seen, project_id=project and project.pk)
    context = ObservationContext(at=at, volatile=spec.volatile, ids_recur=spec.ids_recur)
    observe(kind=spec.kind, observations=[seen], context=context, origin=origin_of(state))


@with_cloud
def inspect_resource(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Make sure that the resource is there. Raises FinalError where it is gone."""
    _read(state, cloud)
    return None


@with_cloud
def observe_resource(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Write the resource as it is now into the inventory."""
    _observe(state, cloud)
    return None


@with_cloud
def put_back_field(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Write the field's desired value. Refuses a protected resource where that would harm it."""
    change = _change(state, cloud, state.inputs["value"])
    if not state.get_output("is_noted", False):
        inherited: dict[str, Any] = state.get_output("inherited", {})
        found = value_of(change.seen, change.field)
        state.put_output("value_before", inherited.get("value_before", found))
        state.put_output("is_noted", True)
        # Committed before the write: a worker that dies after it must neither forget it nor note its own.
        return Wait(0, f"what {change.field} was is noted")
    if REVERSALS[change.kind][change.field].is_harmful:
        refuse_protected_resource(change)
    # Each writer looks first: after a lost answer nothing is left to be written.
    return WRITERS[change.kind, change.field](change)


@with_cloud
def restore_field(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Write back what the field was; of what is gone nothing is left to be written."""
    if not state.get_output("is_noted", False):
        return None
    try:
        # Read anew: a tag or a record that came meanwhile stands beside it and is seen.
        change = _change(state, cloud, state.get_output("value_before"))
        return WRITERS[change.kind, change.field](change)
    except ProviderNotFound:
        return None


@with_cloud
def put_back_project(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Move the resource into the project of the desired name. Raises FinalError without such a project."""
    row, name = _find_row(state), state.inputs["value"]
    # By its name, not by an id: a project that was made anew has another.
    project = find_project(cloud, name)
    if project is None:
        raise FinalError(f"there is no project {name}")
    if state.get_output("project_before") is None:
        inherited: dict[str, Any] = state.get_output("inherited", {})
        before = row.project.provider_id if row.project else DEFAULT_PROJECT
        state.put_output("project_before", inherited.get("project_before", before))
        # Committed before the move, as above.
        return Wait(0, "the project is noted")
    move_to_project(cloud, row.urn, to=project.id)
    mirror_unknown_project(state, cloud, project.id)
    state.put_output("assigned_to_project", project.id)
    return None


@with_cloud
def restore_project(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Move the resource back into the project in which it was."""
    before = state.get_output("project_before")
    if before is None:
        return None
    try:
        _read(state, cloud)
        move_to_project(cloud, _find_row(state).urn, to=before)
    except ProviderNotFound:
        return None
    state.put_output("assigned_to_project", before)
    return None


@with_cloud
def grow_volume(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Give the volume its desired size and observe it: one step and the last, for there is no way back."""
    change = _change(state, cloud, state.inputs["value"])
    refuse_protected_resource(change)
    if wait := grow_volume_again(change):
        return wait
    _observe(state, cloud)
    return None


STEPS: Final = (
    Step(
        "look_at_resource",
        inspect_resource,
        compensate=observe_resource,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
    ),
    Step(
        "put_back_field",
        put_back_field,
        compensate=restore_field,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=ACTION_DEADLINE_SECONDS,
        compensate_on_failure=True,
        inherits=("value_before",),
    ),
    Step(
        "put_back_project",
        put_back_project,
        compensate=restore_project,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        compensate_on_failure=True,
        inherits=("project_before",),
    ),
    Step("observe_resource", observe_resource, retries=RETRIES),
    Step("grow_volume", grow_volume, retries=RETRIES, deadline_seconds=ACTION_DEADLINE_SECONDS),
)
