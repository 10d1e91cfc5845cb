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
from simulator.finance.invoice_store import Ledger, TakenInvoice
from simulator.server import running

DEFAULT_SECRET: Final = "simulated-finance-secret-" + "0" * 64
DEFAULT_AUDIENCE: Final = "finance"
WRITERS: Final = frozenset({"admin", "accountant"})
LEEWAY_SECONDS: Final = 30
# By kind, the further fields and what they are when left out; `lost_answer` comes after the row is written.
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


class Receiver:
    """What the application works with: its rows, its faults, whose tokens it takes."""

    def __init__(self, ledger: Ledger, *, secret: str, audience: str) -> None:
        self.ledger = ledger
        self.secret = secret
        self.audience = audience
        self.faults = Faults(seed=1, kinds=FAULTS)
        self.requests: list[Json] = []
        self.in_hand = 0
        self._lock = Lock()

    @contextmanager
    def handling(self) -> Iterator[None]:
        """For the block, a request is in hand."""
        with self._lock:
            self.in_hand += 1
        try:
            yield
        finally:
            with self._lock:
                self.in_hand -= 1


def create_app(ledger: Ledger, *, secret: str = DEFAULT_SECRET, audience: str = DEFAULT_AUDIENCE) -> Flask:
    app = Flask("finance")
    app.extensions["finance"] = Receiver(ledger, secret=secret, audience=audience)
    app.register_blueprint(routes)
    app.register_error_handler(ApiError, _refused)
    return app


def serve(
    ledger: Ledger | None = None, *, secret: str = DEFAULT_SECRET, port: int = 0
) -> AbstractContextManager[str]:
    """Run one in a thread for the block; yields its base URL."""
    return running(create_app(ledger or Ledger(), secret=secret), port=port)


def _receiver() -> Receiver:
    receiver: Receiver = current_app.extensions["finance"]
    return receiver


def _fault(kind: str) -> Json | None:
    return _receiver().faults.take(kind, method=request.method, path=request.path, token="")


@routes.post("/api/v1/integrations/cloud/import-invoice")
def import_invoice() -> Response:
    """Take the invoice, unless a fault is armed."""
    with _receiver().handling():
        response = _answer()
        status = None if connection.is_dropped(response) else response.status_code
        _receiver().requests.append(
            {"path": request.path, "status": status, "body": request.get_json(silent=True)}
        )
    return response


def _answer() -> Response:
    slow = _fault("slow")
    if slow is not None:
        time.sleep(float(slow["seconds"]))
    down = _fault("down")
    if down is not None:
        return connection.dropped(reset=bool(down["reset"]))
    spoiled = _spoiled()
    if spoiled is not None:
        return spoiled
    try:
        invoice = _invoice_of(_claims())
    except ApiError as error:
        return _refused(error)
    invoice_id, action = _receiver().ledger.take(invoice)
    lost = _fault("lost_answer")
    if lost is not None and lost["status"] is None:
        return connection.dropped(reset=bool(lost["reset"]))
    if lost is not None:
        return _json({"error": "bad_gateway"}, int(lost["status"]))
    return _json({"action": action, "invoice_id": invoice_id}, 201 if action == "created" else 200)


def _spoiled() -> Response | None:
    """The answer of a fault that takes nothing."""
    broken = _fault("server_error")
    if broken is not None and broken["html"]:
        return Response("<html><h1>Bad gateway</h1></html>", int(broken["status"]), mimetype="text/html")
    if broken is not None:
        return _json({"error": "internal", "message": "Something went wrong."}, int(broken["status"]))
    storm = _fault("rate_limited")
    if storm is not None:
        answer = _json({"error": "too_many_requests", "message": "Slow down."}, 429)
        answer.headers["retry-after"] = str(storm["retry_after"])
        return answer
    refused = _fault("refused")
    if refused is not None:
        return _json({"error": "unprocessable", "message": refused["message"]}, int(refused["status"]))
    nonsense = _fault("nonsense")
    return None if nonsense is None else Response(str(nonsense["body"]), 200, mimetype="text/html")


def _claims() -> Json:
    """Of the request's token. Raises ApiError (401, 403)."""
    receiver = _receiver()
    try:
        claims: Json = jwt.decode(
            request.headers.get("Authorization", "").removeprefix("Bearer "),
            receiver.secret,
            algorithms=["HS512", "HS384", "HS256"],
            audience=receiver.audience,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "aud", "sub"]},
        )
    except jwt.InvalidTokenError as error:
        raise ApiError(401, "unauthorized", f"The token is not valid: {type(error).__name__}.") from error
    if claims.get("typ") != "access":
        raise ApiError(401, "unauthorized", "The token is no access token.")
    roles = claims.get("roles")
    if not isinstance(roles, list) or WRITERS.isdisjoint(role for role in roles if isinstance(role, str)):
        raise ApiError(403, "forbidden", "The token has no writing role.")
    return claims


def _invoice_of(claims: Json) -> TakenInvoice:
    """The request's invoice. Raises ApiError (403, 422)."""
    try:
        invoice = msgspec.json.decode(request.get_data(), type=TakenInvoice)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiError(422, "unprocessable", str(error)) from error
    if invoice.tenant_id != claims.get("tenant_id"):
        raise ApiError(403, "forbidden", "The token is another tenant's.")
    return invoice


def _json(body: Json, status: int) -> Response:
    return Response(msgspec.json.encode(body), status, content_type="application/json")


def _refused(error: ApiError) -> Response:
    return _json({"error": error.error_id, "message": error.message}, error.status)


@routes.get("/_control/invoices")
def list_invoices() -> Response:
    return _json({"invoices": _receiver().ledger.rows()}, 200)


@routes.delete("/_control/invoices")
def clear_invoices() -> tuple[str, int]:
    _receiver().ledger.clear()
    return "", 204


@routes.get("/_control/requests")
def list_requests() -> Response:
    return _json({"requests": _receiver().requests, "in_hand": _receiver().in_hand}, 200)


@routes.delete("/_control/requests")
def clear_requests() -> tuple[str, int]:
    _receiver().requests.clear()
    return "", 204


@routes.get("/_control/faults")
def list_faults() -> Response:
    return _json({"faults": [fault.rendered() for fault in _receiver().faults.all()]}, 200)


@routes.post("/_control/faults")
def arm_fault() -> Response:
    wish: Any = request.get_json(force=True)
    return _json({"fault": _receiver().faults.arm(wish).rendered()}, 201)


@routes.delete("/_control/faults")
def disarm_faults() -> tuple[str, int]:
    _receiver().faults.disarm()
    return "", 204
