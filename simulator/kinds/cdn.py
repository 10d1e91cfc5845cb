"""`/v2/cdn/endpoints`."""

from flask import Blueprint

from simulator.shelf import Shelf

routes = Blueprint("cdn", __name__)
CDN_ENDPOINTS = Shelf("cdn_endpoint", "/v2/cdn/endpoints", "endpoints", "endpoint")
CDN_ENDPOINT = CDN_ENDPOINTS.kind(routes)
