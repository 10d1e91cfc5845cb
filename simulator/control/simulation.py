"""`/_control/…`: reset, time, faults, tokens, limits, the log of requests."""

from datetime import date
from typing import Any

from flask import Blueprint, request

from simulator import request_context
from simulator.account import Account
from simulator.catalog import Json
from simulator.clock import format_time
from simulator.errors import bad_request, not_found
from simulator.simulation import DEFAULT_TEAM, get_simulation

routes = Blueprint("control", __name__, url_prefix="/_control")


def select_account() -> Account:
    """Return the account of `?team=`, or the default one. Raises ApiError (404)."""
    account = get_simulation().accounts.get(request.args.get("team", DEFAULT_TEAM))
    if account is None:
        raise not_found()
    return account


def read_payload() -> Json:
    """Return the request's JSON object, an empty one if it has no body. Raises ApiError (400)."""
    return request_context.read_json() if request.data else {}


@routes.post("/reset")
def reset() -> Json:
    payload: dict[str, Any] = read_payload()
    if payload.get("today"):
        payload["today"] = date.fromisoformat(payload["today"])
    try:
        get_simulation().reset(**payload)
    except (TypeError, ValueError) as error:
        raise bad_request(str(error)) from error
    return state()


@routes.get("/state")
def state() -> Json:
    simulation = get_simulation()
    options = simulation.options
    return {
        "now": format_time(simulation.clock.now()),
        "virtual_seconds": simulation.clock.virtual(),
        "fleet": options.fleet,
        "seed": options.seed,
        "requests": simulation.log.total,
        "faults": len(simulation.faults),
        "accounts": [_render_counts(account) for account in simulation.accounts.values()],
    }


def _render_counts(account: Account) -> Json:
    return {
        "team": account.team,
        "uuid": account.uuid,
        "actions_in_progress": account.actions.count_in_progress(),
        **{f"{kind.name}s": kind.count(account) for kind in account.kinds if kind.count is not None},
    }


@routes.get("/requests")
def list_requests() -> Json:
    # `since` is an entry's number and not a time, which several entries may share.
    log, query = get_simulation().log, request.args
    entries = [
        entry
        for entry in log.since(int(query.get("since", "0")))
        if entry["method"] == query.get("method", entry["method"]).upper()
        and entry["path"].startswith(query.get("path", ""))
    ]
    return {"total": log.total, "count": len(entries), "requests": entries}


@routes.delete("/requests")
def clear_requests() -> tuple[str, int]:
    get_simulation().log.clear()
    return "", 204


@routes.post("/advance")
def advance() -> Json:
    simulation = get_simulation()
    try:
        simulation.clock.advance(float(read_payload()["seconds"]))
    except (KeyError, TypeError, ValueError) as error:
        raise bad_request("seconds must be a number, and not below zero") from error
    # Again, since the request began before the jump: what is read next must find the actions finished.
    simulation.finish_due_actions()
    return {"now": format_time(simulation.clock.now()), "virtual_seconds": simulation.clock.virtual()}


@routes.post("/tokens")
def register_token() -> tuple[Json, int]:
    payload = read_payload()
    if not payload.get("token") or not payload.get("team"):
        raise bad_request("token and team must be given")
    fleet = str(payload.get("fleet", "empty"))
    account = get_simulation().register_token(str(payload["token"]), str(payload["team"]), fleet=fleet)
    return {"team": account.team, "uuid": account.uuid}, 201


@routes.delete("/tokens/<token>")
def revoke_token(token: str) -> tuple[str, int]:
    get_simulation().revoke_token(token)
    return "", 204


@routes.post("/limits")
def set_limits() -> Json:
    limits, payload = get_simulation().limits, read_payload()
    limits.enabled = bool(payload.get("enabled", True))
    limits.per_hour = int(payload.get("per_hour", limits.per_hour))
    limits.per_minute = int(payload.get("per_minute", limits.per_minute))
    return {"enabled": limits.enabled, "per_hour": limits.per_hour, "per_minute": limits.per_minute}


@routes.patch("/account")
def change_account() -> Json:
    account, payload = select_account(), read_payload()
    limits = ("droplet_limit", "volume_limit", "reserved_ip_limit")
    for name in limits:
        setattr(account, name, int(payload.get(name, getattr(account, name))))
    return {name: getattr(account, name) for name in limits}


@routes.get("/faults")
def list_faults() -> Json:
    return {"faults": [fault.render() for fault in get_simulation().faults.list_all()]}


@routes.post("/faults")
def arm_fault() -> tuple[Json, int]:
    return {"fault": get_simulation().faults.arm(read_payload()).render()}, 201


@routes.delete("/faults")
@routes.delete("/faults/<int:fault_id>")
def disarm_faults(fault_id: int | None = None) -> tuple[str, int]:
    get_simulation().faults.disarm(fault_id)
    return "", 204
