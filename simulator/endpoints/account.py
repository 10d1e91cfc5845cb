"""`/v2/account`."""

from flask import Blueprint

from simulator import request_context
from simulator.account import ResourceKind
from simulator.catalog import Json

routes = Blueprint("account", __name__)
ACCOUNT = ResourceKind("account", routes)


@routes.get("/v2/account")
def show() -> Json:
    account = request_context.get_account()
    return {
        "account": {
            "droplet_limit": account.droplet_limit,
            "floating_ip_limit": account.reserved_ip_limit,
            "reserved_ip_limit": account.reserved_ip_limit,
            "volume_limit": account.volume_limit,
            "email": f"ops@{account.team}.example",
            "name": account.team.title(),
            "uuid": account.owner_uuid,
            "email_verified": True,
            "status": "active",
            "status_message": "",
            "team": {"uuid": account.uuid, "name": account.team},
        }
    }
