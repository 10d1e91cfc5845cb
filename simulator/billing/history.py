"""The billing history: invoices, payments, and the other events of an account in ten years."""

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
# By month: type, description, cents, time after the month's end. Each comes with one that balances it.
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
class _EntryKey:
    """The time and source of an entry, whose amount is looked up when it is rendered."""

    at: datetime
    invoice: Invoice
    event: tuple[str, str, int, timedelta] | None = None
    is_payment: bool = False


class BillingHistory:
    """The entries of an account's history, sorted once for as long as its invoices are the same."""

    def __init__(self, invoices: AccountInvoices) -> None:
        self._invoices = invoices
        self._listed: list[Invoice] | None = None
        self._all: list[_EntryKey] = []

    def entries_until(self, now: datetime) -> "HistoryEntries":
        """Return the entries until now."""
        final = self._invoices.list_final()
        if final is not self._listed:
            keys = [key for invoice in final for key in _list_keys(invoice)]
            self._all = sorted(keys, key=lambda each: each.at, reverse=True)
            self._listed = final
        # The entries descend, and bisect needs ascending keys: hence the signs.
        future_count = bisect_left(self._all, -now.timestamp(), key=lambda each: -each.at.timestamp())
        return HistoryEntries(self._invoices, self._all, future_count)


class HistoryEntries:
    """The entries until some time, newest first."""

    def __init__(self, invoices: AccountInvoices, keys: list[_EntryKey], future_count: int) -> None:
        self._invoices = invoices
        self._keys = keys
        self._future_count = future_count

    def __len__(self) -> int:
        return len(self._keys) - self._future_count

    def slice(self, start: int, stop: int) -> list[Json]:
        """Return the entries number `start` to `stop`, exclusive."""
        return [
            self._render(key) for key in self._keys[self._future_count + start : self._future_count + stop]
        ]

    def unpaid_cents(self) -> int:
        """Return the unpaid amount: unpaid invoices, and the events that nothing balances yet."""
        happened = self._keys[self._future_count :]
        # By uuid and not by amount: the credits of an invoice may change between the two entries.
        paid = {key.invoice.uuid for key in happened if key.is_payment}
        open_ = (key for key in happened if key.event is None and not key.is_payment)
        owed = sum(
            self._invoices.amount_cents(each.invoice) for each in open_ if each.invoice.uuid not in paid
        )
        return owed + sum(key.event[2] for key in happened if key.event is not None)

    def _render(self, key: _EntryKey) -> Json:
        if key.event is not None:
            kind, description, cents, _ = key.event
            return _render_entry(kind, description, cents, key.at)
        cents = self._invoices.amount_cents(key.invoice)
        if key.is_payment:
            return _render_entry("Payment", "Payment (VISA 4242)", -cents, key.at)
        return {
            **_render_entry("Invoice", f"Invoice for {key.invoice.month:%B %Y}", cents, key.at),
            "invoice_id": key.invoice.invoice_id,
            "invoice_uuid": key.invoice.uuid,
        }


def _list_keys(invoice: Invoice) -> Iterator[_EntryKey]:
    month_end = midnight(month_after(invoice.month))
    yield _EntryKey(month_end + _PAID_AFTER, invoice, is_payment=True)
    yield _EntryKey(month_end + _ISSUED_AFTER, invoice)
    if not invoice.number:
        for event in _EVENTS.get(f"{invoice.month:%Y-%m}", ()):
            yield _EntryKey(month_end + event[3], invoice, event=event)


def _render_entry(kind: str, description: str, cents: int, at: datetime) -> Json:
    return {
        "description": description,
        "amount": format_dollars(cents),
        "date": format_time(at),
        "type": kind,
    }
