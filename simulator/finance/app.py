"""The web application of the simulated finance service: the import, its faults, its control API."""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Any, Final

import jwt
import msgspec
from flask import Blueprint, Flask, Response, current_app, request

from simulator import connection
from simulator.catalog import Json
from simulator.errors import ApiError
from simulator.faults import Faults
from simulator.finance.invoice_store import InvoiceStore, ReceivedInvoice
from simulator.server import serve_app

DEFAULT_SECRET: Final = "simulated-finance-secret-" + "0" * 64
DEFAULT_AUDIENCE: Final = "finance"
WRITING_ROLES: Final = frozenset({"admin", "accountant"})
LEEWAY_SECONDS: Final = 30
# By kind, the further fields and their defaults; `lost_answer` comes after the row is written.
FAULTS: Final[Mapping[str, Json]] = {
    "down": {"reset": False},
    "slow": {"seconds": 5},
    "server_error": {"status": 500, "html": False},
    "rate_limited": {"retry_after": 1},
    "refused": {"status": 422, "message": "The invoice was refused."},
    "nonsense": {"body": "<html><body>Welcome</body></html>"},
    "lost_answer": {"reset": False, "status": None},
}

routes = Blueprint("finance", __name__)


class FinanceService:
    """The state of the service: its rows, faults and requests, and the secret and audience of its tokens."""

    def __init__(self, store: InvoiceStore, *, secret: str, audience: str) -> None:
        self.store = store
        self.secret = secret
        self.audience = audience
        self.faults = Faults(seed=1, kinds=FAULTS)
        self.requests: list[Json] = []
        self.unfinished = 0
        self._lock = Lock()

    @contextmanager
    def count_unfinished(self) -> Iterator[None]:
        """Count a request as unfinished for the block."""
        # Under a lock, for `+=` isn't atomic: a lost count would keep a test waiting for ever.
        with self._lock:
            self.unfinished += 1
        try:
            yield
        finally:
            with self._lock:
                self.unfinished -= 1


def create_app(
    store: InvoiceStore, *, secret: str = DEFAULT_SECRET, audience: str = DEFAULT_AUDIENCE
) -> Flask:
    app = Flask("finance")
    app.extensions["finance"] = FinanceService(store, secret=secret, audience=audience)
    app.register_blueprint(routes)
    app.register_error_handler(ApiError, _render_api_error)
    return app


def serve(
    store: InvoiceStore | None = None, *, secret: str = DEFAULT_SECRET, port: int = 0
) -> AbstractContextManager[str]:
    """Serve the finance service in a thread for the block; yields its base URL."""
    return serve_app(create_app(store or InvoiceStore(), secret=secret), port=port)


def get_service() -> FinanceService:
    service: FinanceService = current_app.extensions["finance"]
    return service


def _take_fault(kind: str) -> Json | None:
    return get_service().faults.take(kind, method=request.method, path=request.path, token="")


@routes.post("/api/v1/integrations/cloud/import-invoice")
def import_invoice() -> Response:
    """Import the invoice, unless a fault is armed, and log the request."""
    with get_service().count_unfinished():
        response = _respond()
        status = None if connection.is_dropped(response) else response.status_code
        # Inside the block: when no request is unfinished, all are in the log.
        get_service().requests.append(
            {"path": request.path, "status": status, "body": request.get_json(silent=True)}
        )
    return response


def _respond() -> Response:
    slow = _take_fault("slow")
    if slow is not None:
        time.sleep(float(slow["seconds"]))
    down = _take_fault("down")
    if down is not None:
        return connection.drop(reset=bool(down["reset"]))
    refusal = _fault_response()
    if refusal is not None:
        return refusal
    try:
        invoice = _parse_invoice(_decode_token())
    except ApiError as error:
        return _render_api_error(error)
    invoice_id, action = get_service().store.upsert(invoice)
    # After the row is written: the client can't know, and only a push of the same key again repairs it.
    lost = _take_fault("lost_answer")
    if lost is not None and lost["status"] is None:
        return connection.drop(reset=bool(lost["reset"]))
    if lost is not None:
        return _json_response({"error": "bad_gateway"}, int(lost["status"]))
    return _json_response({"action": action, "invoice_id": invoice_id}, 201 if action == "created" else 200)


def _fault_response() -> Response | None:
    """Return the response of an armed fault that imports nothing, or None."""
    broken = _take_fault("server_error")
    if broken is not None and broken["html"]:
        return Response("<html><h1>Bad gateway</h1></html>", int(broken["status"]), mimetype="text/html")
    if broken is not None:
        return _json_response(
            {"error": "internal", "message": "Something went wrong."}, int(broken["status"])
        )
    storm = _take_fault("rate_limited")
    if storm is not None:
        response = _json_response({"error": "too_many_requests", "message": "Slow down."}, 429)
        response.headers["retry-after"] = str(storm["retry_after"])
        return response
    refused = _take_fault("refused")
    if refused is not None:
        return _json_response(
            {"error": "unprocessable", "message": refused["message"]}, int(refused["status"])
        )
    nonsense = _take_fault("nonsense")
    return None if nonsense is None else Response(str(nonsense["body"]), 200, mimetype="text/html")


def _decode_token() -> Json:
    """Return the claims of the request's token. Raises ApiError (401, 403)."""
    service = get_service()
    try:
        claims: Json = jwt.decode(
            request.headers.get("Authorization", "").removeprefix("Bearer "),
            service.secret,
            algorithms=["HS512", "HS384", "HS256"],
            audience=service.audience,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "aud", "sub"]},
        )
    except jwt.InvalidTokenError as error:
        raise ApiError(401, "unauthorized", f"The token is not valid: {type(error).__name__}.") from error
    if claims.get("typ") != "access":
        raise ApiError(401, "unauthorized", "The token is no access token.")
    roles = claims.get("roles")
    if not isinstance(roles, list) or WRITING_ROLES.isdisjoint(
        role for role in roles if isinstance(role, str)
    ):
        raise ApiError(403, "forbidden", "The token has no writing role.")
    return claims


def _parse_invoice(claims: Json) -> ReceivedInvoice:
    """Return the request's invoice. Raises ApiError (403, 422)."""
    try:
        invoice = msgspec.json.decode(request.get_data(), type=ReceivedInvoice)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiError(422, "unprocessable", str(error)) from error
    if invoice.tenant_id != claims.get("tenant_id"):
        raise ApiError(403, "forbidden", "The token is another tenant's.")
    return invoice


def _json_response(body: Json, status: int) -> Response:
    return Response(msgspec.json.encode(body), status, content_type="application/json")


def _render_api_error(error: ApiError) -> Response:
    return _json_response({"error": error.error_id, "message": error.message}, error.status)


@routes.get("/_control/invoices")
def list_invoices() -> Response:
    return _json_response({"invoices": get_service().store.list_rows()}, 200)


@routes.delete("/_control/invoices")
def clear_invoices() -> tuple[str, int]:
    get_service().store.clear()
    return "", 204


@routes.get("/_control/requests")
def list_requests() -> Response:
    return _json_response({"requests": get_service().requests, "in_hand": get_service().unfinished}, 200)


@routes.delete("/_control/requests")
def clear_requests() -> tuple[str, int]:
    get_service().requests.clear()
    return "", 204


@routes.get("/_control/faults")
def list_faults() -> Response:
    return _json_response({"faults": [fault.render() for fault in get_service().faults.list_all()]}, 200)


@routes.post("/_control/faults")
def arm_fault() -> Response:
    payload: Any = request.get_json(force=True)
    return _json_response({"fault": get_service().faults.arm(payload).render()}, 201)


@routes.delete("/_control/faults")
def disarm_faults() -> tuple[str, int]:
    get_service().faults.disarm()
    return "", 204
