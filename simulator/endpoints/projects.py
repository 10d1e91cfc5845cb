"""`/v2/projects` and their resources; `default` is a valid id everywhere."""

from datetime import datetime
from typing import Final

from flask import Blueprint

from simulator import request_context
from simulator.account import ResourceKind
from simulator.catalog import Json
from simulator.clock import format_time
from simulator.errors import ApiError, bad_request, conflict, not_found, unprocessable
from simulator.pagination import PUBLIC_URL, paginate, paginate_list
from simulator.projects import Project, normalize_purpose

routes = Blueprint("projects", __name__)
PROJECT = ResourceKind("project", routes, count=lambda account: len(account.projects))

_ENVIRONMENTS: Final = ("Development", "Staging", "Production")
_MAX_NAME_LENGTH: Final = 175
_MAX_TEXT_LENGTH: Final = 255


def _get_project_or_404(project_id: str) -> Project:
    project = request_context.get_account().projects.get(project_id)
    if project is None:
        raise not_found()
    return project


def _read_environment(payload: Json) -> str:
    given = payload.get("environment", "Development")
    # Clients that weren't given one send an empty string, which DigitalOcean stores as it is.
    if given == "":
        return ""
    matching = [name for name in _ENVIRONMENTS if name.lower() == str(given).lower()]
    if not matching:
        raise unprocessable(f"environment must be one of {', '.join(_ENVIRONMENTS)}")
    return matching[0]


def _read_name(payload: Json, *, of: Project | None = None) -> str:
    name = request_context.read_string(payload, "name", maximum=_MAX_NAME_LENGTH)
    # Unique in the account; a project may keep its own name in an update.
    other = request_context.get_account().projects.find_by_name(name)
    if other is not None and other is not of:
        raise conflict("name is already in use")
    return name


@routes.get("/v2/projects")
def list_projects() -> Json:
    return paginate_list(
        "projects", [project.render() for project in request_context.get_account().projects.list_all()]
    )


@routes.post("/v2/projects")
def create() -> tuple[Json, int]:
    account, payload = request_context.get_account(), request_context.read_json()
    project = account.projects.add(
        name=_read_name(payload),
        description=request_context.read_string(payload, "description", maximum=_MAX_TEXT_LENGTH, minimum=0),
        purpose=request_context.read_string(payload, "purpose", maximum=_MAX_TEXT_LENGTH),
        environment=_read_environment(payload),
        owner=account.owner_uuid,
        at=account.clock.now(),
    )
    return {"project": project.render()}, 201


@routes.get("/v2/projects/<project_id>")
def show(project_id: str) -> Json:
    return {"project": _get_project_or_404(project_id).render()}


@routes.put("/v2/projects/<project_id>")
def replace(project_id: str) -> Json:
    project, payload = _get_project_or_404(project_id), request_context.read_json()
    missing = [
        name
        for name in ("name", "description", "purpose", "environment", "is_default")
        if name not in payload
    ]
    if missing:
        raise unprocessable(f"{', '.join(missing)} must be given")
    return _apply_payload(project, payload)


@routes.patch("/v2/projects/<project_id>")
def change(project_id: str) -> Json:
    project, payload = _get_project_or_404(project_id), request_context.read_json()
    # `null` is a field that the client leaves as it is; godo sends all fields of a partial update.
    return _apply_payload(project, {name: value for name, value in payload.items() if value is not None})


def _apply_payload(project: Project, payload: Json) -> Json:
    account = request_context.get_account()
    name = _read_name(payload, of=project) if "name" in payload else project.name
    description, purpose = project.description, project.purpose
    if "description" in payload:
        description = request_context.read_string(payload, "description", maximum=_MAX_TEXT_LENGTH, minimum=0)
    if "purpose" in payload:
        purpose = normalize_purpose(request_context.read_string(payload, "purpose", maximum=_MAX_TEXT_LENGTH))
    # The last field that may be refused, and then all are stored at once: a 422 changes none.
    project.environment = _read_environment(payload) if "environment" in payload else project.environment
    project.name, project.description, project.purpose = name, description, purpose
    if payload.get("is_default") is True:
        account.projects.make_default(project)
    project.updated_at = account.clock.now()
    return {"project": project.render()}


@routes.delete("/v2/projects/<project_id>")
def delete(project_id: str) -> tuple[str, int]:
    project, projects = _get_project_or_404(project_id), request_context.get_account().projects
    if project.is_default:
        raise ApiError(412, "precondition_failed", "cannot delete the default project")
    if projects.count_resources(project):
        raise ApiError(
            412,
            "precondition_failed",
            "cannot delete a project with resources. move or remove the resources first",
        )
    projects.delete(project)
    return "", 204


def _render_resource(urn: str, assigned_at: datetime, status: str) -> Json:
    return {
        "urn": urn,
        "assigned_at": format_time(assigned_at),
        "links": {"self": f"{PUBLIC_URL}{request_context.get_account().resource_path(urn)}"},
        "status": status,
    }


@routes.get("/v2/projects/<project_id>/resources")
def list_resources(project_id: str) -> Json:
    project, projects = _get_project_or_404(project_id), request_context.get_account().projects
    return paginate(
        "resources",
        projects.count_resources(project),
        lambda start, stop: [
            _render_resource(urn, at, "ok") for urn, at in projects.list_resources(project, start, stop)
        ],
    )


@routes.post("/v2/projects/<project_id>/resources")
def assign(project_id: str) -> Json:
    """Move resources to the project; a 200 even if one can't be moved, as its `status` shows."""
    project, urns = _get_project_or_404(project_id), request_context.read_json().get("resources")
    if not isinstance(urns, list) or not all(isinstance(urn, str) and urn.count(":") >= 2 for urn in urns):
        raise bad_request("resources must be a list of URNs")
    return {"resources": [_assign_resource(urn, project) for urn in urns]}


def _assign_resource(urn: str, project: Project) -> Json:
    account = request_context.get_account()
    at = account.clock.now()
    failure = request_context.take_fault("service_down")
    if failure is not None:  # for each resource, not for the request: the others are moved all the same
        return _render_resource(urn, at, str(failure["status"]))
    if not account.has_resource(urn):
        return _render_resource(urn, at, "not_found")
    if account.projects.find_project_id(urn) == project.id:
        return _render_resource(urn, at, "already_assigned")
    account.projects.assign(urn, project, at)
    return _render_resource(urn, at, "assigned")
