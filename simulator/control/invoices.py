"""`/_control/invoices`: invoices that are unlike the others."""

from datetime import date
from decimal import Decimal, InvalidOperation

from flask import Blueprint, current_app

from simulator.billing.invoices import AccountInvoices, Invoice
from simulator.catalog import Json
from simulator.control.simulation import read_payload, select_account
from simulator.errors import bad_request, not_found

routes = Blueprint("control_billing", __name__, url_prefix="/_control")


def get_invoices() -> AccountInvoices:
    invoices: dict[str, AccountInvoices] = current_app.extensions["simulator"].invoices
    return invoices[select_account().team]


def _render_invoice(invoice: Invoice) -> Json:
    return {**get_invoices().render(invoice), "lines": get_invoices().get_lines(invoice).count}


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise bad_request("a month is YYYY-MM") from error


@routes.get("/invoices/<month>")
def list_invoices(month: str) -> Json:
    """Those of a month, its regular one first."""
    wanted = _month(month)
    return {
        "invoices": [_render_invoice(each) for each in get_invoices().list_final() if each.month == wanted]
    }


@routes.post("/invoices")
def add_invoice() -> tuple[Json, int]:
    payload = read_payload()
    try:
        invoice = get_invoices().add(_month(str(payload.get("month"))), int(payload.get("lines", 2)))
    except (TypeError, ValueError) as error:
        raise bad_request(str(error)) from error
    return {"invoice": _render_invoice(invoice)}, 201


@routes.patch("/invoices/<key>")
def change_invoice(key: str) -> Json:
    """`key`: a uuid, or a month, whose regular one it is. `credits`: dollars, off the amount."""
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
