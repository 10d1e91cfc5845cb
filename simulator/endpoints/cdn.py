"""`/v2/cdn/endpoints`."""

from flask import Blueprint

from simulator.collection import Collection

routes = Blueprint("cdn", __name__)
CDN_ENDPOINTS = Collection("cdn_endpoint", "/v2/cdn/endpoints", "endpoints", "endpoint")
CDN_ENDPOINT = CDN_ENDPOINTS.register_kind(routes)
