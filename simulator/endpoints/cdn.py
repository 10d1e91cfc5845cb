"""`/v2/cdn/endpoints`."""

from typing import Final

from flask import Blueprint

from simulator import request_context
from simulator.catalog import Json
from simulator.collection import Collection
from simulator.errors import unprocessable

routes = Blueprint("cdn", __name__)
CDN_ENDPOINTS = Collection("cdn_endpoint", "/v2/cdn/endpoints", "endpoints", "endpoint")
CDN_ENDPOINT = CDN_ENDPOINTS.register_kind(routes)
_TTLS: Final = (60, 600, 3600, 86_400, 604_800)


@routes.put("/v2/cdn/endpoints/<key>")
def change(key: str) -> Json:
    """Set the time to live, an hour where the request names none, and the custom domain where it does."""
    endpoint = CDN_ENDPOINTS.get_or_404(request_context.get_account(), key)
    payload = request_context.read_json()
    ttl = payload.get("ttl", 3600)
    if ttl not in _TTLS:
        raise unprocessable(f"ttl must be one of {', '.join(map(str, _TTLS))}")
    given = {name: payload[name] for name in ("certificate_id", "custom_domain") if payload.get(name)}
    endpoint.update(ttl=ttl, **given)
    return {"endpoint": endpoint}
