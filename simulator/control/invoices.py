"""`/_control/invoices`: invoices that are unlike the others."""

from datetime import date
from decimal import Decimal, InvalidOperation

from flask import Blueprint, current_app

from simulator.billing.invoices import Book, Invoice
from simulator.catalog import Json
from simulator.control.simulation import chosen_account, wish_of
from simulator.errors import bad_request, not_found

routes = Blueprint("control_billing", __name__, url_prefix="/_control")


def _book() -> Book:
    books: dict[str, Book] = current_app.extensions["simulator"].books
    return books[chosen_account().team]


def _shown(invoice: Invoice) -> Json:
    return {**_book().head(invoice), "lines": _book().content(invoice).count}


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise bad_request("a month is YYYY-MM") from error


@routes.get("/invoices/<month>")
def list_invoices(month: str) -> Json:
    """Those of a month, its regular one first."""
    wanted = _month(month)
    return {"invoices": [_shown(each) for each in _book().finals() if each.month == wanted]}


@routes.post("/invoices")
def add_invoice() -> tuple[Json, int]:
    wish = wish_of()
    try:
        invoice = _book().add(_month(str(wish.get("month"))), int(wish.get("lines", 2)))
    except (TypeError, ValueError) as error:
        raise bad_request(str(error)) from error
    return {"invoice": _shown(invoice)}, 201


@routes.patch("/invoices/<key>")
def change_invoice(key: str) -> Json:
    """`key`: a uuid, or a month, whose regular one it is. `credits`: dollars, off the amount."""
    book = _book()
    regular = (each for each in book.finals() if f"{each.month:%Y-%m}" == key and not each.number)
    invoice = book.find(key) or next(regular, None)
    if invoice is None:
        raise not_found()
    try:
        book.credits[invoice.uuid] = int(Decimal(str(wish_of()["credits"])) * 100)
    except (KeyError, InvalidOperation) as error:
        raise bad_request("credits must be an amount") from error
    return {"invoice": _shown(invoice)}
