"""The web application: what happens to each request around its endpoint.

In order: faults that need no answer, the token, limits, faults instead of an answer; then the endpoint, with
the world to itself; then faults that spoil the answer, the headers, and a line in the log.
"""

import time
import uuid
from typing import Any

import msgspec
from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from simulator import connection, request_context
from simulator.catalog import Json
from simulator.control import BLUEPRINTS
from simulator.droplet import NAMESPACE
from simulator.endpoints import KINDS
from simulator.errors import ApiError, forbidden, not_found, pending_event, too_many_requests, unauthorized
from simulator.simulation import World

_HTML = "<html>\r\n<head><title>{0}</title></head>\r\n<body><h1>{0}</h1></body>\r\n</html>\r\n"
_CONTROL = "/_control/"


class JsonFlask(Flask):
    """Dicts are answered as msgspec writes them, several times faster than the standard library."""

    def make_response(self, rv: Any) -> Response:  # Flask's own annotation is as wide
        body, status = rv if isinstance(rv, tuple) else (rv, None)
        if isinstance(body, dict):
            body = Response(msgspec.json.encode(body), content_type="application/json; charset=utf-8")
        response = super().make_response(body if status is None else (body, status))
        if response.status_code == 204:  # with a length, or waitress closes the connection
            response.headers.update(
                {"content-type": "application/json; charset=utf-8", "content-length": "0"}
            )
        return response


def create_app(world: World) -> Flask:
    app = JsonFlask("simulator")
    app.extensions["simulator"] = world
    app.url_map.strict_slashes = False  # some clients end their paths with one
    app.url_map.merge_slashes = False
    for kind in KINDS:
        app.register_blueprint(kind.routes)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.before_request(_before)
    app.after_request(_after)
    app.teardown_request(_release)
    app.register_error_handler(ApiError, _refused)
    app.register_error_handler(HTTPException, _strayed)
    return app


def _world() -> World:
    world: World = current_app.extensions["simulator"]
    return world


def _before() -> Response | None:
    """Take the world's lock, unless the request ends here. Sleeping is done without it."""
    world = _world()
    g.token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    g.controlled = request.path.startswith(_CONTROL)
    with world.lock:
        slow = None if g.controlled else request_context.fault("latency")
    if slow is not None:
        time.sleep(float(slow["seconds"]))
    world.lock.acquire()
    g.locked = True
    world.settle()
    return None if g.controlled else _gate(world)


def _gate(world: World) -> Response | None:
    """The answer of a request that gets no further. Raises ApiError."""
    dropped = request_context.fault("drop_before")
    if dropped is not None:
        return connection.dropped(reset=bool(dropped["reset"]))
    broken = request_context.fault("server_error", after_change=False)
    if broken is not None:
        return _broken(broken)
    account = world.account(g.token)
    if account is None:
        raise unauthorized()
    g.account = account
    storm = request_context.fault("rate_limited")
    if storm is not None:
        g.storm = storm
        raise too_many_requests()
    wait = world.limits.admit(g.token, world.clock.epoch())
    if wait is not None:
        g.storm = {"retry_after": max(1, int(wait + 1)), "reset_in": None}
        raise too_many_requests()
    if request_context.fault("forbidden") is not None:
        raise forbidden()
    if request_context.fault("missing") is not None:
        raise not_found()
    if request_context.fault("pending_event") is not None:
        raise pending_event()
    return None


def _broken(fault: Json) -> Response:
    status = int(fault["status"])
    if fault["html"]:
        return Response(_HTML.format(f"{status} Error"), status, mimetype="text/html")
    return _error(status, "server_error", "Unexpected server-side error")


def _error(status: int, error_id: str, message: str) -> Response:
    body: Json = {"id": error_id, "message": message, "request_id": _request_id()}
    return Response(msgspec.json.encode(body), status, content_type="application/json; charset=utf-8")


def _request_id() -> str:
    return str(uuid.uuid5(NAMESPACE, f"request/{_world().log.total + 1}"))


def _refused(error: ApiError) -> Response:
    return _error(error.status, error.error_id, error.message)


def _strayed(error: HTTPException) -> Response:
    """No such path, or not with that method."""
    if error.code == 404:
        return _refused(not_found())
    return _error(
        error.code or 500, (error.name or "error").lower().replace(" ", "_"), error.description or ""
    )


def _after(response: Response) -> Response:
    world = _world()
    if g.controlled:
        return response
    response.headers["x-request-id"] = _request_id()
    for name, value in world.limits.headers(g.token, world.clock.epoch()).items():
        response.headers[name] = value
    storm = g.get("storm")
    if storm is not None:
        response.headers["ratelimit-remaining"] = "0"
        if storm["reset_in"] is not None:
            response.headers["ratelimit-reset"] = str(int(world.clock.epoch()) + int(storm["reset_in"]))
        if storm["retry_after"] is not None:
            response.headers["retry-after"] = str(storm["retry_after"])
    answered = _spoiled(response) if response.status_code < 400 else response
    _log(world, answered)
    return answered


def _spoiled(response: Response) -> Response:
    """A good answer, unless a fault is armed for what comes after the change."""
    dropped = request_context.fault("drop_after")
    if dropped is not None:
        return connection.dropped(reset=bool(dropped["reset"]))
    lost = request_context.fault("server_error", after_change=True)
    if lost is not None:
        return _broken(lost)
    cut = request_context.fault("truncated") if response.content_length else None
    if cut is not None:
        whole = response.get_data()
        response.set_data(whole[: len(whole) // 2])
        if cut["cut"] == "connection":
            response.headers["content-length"] = str(len(whole))
            response.automatically_set_content_length = False
    return response


def _log(world: World, response: Response) -> None:
    world.log.add(
        {
            "method": request.method,
            "path": request.path,
            "query": request.query_string.decode(),
            "status": None if connection.is_dropped(response) else response.status_code,
            "team": g.account.team if "account" in g else None,
            "faults": g.get("faults", []),
        }
    )


def _release(_error: BaseException | None) -> None:
    if g.pop("locked", False):
        _world().lock.release()
