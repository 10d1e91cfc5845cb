"""`/v2/customers/my/…`: balance, billing history, invoices."""

from collections.abc import Iterable, Iterator
from typing import Final

from flask import Blueprint, Response, current_app

from simulator import request_context
from simulator.account import Kind
from simulator.billing.history import Entries, History
from simulator.billing.invoice_csv import table
from simulator.billing.invoices import Book, Invoice
from simulator.billing.lines import Line, dollars
from simulator.catalog import Json
from simulator.clock import stamp
from simulator.errors import not_found
from simulator.pagination import page_of

routes = Blueprint("billing", __name__, url_prefix="/v2/customers/my")
BILLING = Kind("billing", routes)
_MOST_AT_ONCE: Final = 5000  # lines of a table that is made before it is sent
_PAGE: Final = "<html>\r\n<head><title>We'll be right back</title></head>\r\n<body></body>\r\n</html>\r\n"


def book() -> Book:
    """The book of the request's account."""
    books: dict[str, Book] = current_app.extensions["simulator"].books
    return books[request_context.account().team]


def _history() -> Entries:
    """What has happened so far."""
    histories: dict[str, History] = current_app.extensions["simulator"].histories
    return histories[request_context.account().team].by(request_context.account().clock.now())


def _invoice(key: str) -> Invoice:
    """Raises ApiError (404)."""
    found = book().find(key)
    if found is None:
        raise not_found()
    return found


@routes.get("/balance")
def balance() -> Json:
    used, owed = book().cents(book().preview()), _history().unpaid_cents()
    return {
        "month_to_date_balance": dollars(used + owed),
        "account_balance": dollars(owed),
        "month_to_date_usage": dollars(used),
        "generated_at": stamp(book().now()),
    }


@routes.get("/billing_history")
def billing_history() -> Json:
    history = _history()
    return page_of("billing_history", len(history), history.cut)


@routes.get("/invoices")
def list_invoices() -> Json:
    finals = book().finals()
    page = page_of("invoices", len(finals), lambda start, stop: [*map(book().head, finals[start:stop])])
    return {**page, "invoice_preview": book().head(book().preview())}


@routes.get("/invoices/<key>")
def list_items(key: str) -> Json:
    content = book().content(_invoice(key))
    return page_of(
        "invoice_items",
        content.count,
        lambda start, stop: [line.item() for line in content.cut(start, stop)],
    )


@routes.get("/invoices/<key>/summary")
def summary(key: str) -> Json:
    """Sums by product, in the order of the lines; every line of an invoice is looked at."""
    invoice = _invoice(key)
    content = book().content(invoice)
    sums: dict[str, tuple[int, int]] = {}
    for line in content.cut(0, content.count):
        count, cents = sums.get(line.product, (0, 0))
        sums[line.product] = (count + 1, cents + line.cents)
    _, taxes = sums.pop("Taxes", (0, 0))
    head = book().head(invoice)
    return {
        "invoice_uuid": head["invoice_uuid"],
        "invoice_id": head["invoice_id"],
        "billing_period": head["invoice_period"],
        "amount": head["amount"],
        **book().customer,
        "product_charges": {
            "name": "Product usage charges",
            "amount": dollars(sum(cents for _, cents in sums.values())),
            "items": [
                {"amount": dollars(cents), "name": product, "count": str(count)}
                for product, (count, cents) in sums.items()
            ],
        },
        "overages": {"name": "Overages", "amount": dollars(0)},
        "taxes": {"name": "Taxes", "amount": dollars(taxes)},
        "credits_and_adjustments": {
            "name": "Credits & adjustments",
            "amount": dollars(-book().credits.get(invoice.uuid, 0)),
        },
    }


@routes.get("/invoices/<key>/csv")
def show_table(key: str) -> Response:
    """A long one is sent as it is made, in chunks."""
    invoice = _invoice(key)
    if request_context.fault("html_answer") is not None:
        return Response(_PAGE, mimetype="text/html")
    content = book().content(invoice)
    pieces = table(_spoiled(content.cut(0, content.count)), invoice.month)
    body: str | Iterable[str] = pieces if content.count > _MOST_AT_ONCE else "".join(pieces)
    response = Response(body, content_type="text/csv")
    name = f"DigitalOcean Invoice {invoice.month:%Y %b} (6173678-{invoice.invoice_id}).csv"
    response.headers["content-disposition"] = f'attachment; filename="{name}"'
    return response


def _spoiled(lines: Iterator[Line]) -> Iterator[Line]:
    """The lines, unless a fault changes one of them. Faults are taken now: the lines may come later."""
    taken = {kind: request_context.fault(kind) for kind in ("lost_line", "doubled_line", "missing_cent")}
    places = {kind: int(fault["line"]) for kind, fault in taken.items() if fault is not None}
    return _changed(lines, places) if places else lines


def _changed(lines: Iterator[Line], places: dict[str, int]) -> Iterator[Line]:
    for number, line in enumerate(lines, start=1):
        if number == places.get("lost_line"):
            continue
        yield line.with_cents(line.cents - 1) if number == places.get("missing_cent") else line
        if number == places.get("doubled_line"):
            yield line
