"""`/_control/…`: time, faults, tokens, limits, the log. No token is needed."""

from datetime import date
from typing import Any

from flask import Blueprint, current_app, request

from simulator import request_context
from simulator.account import Account
from simulator.catalog import Json
from simulator.clock import stamp
from simulator.errors import bad_request, not_found
from simulator.simulation import DEFAULT_TEAM, World

routes = Blueprint("control", __name__, url_prefix="/_control")


def _world() -> World:
    world: World = current_app.extensions["simulator"]
    return world


def chosen_account() -> Account:
    """The account of `?team=`, the default one without."""
    account = _world().accounts.get(request.args.get("team", DEFAULT_TEAM))
    if account is None:
        raise not_found()
    return account


def wish_of() -> Json:
    return request_context.body() if request.data else {}


@routes.post("/reset")
def reset() -> Json:
    wish: dict[str, Any] = wish_of()
    if wish.get("today"):
        wish["today"] = date.fromisoformat(wish["today"])
    try:
        _world().reset(**wish)
    except (TypeError, ValueError) as error:
        raise bad_request(str(error)) from error
    return state()


@routes.get("/state")
def state() -> Json:
    world = _world()
    options = world.options
    return {
        "now": stamp(world.clock.now()),
        "virtual_seconds": world.clock.virtual(),
        "fleet": options.fleet,
        "seed": options.seed,
        "requests": world.log.total,
        "faults": len(world.faults),
        "accounts": [_counts(account) for account in world.accounts.values()],
    }


def _counts(account: Account) -> Json:
    return {
        "team": account.team,
        "uuid": account.uuid,
        "actions_in_progress": account.actions.count("in-progress"),
        **{f"{kind.name}s": kind.count(account) for kind in account.kinds if kind.count is not None},
    }


@routes.get("/requests")
def list_requests() -> Json:
    log, query = _world().log, request.args
    entries = [
        entry
        for entry in log.since(int(query.get("since", "0")))
        if entry["method"] == query.get("method", entry["method"]).upper()
        and entry["path"].startswith(query.get("path", ""))
    ]
    return {"total": log.total, "count": len(entries), "requests": entries}


@routes.delete("/requests")
def clear_requests() -> tuple[str, int]:
    _world().log.clear()
    return "", 204


@routes.post("/advance")
def advance() -> Json:
    world = _world()
    try:
        world.clock.advance(float(wish_of()["seconds"]))
    except (KeyError, TypeError, ValueError) as error:
        raise bad_request("seconds must be a number, and not below zero") from error
    world.settle()
    return {"now": stamp(world.clock.now()), "virtual_seconds": world.clock.virtual()}


@routes.post("/tokens")
def register_token() -> tuple[Json, int]:
    wish = wish_of()
    if not wish.get("token") or not wish.get("team"):
        raise bad_request("token and team must be given")
    fleet = str(wish.get("fleet", "empty"))
    account = _world().register(str(wish["token"]), str(wish["team"]), fleet=fleet)
    return {"team": account.team, "uuid": account.uuid}, 201


@routes.delete("/tokens/<token>")
def revoke_token(token: str) -> tuple[str, int]:
    _world().revoke(token)
    return "", 204


@routes.post("/limits")
def set_limits() -> Json:
    limits, wish = _world().limits, wish_of()
    limits.enabled = bool(wish.get("enabled", True))
    limits.per_hour = int(wish.get("per_hour", limits.per_hour))
    limits.per_minute = int(wish.get("per_minute", limits.per_minute))
    return {"enabled": limits.enabled, "per_hour": limits.per_hour, "per_minute": limits.per_minute}


@routes.patch("/account")
def change_account() -> Json:
    account = chosen_account()
    account.droplet_limit = int(wish_of().get("droplet_limit", account.droplet_limit))
    return {"droplet_limit": account.droplet_limit}


@routes.get("/faults")
def list_faults() -> Json:
    return {"faults": [fault.rendered() for fault in _world().faults.all()]}


@routes.post("/faults")
def arm_fault() -> tuple[Json, int]:
    return {"fault": _world().faults.arm(wish_of()).rendered()}, 201


@routes.delete("/faults")
@routes.delete("/faults/<int:fault_id>")
def disarm_faults(fault_id: int | None = None) -> tuple[str, int]:
    _world().faults.disarm(fault_id)
    return "", 204
