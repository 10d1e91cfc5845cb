"""The web application: locking, faults, authentication, limits, headers and the log around each endpoint.

In order: faults that close the connection, the token, rate limits, faults that replace the response; then the
endpoint, holding the simulation's lock; then the headers, faults that corrupt the response, the log.
"""

import time
import uuid
from typing import Any

import msgspec
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from simulator import connection, request_context
from simulator.catalog import Json
from simulator.control import BLUEPRINTS
from simulator.droplet import NAMESPACE
from simulator.endpoints import KINDS
from simulator.errors import ApiError, forbidden, not_found, too_many_requests, unauthorized, unprocessable
from simulator.simulation import Simulation, get_simulation

_HTML = "<html>\r\n<head><title>{0}</title></head>\r\n<body><h1>{0}</h1></body>\r\n</html>\r\n"
_CONTROL_PREFIX = "/_control/"


class JsonFlask(Flask):
    """Flask with msgspec as its JSON encoder, several times faster than the standard library's."""

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


def create_app(simulation: Simulation) -> Flask:
    app = JsonFlask("simulator")
    app.extensions["simulator"] = simulation
    app.url_map.strict_slashes = False  # some clients end their paths with one
    app.url_map.merge_slashes = False
    for kind in KINDS:
        app.register_blueprint(kind.routes)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.before_request(_lock_simulation)
    app.after_request(_finish_response)
    app.teardown_request(_release_lock)
    app.register_error_handler(ApiError, _render_api_error)
    app.register_error_handler(HTTPException, _render_http_error)
    return app


def _lock_simulation() -> Response | None:
    """Hold the simulation's lock for the request, and refuse it where it must not reach its endpoint."""
    simulation = get_simulation()
    g.token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    g.controlled = request.path.startswith(_CONTROL_PREFIX)
    # The lock is given back for the sleep, which would otherwise delay every other request too.
    with simulation.lock:
        slow = None if g.controlled else request_context.take_fault("latency")
    if slow is not None:
        time.sleep(float(slow["seconds"]))
    simulation.lock.acquire()
    g.locked = True  # teardown runs for requests that never got here, and may release only what was acquired
    # Before the endpoint and under the lock: a response shows each action that is due as finished.
    simulation.finish_due_actions()
    return None if g.controlled else _refuse_early(simulation)


def _refuse_early(simulation: Simulation) -> Response | None:
    """Return the response of a request that goes no further, or None. Raises ApiError.

    An edge that is down answers before the token is read, and a rate limit before the resource is looked up.
    """
    dropped = request_context.take_fault("drop_before")
    if dropped is not None:
        return connection.drop(reset=bool(dropped["reset"]))
    broken = request_context.take_fault("server_error", after_change=False)
    if broken is not None:
        return _server_error_response(broken)
    account = simulation.find_account(g.token)
    if account is None:
        raise unauthorized()
    g.account = account
    storm = request_context.take_fault("rate_limited")
    if storm is not None:
        g.storm = storm
        raise too_many_requests()
    wait = simulation.limits.admit(g.token, simulation.clock.epoch())
    if wait is not None:
        g.storm = {"retry_after": max(1, int(wait + 1)), "reset_in": None}
        raise too_many_requests()
    if request_context.take_fault("forbidden") is not None:
        raise forbidden()
    if request_context.take_fault("missing") is not None:
        raise not_found()
    if (busy := request_context.take_fault("pending_event")) is not None:
        raise unprocessable(busy["message"])
    return None


def _server_error_response(fault: Json) -> Response:
    status = int(fault["status"])
    if fault["html"]:
        return Response(_HTML.format(f"{status} Error"), status, mimetype="text/html")
    return _error_response(status, "server_error", "Unexpected server-side error")


def _error_response(status: int, error_id: str, message: str) -> Response:
    body: Json = {"id": error_id, "message": message, "request_id": _request_id()}
    return Response(msgspec.json.encode(body), status, content_type="application/json; charset=utf-8")


def _request_id() -> str:
    # From the request's number in the log, so that the same run has the same ids again.
    return str(uuid.uuid5(NAMESPACE, f"request/{get_simulation().log.total + 1}"))


def _render_api_error(error: ApiError) -> Response:
    return _error_response(error.status, error.error_id, error.message)


def _render_http_error(error: HTTPException) -> Response:
    """Render an unknown path as 404 and an unknown method as 405, in JSON."""
    if error.code == 404:
        return _render_api_error(not_found())
    return _error_response(
        error.code or 500, (error.name or "error").lower().replace(" ", "_"), error.description or ""
    )


def _finish_response(response: Response) -> Response:
    simulation = get_simulation()
    # Calls of the control API are neither limited nor logged: the log has the requests of clients alone.
    if g.controlled:
        return response
    response.headers["x-request-id"] = _request_id()
    for name, value in simulation.limits.headers(g.token, simulation.clock.epoch()).items():
        response.headers[name] = value
    storm = g.get("storm")
    if storm is not None:
        # Over the headers of the real window, which a client must not read as room for more.
        response.headers["ratelimit-remaining"] = "0"
        if storm["reset_in"] is not None:
            response.headers["ratelimit-reset"] = str(int(simulation.clock.epoch()) + int(storm["reset_in"]))
        if storm["retry_after"] is not None:
            response.headers["retry-after"] = str(storm["retry_after"])
    # Before the faults: what was made is there, whatever becomes of the response.
    made = _list_made(response)
    # A refusal spends no fault that is armed for successful responses.
    sent = _apply_response_faults(response) if response.status_code < 400 else response
    _log_request(simulation, sent, made)
    return sent


def _list_made(response: Response) -> list[str]:
    """Return the ids, or URNs, of what a POST made or moved."""
    # A 204 says that it is JSON, too, and has no body.
    if request.method != "POST" or response.status_code >= 400 or not (response.is_json and response.data):
        return []
    items: list[Json] = []
    for value in msgspec.json.decode(response.get_data()).values():
        items += value if isinstance(value, list) else [value] if isinstance(value, dict) else []
    return [str(item.get("id", item.get("urn"))) for item in items if item.keys() & {"id", "urn"}]


def _apply_response_faults(response: Response) -> Response:
    """Return the response, or the one of an armed fault that strikes after the change was made."""
    dropped = request_context.take_fault("drop_after")
    if dropped is not None:
        return connection.drop(reset=bool(dropped["reset"]))
    lost = request_context.take_fault("server_error", after_change=True)
    if lost is not None:
        return _server_error_response(lost)
    cut = request_context.take_fault("truncated") if response.content_length else None
    if cut is not None:
        whole = response.get_data()
        response.set_data(whole[: len(whole) // 2])
        if cut["cut"] == "connection":
            # Announce more than is sent, so that the client sees a connection that ended early.
            response.headers["content-length"] = str(len(whole))
            response.automatically_set_content_length = False
    return response


def _log_request(simulation: Simulation, response: Response, made: list[str]) -> None:
    simulation.log.add(
        {
            "method": request.method,
            "path": request.path,
            "query": request.query_string.decode(),
            "status": None if connection.is_dropped(response) else response.status_code,
            "team": g.account.team if "account" in g else None,
            "token": g.token[-4:],  # two tokens of a team are told apart by it, and none is written down
            "made": made,
            "faults": g.get("faults", []),
        }
    )


def _release_lock(_error: BaseException | None) -> None:
    if g.pop("locked", False):
        get_simulation().lock.release()
