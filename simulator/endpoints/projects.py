"""`/v2/projects` and what is in them. `default` is a valid id everywhere."""

from datetime import datetime
from typing import Final

from flask import Blueprint

from simulator import request_context
from simulator.account import Kind
from simulator.catalog import Json
from simulator.clock import stamp
from simulator.errors import ApiError, bad_request, conflict, not_found, unprocessable
from simulator.pagination import PUBLIC_URL, list_page, page_of
from simulator.projects import Project, stored_purpose

routes = Blueprint("projects", __name__)
PROJECT = Kind("project", routes, count=lambda account: len(account.projects))

_ENVIRONMENTS: Final = ("Development", "Staging", "Production")
_NAME_LENGTH: Final = 175
_TEXT_LENGTH: Final = 255


def _found(project_id: str) -> Project:
    project = request_context.account().projects.get(project_id)
    if project is None:
        raise not_found()
    return project


def _environment(wish: Json) -> str:
    given = wish.get("environment", "Development")
    matching = [name for name in _ENVIRONMENTS if name.lower() == str(given).lower()]
    if not matching:
        raise unprocessable(f"environment must be one of {', '.join(_ENVIRONMENTS)}")
    return matching[0]


def _name(wish: Json, *, of: Project | None = None) -> str:
    name = request_context.text(wish, "name", most=_NAME_LENGTH)
    other = request_context.account().projects.named(name)
    if other is not None and other is not of:
        raise conflict("name is already in use")
    return name


@routes.get("/v2/projects")
def list_projects() -> Json:
    return list_page("projects", [project.rendered() for project in request_context.account().projects.all()])


@routes.post("/v2/projects")
def create() -> tuple[Json, int]:
    account, wish = request_context.account(), request_context.body()
    project = account.projects.add(
        name=_name(wish),
        description=request_context.text(wish, "description", most=_TEXT_LENGTH, least=0),
        purpose=request_context.text(wish, "purpose", most=_TEXT_LENGTH),
        environment=_environment(wish),
        owner=account.owner_uuid,
        at=account.clock.now(),
    )
    return {"project": project.rendered()}, 201


@routes.get("/v2/projects/<project_id>")
def show(project_id: str) -> Json:
    return {"project": _found(project_id).rendered()}


@routes.put("/v2/projects/<project_id>")
def replace(project_id: str) -> Json:
    project, wish = _found(project_id), request_context.body()
    missing = [
        name for name in ("name", "description", "purpose", "environment", "is_default") if name not in wish
    ]
    if missing:
        raise unprocessable(f"{', '.join(missing)} must be given")
    return _changed(project, wish)


@routes.patch("/v2/projects/<project_id>")
def change(project_id: str) -> Json:
    return _changed(_found(project_id), request_context.body())


def _changed(project: Project, wish: Json) -> Json:
    account = request_context.account()
    name = _name(wish, of=project) if "name" in wish else project.name
    description, purpose = project.description, project.purpose
    if "description" in wish:
        description = request_context.text(wish, "description", most=_TEXT_LENGTH, least=0)
    if "purpose" in wish:
        purpose = stored_purpose(request_context.text(wish, "purpose", most=_TEXT_LENGTH))
    project.environment = _environment(wish) if "environment" in wish else project.environment
    project.name, project.description, project.purpose = name, description, purpose
    if wish.get("is_default") is True:
        account.projects.make_default(project)
    project.updated_at = account.clock.now()
    return {"project": project.rendered()}


@routes.delete("/v2/projects/<project_id>")
def delete(project_id: str) -> tuple[str, int]:
    project, projects = _found(project_id), request_context.account().projects
    if project.is_default:
        raise ApiError(412, "precondition_failed", "cannot delete the default project")
    if projects.size(project):
        raise ApiError(
            412,
            "precondition_failed",
            "cannot delete a project with resources. move or remove the resources first",
        )
    projects.delete(project)
    return "", 204


def _item(urn: str, assigned_at: datetime, status: str) -> Json:
    return {
        "urn": urn,
        "assigned_at": stamp(assigned_at),
        "links": {"self": f"{PUBLIC_URL}{request_context.account().path_of(urn)}"},
        "status": status,
    }


@routes.get("/v2/projects/<project_id>/resources")
def list_resources(project_id: str) -> Json:
    project, projects = _found(project_id), request_context.account().projects
    return page_of(
        "resources",
        projects.size(project),
        lambda start, stop: [_item(urn, at, "ok") for urn, at in projects.members(project, start, stop)],
    )


@routes.post("/v2/projects/<project_id>/resources")
def assign(project_id: str) -> Json:
    """Move resources into the project: 200 even where one of them could not be."""
    project, urns = _found(project_id), request_context.body().get("resources")
    if not isinstance(urns, list) or not all(isinstance(urn, str) and urn.count(":") >= 2 for urn in urns):
        raise bad_request("resources must be a list of URNs")
    return {"resources": [_assigned(urn, project) for urn in urns]}


def _assigned(urn: str, project: Project) -> Json:
    account = request_context.account()
    at = account.clock.now()
    failure = request_context.fault("service_down")
    if failure is not None:
        return _item(urn, at, str(failure["status"]))
    if not account.holds(urn):
        return _item(urn, at, "not_found")
    if account.projects.holder(urn) == project.id:
        return _item(urn, at, "already_assigned")
    account.projects.assign(urn, project, at)
    return _item(urn, at, "assigned")
