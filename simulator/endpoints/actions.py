"""`/v2/actions`."""

from flask import Blueprint

from simulator import request_context
from simulator.account import ResourceKind
from simulator.catalog import Json
from simulator.errors import not_found
from simulator.pagination import paginate

routes = Blueprint("actions", __name__)
ACTION = ResourceKind("action", routes)


@routes.get("/v2/actions")
def list_actions() -> Json:
    actions = request_context.get_account().actions
    return paginate(
        "actions",
        len(actions),
        lambda start, stop: [action.render() for action in actions.slice(start, stop)],
    )


@routes.get("/v2/actions/<int:action_id>")
def show(action_id: int) -> Json:
    action = request_context.get_account().actions.get(action_id)
    if action is None:
        raise not_found("The resource you were accessing could not be found.")
    return {"action": action.render()}
