"""`/v2/customers/my/…`: balance, billing history, invoices."""

from collections.abc import Iterable, Iterator
from typing import Final

from flask import Blueprint, Response, current_app

from simulator import request_context
from simulator.account import ResourceKind
from simulator.billing.history import BillingHistory, HistoryEntries
from simulator.billing.invoice_csv import write_csv
from simulator.billing.invoices import AccountInvoices, Invoice
from simulator.billing.lines import Line, format_dollars
from simulator.catalog import Json
from simulator.clock import format_time
from simulator.errors import not_found
from simulator.pagination import paginate

routes = Blueprint("billing", __name__, url_prefix="/v2/customers/my")
BILLING = ResourceKind("billing", routes)
_MOST_AT_ONCE: Final = 5000  # lines of a table that is made before it is sent
_PAGE: Final = "<html>\r\n<head><title>We'll be right back</title></head>\r\n<body></body>\r\n</html>\r\n"


def get_invoices() -> AccountInvoices:
    """The invoices of the request's account."""
    invoices: dict[str, AccountInvoices] = current_app.extensions["simulator"].invoices
    return invoices[request_context.get_account().team]


def _history() -> HistoryEntries:
    """What has happened so far."""
    billing_histories: dict[str, BillingHistory] = current_app.extensions["simulator"].billing_histories
    return billing_histories[request_context.get_account().team].entries_until(
        request_context.get_account().clock.now()
    )


def _invoice(key: str) -> Invoice:
    """Raises ApiError (404)."""
    found = get_invoices().find(key)
    if found is None:
        raise not_found()
    return found


@routes.get("/balance")
def balance() -> Json:
    used, owed = get_invoices().cents(get_invoices().get_preview()), _history().unpaid_cents()
    return {
        "month_to_date_balance": format_dollars(used + owed),
        "account_balance": format_dollars(owed),
        "month_to_date_usage": format_dollars(used),
        "generated_at": format_time(get_invoices().now()),
    }


@routes.get("/billing_history")
def billing_history() -> Json:
    history = _history()
    return paginate("billing_history", len(history), history.slice)


@routes.get("/invoices")
def list_invoices() -> Json:
    list_final = get_invoices().list_final()
    page = paginate(
        "invoices", len(list_final), lambda start, stop: [*map(get_invoices().render, list_final[start:stop])]
    )
    return {**page, "invoice_preview": get_invoices().render(get_invoices().get_preview())}


@routes.get("/invoices/<key>")
def list_items(key: str) -> Json:
    content = get_invoices().get_lines(_invoice(key))
    return paginate(
        "invoice_items",
        content.count,
        lambda start, stop: [line.render() for line in content.slice(start, stop)],
    )


@routes.get("/invoices/<key>/summary")
def summary(key: str) -> Json:
    """Sums by product, in the order of the lines; every line of an invoice is looked at."""
    invoice = _invoice(key)
    content = get_invoices().get_lines(invoice)
    sums: dict[str, tuple[int, int]] = {}
    for line in content.slice(0, content.count):
        count, cents = sums.get(line.product, (0, 0))
        sums[line.product] = (count + 1, cents + line.cents)
    _, taxes = sums.pop("Taxes", (0, 0))
    head = get_invoices().render(invoice)
    return {
        "invoice_uuid": head["invoice_uuid"],
        "invoice_id": head["invoice_id"],
        "billing_period": head["invoice_period"],
        "amount": head["amount"],
        **get_invoices().customer,
        "product_charges": {
            "name": "Product usage charges",
            "amount": format_dollars(sum(cents for _, cents in sums.values())),
            "items": [
                {"amount": format_dollars(cents), "name": product, "count": str(count)}
                for product, (count, cents) in sums.items()
            ],
        },
        "overages": {"name": "Overages", "amount": format_dollars(0)},
        "taxes": {"name": "Taxes", "amount": format_dollars(taxes)},
        "credits_and_adjustments": {
            "name": "Credits & adjustments",
            "amount": format_dollars(-get_invoices().credits.get(invoice.uuid, 0)),
        },
    }


@routes.get("/invoices/<key>/csv")
def show_table(key: str) -> Response:
    """A long one is sent as it is made, in chunks."""
    invoice = _invoice(key)
    if request_context.take_fault("html_answer") is not None:
        return Response(_PAGE, mimetype="text/html")
    content = get_invoices().get_lines(invoice)
    pieces = write_csv(_spoiled(content.slice(0, content.count)), invoice.month)
    body: str | Iterable[str] = pieces if content.count > _MOST_AT_ONCE else "".join(pieces)
    response = Response(body, content_type="text/csv")
    name = f"DigitalOcean Invoice {invoice.month:%Y %b} (6173678-{invoice.invoice_id}).csv"
    response.headers["content-disposition"] = f'attachment; filename="{name}"'
    return response


def _spoiled(lines: Iterator[Line]) -> Iterator[Line]:
    """The lines, unless a fault changes one of them. Faults are taken now: the lines may come later."""
    taken = {kind: request_context.take_fault(kind) for kind in ("lost_line", "doubled_line", "missing_cent")}
    places = {kind: int(fault["line"]) for kind, fault in taken.items() if fault is not None}
    return _changed(lines, places) if places else lines


def _changed(lines: Iterator[Line], places: dict[str, int]) -> Iterator[Line]:
    for number, line in enumerate(lines, start=1):
        if number == places.get("lost_line"):
            continue
        yield line.replace_cents(line.cents - 1) if number == places.get("missing_cent") else line
        if number == places.get("doubled_line"):
            yield line
