"""`/v2/apps`; their specs contain the values of environment variables."""

from flask import Blueprint

from simulator.account import Account
from simulator.catalog import Json
from simulator.collection import Collection

routes = Blueprint("apps", __name__)


def _render(account: Account, app: Json) -> Json:
    return {**app, "project_id": account.projects.find_project_id(f"do:app:{app['id']}")}


APPS = Collection("app", "/v2/apps", "apps", "app", urn="app", render=_render)
APP = APPS.register_kind(routes)
