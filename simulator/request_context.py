"""What an endpoint knows of the request in hand."""

from typing import cast

from flask import current_app, g, request

from simulator.account import Account
from simulator.catalog import Json
from simulator.errors import bad_request, unprocessable
from simulator.faults import Faults

MOST_PER_PAGE = 200


def account() -> Account:
    return cast("Account", g.account)


def fault(kind: str, **wanted: object) -> Json | None:
    """The settings of an armed fault of this kind that spoils this request, if there is one."""
    faults = cast("Faults", current_app.extensions["simulator"].faults)
    taken = faults.take(kind, method=request.method, path=request.path, token=g.get("token", ""), **wanted)
    if taken is not None:
        g.setdefault("faults", []).append(kind)
    return taken


def body() -> Json:
    """The request's JSON object. Raises ApiError (400) if it is none."""
    content = request.get_json(force=True, silent=True)
    if not isinstance(content, dict):
        raise bad_request("The request body is not a JSON object.")
    return content


def text(content: Json, name: str, *, most: int, least: int = 1) -> str:
    """A string field of the body. Raises ApiError (422)."""
    value = content.get(name, "")
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise unprocessable(f"{name} must be a string of {least} to {most} characters")
    return value


def number(name: str, default: int, *, least: int, most: int) -> int:
    """A numeric query parameter. Raises ApiError (422)."""
    value = request.args.get(name, str(default))
    if not value.isdecimal() or not least <= int(value) <= most:
        raise unprocessable(f"{name} must be a number between {least} and {most}")
    return int(value)
