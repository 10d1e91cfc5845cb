"""`/v2/registries` and the older `/v2/registry`: a 404 if the account has none.

A registry shown by name has no subscription, which is the account's.
"""

from flask import Blueprint

from simulator import request_context
from simulator.account import Account, ResourceKind
from simulator.catalog import Json
from simulator.errors import not_found

routes = Blueprint("registries", __name__)
REGISTRIES = "registry"  # the name of their collection
REGISTRY = ResourceKind("registry", routes)


def _list_or_404(account: Account) -> list[Json]:
    found = list(account.collections[REGISTRIES].values())
    if not found:
        raise not_found("registry does not exist")
    return found


@routes.get("/v2/registries")
def list_registries() -> Json:
    return {"registries": _list_or_404(request_context.get_account())}


@routes.get("/v2/registries/<name>")
def show_named(name: str) -> Json:
    return {
        "registry": {key: value for key, value in _get_registry_or_404(name).items() if key != "subscription"}
    }


@routes.delete("/v2/registries/<name>")
def delete(name: str) -> tuple[str, int]:
    del request_context.get_account().collections[REGISTRIES][_get_registry_or_404(name)["name"]]
    return "", 204


def _get_registry_or_404(name: str) -> Json:
    found: Json | None = request_context.get_account().collections[REGISTRIES].get(name)
    if found is None:
        raise not_found("registry does not exist")
    return found


@routes.get("/v2/registry")
def show() -> Json:
    return {"registry": _list_or_404(request_context.get_account())[0]}


@routes.get("/v2/registry/subscription")
def show_subscription() -> Json:
    return {"subscription": _list_or_404(request_context.get_account())[0]["subscription"]}
