"""`/v2/databases`, listed without pages and with passwords."""

from flask import Blueprint

from simulator.collection import Collection

routes = Blueprint("databases", __name__)


DATABASES = Collection(
    "database",
    "/v2/databases",
    "databases",
    "database",
    urn="dbaas",
    tag_type="database",
    paged=False,
    render=lambda account, database: {
        **database,
        "project_id": account.projects.find_project_id(f"do:dbaas:{database['id']}"),
    },
)
DATABASE = DATABASES.register_kind(routes)
