"""`/v2/certificates`."""

from flask import Blueprint

from simulator.shelf import Shelf

routes = Blueprint("certificates", __name__)
CERTIFICATES = Shelf("certificate", "/v2/certificates", "certificates", "certificate")
CERTIFICATE = CERTIFICATES.kind(routes)
