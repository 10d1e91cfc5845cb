"""`/v2/databases`, listed without pages and with passwords."""

from flask import Blueprint

from simulator.account import Account
from simulator.catalog import Json
from simulator.collection import Collection

routes = Blueprint("databases", __name__)


def _render(account: Account, database: Json) -> Json:
    return {**database, "project_id": account.projects.find_project_id(f"do:dbaas:{database['id']}")}


DATABASES = Collection(
    "database",
    "/v2/databases",
    "databases",
    "database",
    urn="dbaas",
    tag_type="database",
    paged=False,
    render=_render,
)
DATABASE = DATABASES.register_kind(routes)
