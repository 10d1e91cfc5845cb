"""`/v2/actions`."""

from flask import Blueprint

from simulator import request_context
from simulator.account import Kind
from simulator.catalog import Json
from simulator.errors import not_found
from simulator.pagination import page_of

routes = Blueprint("actions", __name__)
ACTION = Kind("action", routes)


@routes.get("/v2/actions")
def list_actions() -> Json:
    actions = request_context.account().actions.newest_first()
    return page_of("actions", len(actions), lambda start, stop: [a.rendered() for a in actions[start:stop]])


@routes.get("/v2/actions/<int:action_id>")
def show(action_id: int) -> Json:
    action = request_context.account().actions.get(action_id)
    if action is None:
        raise not_found("The resource you were accessing could not be found.")
    return {"action": action.rendered()}
