"""Projects: made before a droplet is assigned to one, and the droplet moved back by the compensation."""

from typing import Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound, ProviderRejected
from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import ProjectRecord
from inventory.models import Project, Resource
from inventory.services import mirror_projects, read_all
from inventory.values import PROVIDER, Kind
from provisioning.contract import RetryableError, Step, StepState, Wait
from provisioning.models import SagaRun
from provisioning.saga_marks import is_made_by, saga_tag
from provisioning.states import LIVE, SagaStatus
from provisioning.steps.cloud import COMPENSATION_RETRIES, RETRIES, with_cloud
from provisioning.steps.idempotent_create import list_lag_ends_at, wait_for_listing

_NAME_TAKEN: Final = frozenset({400, 409, 422})
_NOT_EMPTY: Final = 412
DEFAULT_PROJECT: Final = "default"  # the provider knows its default project by this name, too
_PURPOSE: Final = "Web Application"
_DONE: Final = frozenset({"ok", "assigned", "already_assigned"})


@with_cloud
def ensure_project(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Make the project of that name unless there is one. Stores `project_id`."""
    state.put_output("project_id", _ensure(state, cloud).id)
    return None


@with_cloud
def remove_created_project(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Remove the project if this saga made it, no other counts on it, and nothing else is in it."""
    found = find_project(cloud, state.inputs["project"])
    if found is None and state.get_output("project_id") is None:
        return wait_for_listing(state, list_lag_ends_at(state), of="the project")
    if found is None or not is_made_by(state, found.description):
        return None
    # Another saga that was started with this project, and isn't settled, may have found it there.
    unsettled = SagaRun.objects.filter(status__in=[*LIVE, SagaStatus.FAILED]).exclude(pk=state.saga_id)
    if unsettled.filter(inputs__project=state.inputs["project"]).exists():
        return None
    try:
        cloud.delete_project(found.id)
    except ProviderNotFound:
        return None
    except ProviderRejected as error:
        if error.status != _NOT_EMPTY:
            raise
        ours = f"do:droplet:{state.get_output('droplet_id')}"
        # Members are listed for seconds after their removal: only our own droplet is waited for.
        if {member.urn for member in cloud.project_resources(found.id)} <= {ours}:
            raise RetryableError(f"{error}: the droplet that was removed is still in it") from error
    return None


@with_cloud
def assign_to_project(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Move the droplet into the project. Stores `project_before` and `assigned_to_project`."""
    # Only once: after a lost answer the inventory may have the new project already.
    if state.get_output("project_before") is None:
        droplet_id = str(state.get_output("droplet_id"))
        known = Resource.objects.filter(provider=PROVIDER, kind=Kind.DROPLET, provider_id=droplet_id)
        before = known.values_list("project__provider_id", flat=True).first()
        state.put_output(
            "project_before", before or DEFAULT_PROJECT
        )  # a new droplet begins in the default project
    try:
        move_to_project(cloud, _urn_of(state), to=state.get_output("project_id"))
    except ProviderNotFound:
        # Another saga made the project that this one found, and removed it when it was compensated.
        state.put_output("project_id", _ensure(state, cloud).id)
        move_to_project(cloud, _urn_of(state), to=state.get_output("project_id"))
    project_id = state.get_output("project_id")
    state.put_output("assigned_to_project", project_id)
    mirror_unknown_project(state, cloud, project_id)
    return None


@with_cloud
def move_back_to_project_before(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Move the droplet back to where it was; one that is gone needs no project."""
    droplet_id = state.get_output("droplet_id")
    try:
        cloud.droplet(droplet_id)
    except ProviderNotFound:
        return None
    move_to_project(cloud, _urn_of(state), to=state.get_output("project_before", DEFAULT_PROJECT))
    return None


def mirror_unknown_project(state: StepState, cloud: DigitalOcean, project_id: str) -> None:
    """Write the project's row, for resources to refer to: the next full sync would write it otherwise."""
    if Project.objects.filter(provider=PROVIDER, provider_id=project_id, deleted_at=None).exists():
        return
    at = state.now()
    records = list(read_all(cloud, Listing("/v2/projects", "projects", ProjectRecord)))
    if any(record.id == project_id for record in records):
        mirror_projects(records, at=at)


def move_to_project(cloud: DigitalOcean, urn: str, *, to: str) -> None:
    """Move it. Raises RetryableError where its item failed: the response itself is a 200."""
    statuses = {item.urn: item.status for item in cloud.assign_to_project(to, [urn])}
    if (status := statuses.get(urn, "not answered for")) not in _DONE:
        raise RetryableError(f"project {to} didn't take {urn}: {status}")


def _urn_of(state: StepState) -> str:
    return f"do:droplet:{state.get_output('droplet_id')}"


def _ensure(state: StepState, cloud: DigitalOcean) -> ProjectRecord:
    """Return the project of that name, made if need be: its description names the saga that made it.

    Names are unique there, so it can't be made twice.
    """
    found = find_project(cloud, state.inputs["project"])
    if found is not None:
        return found
    try:
        return cloud.create_project(
            name=state.inputs["project"],
            purpose=_PURPOSE,
            description=f"Made by {saga_tag(state)}.",
            environment="Production",
        )
    except ProviderRejected as error:
        if error.status not in _NAME_TAKEN:
            raise
        # Another saga may have made it since the list: names are unique, so the next look finds it.
        raise RetryableError(f"{error}: it may have been made a moment ago") from error


def find_project(cloud: DigitalOcean, name: str) -> ProjectRecord | None:
    """Return the project of that name; None where there is none."""
    return next((project for project in cloud.projects() if project.name == name), None)


STEPS = (
    Step(
        "ensure_project",
        ensure_project,
        compensate=remove_created_project,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        compensate_on_failure=True,
    ),
    Step(
        "assign_to_project",
        assign_to_project,
        compensate=move_back_to_project_before,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        compensate_on_failure=True,
    ),
)
