"""The current request: its account, its armed faults, its body and query."""

from typing import cast

from flask import current_app, g, request

from simulator.account import Account
from simulator.catalog import Json
from simulator.errors import bad_request, unprocessable
from simulator.faults import Faults

MAX_PER_PAGE = 200


def get_account() -> Account:
    """Return the account of the request's token."""
    return cast("Account", g.account)


def take_fault(kind: str, **wanted: object) -> Json | None:
    """Take an armed fault of this kind that matches the request; returns its settings, or None."""
    faults = cast("Faults", current_app.extensions["simulator"].faults)
    settings = faults.take(kind, method=request.method, path=request.path, token=g.get("token", ""), **wanted)
    if settings is not None:
        g.setdefault("faults", []).append(kind)
    return settings


def read_json() -> Json:
    """Return the request's JSON object. Raises ApiError (400) on anything else."""
    # Forced: some clients leave the content type out.
    content = request.get_json(force=True, silent=True)
    if not isinstance(content, dict):
        raise bad_request("The request body is not a JSON object.")
    return content


def read_string(content: Json, name: str, *, maximum: int, minimum: int = 1) -> str:
    """Return a string field of a body. Raises ApiError (422)."""
    value = content.get(name, "")
    if not isinstance(value, str) or not minimum <= len(value) <= maximum:
        raise unprocessable(f"{name} must be a string of {minimum} to {maximum} characters")
    return value


def read_query_number(name: str, default: int, *, minimum: int, maximum: int) -> int:
    """Return a numeric query parameter. Raises ApiError (422)."""
    value = request.args.get(name, str(default))
    if not value.isdecimal() or not minimum <= int(value) <= maximum:
        raise unprocessable(f"{name} must be a number between {minimum} and {maximum}")
    return int(value)
