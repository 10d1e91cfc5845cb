"""The billing history: each invoice, its payment, and what else happens to an account in ten years."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from simulator.billing.invoices import AccountInvoices, Invoice
from simulator.billing.lines import format_dollars
from simulator.billing.rating import midnight, month_after
from simulator.catalog import Json
from simulator.clock import format_time

_ISSUED_AFTER: Final = timedelta(hours=8, minutes=44, seconds=38)
_PAID_AFTER: Final = timedelta(days=1, hours=6, minutes=12, seconds=9)
# Per month: type, description, cents, and when after the month's end. Each comes with what makes up for it.
_EVENTS: Final = {
    "2014-12": (("Credit", "Promo code", -1000, timedelta(hours=9)),
                ("CreditExpiration", "Promo code expired", 1000, timedelta(days=20))),
    "2016-07": (("AttemptFailed", "Payment failed (VISA 4242)", 0, timedelta(days=1)),
                ("AttemptFailed", "Payment failed (VISA 4242)", 0, timedelta(days=1))),
    "2017-02": (("Refund", "Refund for a payment", 500, timedelta(days=9)),
                ("Adjustment", "Goodwill", -500, timedelta(days=9))),
    "2019-04": (("ACHFailure", "Bank transfer failed", 2000, timedelta(days=5)),
                ("Payment", "Payment (VISA 4242)", -2000, timedelta(days=6))),
    "2021-10": (("Chargeback", "Chargeback", 1500, timedelta(days=12)),
                ("Reversal", "Chargeback reversed", -1500, timedelta(days=17))),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Moment:
    """Where an entry stands. Its amount is looked up when it is shown."""

    at: datetime
    invoice: Invoice
    event: tuple[str, str, int, timedelta] | None = None
    is_payment: bool = False


class BillingHistory:
    """The entries of a invoices. Their places are sorted once for as long as its invoices are the same."""

    def __init__(self, invoices: AccountInvoices) -> None:
        self._invoices = invoices
        self._of: list[Invoice] | None = None
        self._all: list[_Moment] = []

    def entries_until(self, now: datetime) -> "HistoryEntries":
        """Those that have happened."""
        list_final = self._invoices.list_final()
        if list_final is not self._of:
            places = [place for invoice in list_final for place in _places(invoice)]
            self._all = sorted(places, key=lambda place: place.at, reverse=True)
            self._of = list_final
        to_come = bisect_left(self._all, -now.timestamp(), key=lambda place: -place.at.timestamp())
        return HistoryEntries(self._invoices, self._all, to_come)


class HistoryEntries:
    def __init__(self, invoices: AccountInvoices, places: list[_Moment], to_come: int) -> None:
        self._invoices = invoices
        self._places = places
        self._to_come = to_come

    def __len__(self) -> int:
        return len(self._places) - self._to_come

    def slice(self, start: int, stop: int) -> list[Json]:
        """Entries number `start` to `stop`, exclusive; the newest is the first."""
        return [self._entry(place) for place in self._places[self._to_come + start : self._to_come + stop]]

    def unpaid_cents(self) -> int:
        """What is left to pay: events make up for each other but for those that are still to come."""
        happened = self._places[self._to_come :]
        paid = {place.invoice.uuid for place in happened if place.is_payment}
        open_ = (place for place in happened if place.event is None and not place.is_payment)
        owed = sum(self._invoices.cents(each.invoice) for each in open_ if each.invoice.uuid not in paid)
        return owed + sum(place.event[2] for place in happened if place.event is not None)

    def _entry(self, place: _Moment) -> Json:
        if place.event is not None:
            kind, description, cents, _ = place.event
            return _render_entry(kind, description, cents, place.at)
        cents = self._invoices.cents(place.invoice)
        if place.is_payment:
            return _render_entry("Payment", "Payment (VISA 4242)", -cents, place.at)
        return {
            **_render_entry("Invoice", f"Invoice for {place.invoice.month:%B %Y}", cents, place.at),
            "invoice_id": place.invoice.invoice_id,
            "invoice_uuid": place.invoice.uuid,
        }


def _places(invoice: Invoice) -> Iterator[_Moment]:
    over = midnight(month_after(invoice.month))
    yield _Moment(over + _PAID_AFTER, invoice, is_payment=True)
    yield _Moment(over + _ISSUED_AFTER, invoice)
    if not invoice.number:
        for event in _EVENTS.get(f"{invoice.month:%Y-%m}", ()):
            yield _Moment(over + event[3], invoice, event=event)


def _render_entry(kind: str, description: str, cents: int, at: datetime) -> Json:
    return {
        "description": description,
        "amount": format_dollars(cents),
        "date": format_time(at),
        "type": kind,
    }
