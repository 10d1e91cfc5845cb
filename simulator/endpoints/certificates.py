"""`/v2/certificates`."""

from flask import Blueprint

from simulator.collection import Collection

routes = Blueprint("certificates", __name__)
CERTIFICATES = Collection("certificate", "/v2/certificates", "certificates", "certificate")
CERTIFICATE = CERTIFICATES.register_kind(routes)
