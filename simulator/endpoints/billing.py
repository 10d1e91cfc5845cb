"""`/v2/customers/my/…`: balance, billing history, invoices; `/v2/billing/…`: insights."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from flask import Blueprint, Response, current_app

from simulator import request_context
from simulator.account import ResourceKind
from simulator.billing import insights
from simulator.billing.history import BillingHistory, HistoryEntries
from simulator.billing.invoice_csv import write_csv
from simulator.billing.invoices import AccountInvoices, Invoice
from simulator.billing.lines import TAXES, Line, format_dollars
from simulator.catalog import Json
from simulator.clock import format_time
from simulator.errors import bad_request, not_found
from simulator.pagination import paginate, paginate_numbered

routes = Blueprint("billing", __name__, url_prefix="/v2/customers/my")
insights_routes = Blueprint("billing_insights", __name__)
BILLING = ResourceKind("billing", routes)
BILLING_INSIGHTS = ResourceKind("billing_insights", insights_routes)
_MAX_BUFFERED_LINES: Final = 5000  # of a CSV that is made before it is sent
_MAINTENANCE_PAGE: Final = (
    "<html>\r\n<head><title>We'll be right back</title></head>\r\n<body></body>\r\n</html>\r\n"
)


def get_invoices() -> AccountInvoices:
    """Return the invoices of the request's account."""
    invoices: dict[str, AccountInvoices] = current_app.extensions["simulator"].invoices
    return invoices[request_context.get_account().team]


def _get_history() -> HistoryEntries:
    """Return the history of the request's account until now."""
    histories: dict[str, BillingHistory] = current_app.extensions["simulator"].billing_histories
    account = request_context.get_account()
    return histories[account.team].entries_until(account.clock.now())


def _get_invoice_or_404(key: str) -> Invoice:
    """Return the invoice of that uuid. Raises ApiError (404)."""
    found = get_invoices().find(key)
    if found is None:
        raise not_found()
    return found


@routes.get("/balance")
def balance() -> Json:
    used, owed = get_invoices().amount_cents(get_invoices().get_preview()), _get_history().unpaid_cents()
    return {
        "month_to_date_balance": format_dollars(used + owed),
        "account_balance": format_dollars(owed),
        "month_to_date_usage": format_dollars(used),
        "generated_at": format_time(get_invoices().now()),
    }


@routes.get("/billing_history")
def billing_history() -> Json:
    history = _get_history()
    return paginate("billing_history", len(history), history.slice)


@routes.get("/invoices")
def list_invoices() -> Json:
    invoices = get_invoices()
    final = invoices.list_final()
    page = paginate("invoices", len(final), lambda start, stop: [*map(invoices.render, final[start:stop])])
    return {**page, "invoice_preview": invoices.render(invoices.get_preview())}


@routes.get("/invoices/<key>")
def list_items(key: str) -> Json:
    lines = get_invoices().get_lines(_get_invoice_or_404(key))
    return paginate(
        "invoice_items",
        lines.count,
        lambda start, stop: [line.render() for line in lines.slice(start, stop)],
    )


@routes.get("/invoices/<key>/summary")
def summary(key: str) -> Json:
    """Show the sums by product, in the order of the lines, which takes a look at every line."""
    invoice = _get_invoice_or_404(key)
    lines = get_invoices().get_lines(invoice)
    sums: dict[str, tuple[int, int]] = {}
    for line in lines.slice(0, lines.count):
        count, cents = sums.get(line.product, (0, 0))
        sums[line.product] = (count + 1, cents + line.cents)
    _, taxes = sums.pop(TAXES, (0, 0))
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
def download_csv(key: str) -> Response:
    """Download the invoice as CSV, a long one in chunks, as they are made."""
    invoice = _get_invoice_or_404(key)
    if request_context.take_fault("html_answer") is not None:
        return Response(_MAINTENANCE_PAGE, mimetype="text/html")
    lines = get_invoices().get_lines(invoice)
    pieces = write_csv(_apply_line_faults(lines.slice(0, lines.count)), invoice.month)
    # A short one is sent with its length: only then can a client tell that it was cut, and the fault cut it.
    body: str | Iterable[str] = pieces if lines.count > _MAX_BUFFERED_LINES else "".join(pieces)
    response = Response(body, content_type="text/csv")
    name = f"DigitalOcean Invoice {invoice.month:%Y %b} (6173678-{invoice.invoice_id}).csv"
    response.headers["content-disposition"] = f'attachment; filename="{name}"'
    return response


@insights_routes.get("/v2/billing/<urn>/insights/<first>/<last>")
def list_insights(urn: str, first: str, last: str) -> Json:
    """List the costs of days, counted by pages and without links. Raises ApiError (400, 404)."""
    account = request_context.get_account()
    if urn != f"do:team:{account.uuid}":
        raise not_found()
    try:
        days = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError as error:
        raise bad_request("The dates must be as 2025-01-31.") from error
    if not 0 <= (days[1] - days[0]).days < insights.MOST_DAYS:
        raise bad_request(f"The end date must be within {insights.MOST_DAYS} days of the start date.")
    points = insights.list_points(account, get_invoices().resources, *days)
    return paginate_numbered("data_points", points)


def _apply_line_faults(lines: Iterator[Line]) -> Iterator[Line]:
    """Return the lines, changed by the armed faults."""
    # Taken now and not while iterating: a streamed response has no request, and no lock, any more.
    taken = {kind: request_context.take_fault(kind) for kind in ("lost_line", "doubled_line", "missing_cent")}
    numbers = {kind: int(fault["line"]) for kind, fault in taken.items() if fault is not None}
    return _change_lines(lines, numbers) if numbers else lines


def _change_lines(lines: Iterator[Line], numbers: dict[str, int]) -> Iterator[Line]:
    for number, line in enumerate(lines, start=1):
        if number == numbers.get("lost_line"):
            continue
        yield line.replace_cents(line.cents - 1) if number == numbers.get("missing_cent") else line
        if number == numbers.get("doubled_line"):
            yield line
