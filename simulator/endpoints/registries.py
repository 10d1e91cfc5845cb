"""`/v2/registries` and the older `/v2/registry`: a 404 where there is none.

A registry alone comes without its subscription, which is the account's.
"""

from flask import Blueprint

from simulator import request_context
from simulator.account import Account, ResourceKind
from simulator.catalog import Json
from simulator.errors import not_found

routes = Blueprint("registries", __name__)
REGISTRIES = "registry"  # the shelf of the account that they lie on
REGISTRY = ResourceKind("registry", routes)


def _all(account: Account) -> list[Json]:
    found = list(account.collections[REGISTRIES].values())
    if not found:
        raise not_found("registry does not exist")
    return found


@routes.get("/v2/registries")
def list_registries() -> Json:
    return {"registries": _all(request_context.get_account())}


@routes.get("/v2/registries/<name>")
def show_named(name: str) -> Json:
    return {"registry": {key: value for key, value in _named(name).items() if key != "subscription"}}


@routes.delete("/v2/registries/<name>")
def delete(name: str) -> tuple[str, int]:
    del request_context.get_account().collections[REGISTRIES][_named(name)["name"]]
    return "", 204


def _named(name: str) -> Json:
    found: Json | None = request_context.get_account().collections[REGISTRIES].get(name)
    if found is None:
        raise not_found("registry does not exist")
    return found


@routes.get("/v2/registry")
def show() -> Json:
    return {"registry": _all(request_context.get_account())[0]}


@routes.get("/v2/registry/subscription")
def show_subscription() -> Json:
    return {"subscription": _all(request_context.get_account())[0]["subscription"]}
