"""`/v2/apps`, whose specs have the values of their environment in them."""

from flask import Blueprint

from simulator.account import Account
from simulator.catalog import Json
from simulator.collection import Collection

routes = Blueprint("apps", __name__)


def _render(account: Account, app: Json) -> Json:
    return {**app, "project_id": account.projects.holder(f"do:app:{app['id']}")}


APPS = Collection("app", "/v2/apps", "apps", "app", urn="app", render=_render)
APP = APPS.register_kind(routes)
