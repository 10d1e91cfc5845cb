"""`/_control/invoices`: further invoices, and credits."""

from datetime import date
from decimal import Decimal, InvalidOperation

from flask import Blueprint

from simulator.billing.invoices import AccountInvoices, Invoice
from simulator.catalog import Json
from simulator.control.simulation import read_payload, select_account
from simulator.errors import bad_request, not_found
from simulator.simulation import get_simulation

routes = Blueprint("control_billing", __name__, url_prefix="/_control")


def get_invoices() -> AccountInvoices:
    """Return the invoices of the account of `?team=`. Raises ApiError (404)."""
    return get_simulation().invoices[select_account().team]


def _render_invoice(invoice: Invoice) -> Json:
    return {**get_invoices().render(invoice), "lines": get_invoices().get_lines(invoice).count}


def _parse_month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise bad_request("a month is YYYY-MM") from error


@routes.get("/invoices/<month>")
def list_invoices(month: str) -> Json:
    """List the invoices of a month, its regular one first."""
    wanted = _parse_month(month)
    return {
        "invoices": [_render_invoice(each) for each in get_invoices().list_final() if each.month == wanted]
    }


@routes.post("/invoices")
def add_invoice() -> tuple[Json, int]:
    payload = read_payload()
    try:
        invoice = get_invoices().add(_parse_month(str(payload.get("month"))), int(payload.get("lines", 2)))
    except (TypeError, ValueError) as error:
        raise bad_request(str(error)) from error
    return {"invoice": _render_invoice(invoice)}, 201


@routes.patch("/invoices/<key>")
def change_invoice(key: str) -> Json:
    """Set an invoice's credits, in dollars off its amount. `key`: its uuid, or the month of a regular one."""
    invoices = get_invoices()
    regular = (each for each in invoices.list_final() if f"{each.month:%Y-%m}" == key and not each.number)
    invoice = invoices.find(key) or next(regular, None)
    if invoice is None:
        raise not_found()
    try:
        invoices.credits[invoice.uuid] = int(Decimal(str(read_payload()["credits"])) * 100)
    except (KeyError, InvalidOperation) as error:
        raise bad_request("credits must be an amount") from error
    return {"invoice": _render_invoice(invoice)}
