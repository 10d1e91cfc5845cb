"""`/v2/apps`; their specs contain the values of environment variables."""

from flask import Blueprint

from simulator.collection import Collection

routes = Blueprint("apps", __name__)


APPS = Collection(
    "app",
    "/v2/apps",
    "apps",
    "app",
    urn="app",
    render=lambda account, app: {
        **app,
        "project_id": account.projects.find_project_id(f"do:app:{app['id']}"),
    },
)
APP = APPS.register_kind(routes)
