"""`/v2/volumes`: block storage."""

from flask import Blueprint

from simulator.account import Account
from simulator.catalog import REGIONS, Json
from simulator.collection import Collection, existing_droplet_ids

routes = Blueprint("volumes", __name__)


def _render(account: Account, volume: Json) -> Json:
    return {
        **volume,
        "region": REGIONS[volume["region"]],
        "droplet_ids": existing_droplet_ids(account, volume["droplet_ids"]),
    }


VOLUMES = Collection(
    "volume", "/v2/volumes", "volumes", "volume", urn="volume", tag_type="volume", render=_render
)
VOLUME = VOLUMES.register_kind(routes)
