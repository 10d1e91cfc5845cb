"""The invoices of an account, by month and number, and their lines."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Final, Protocol

from simulator.account import Account
from simulator.billing.billable_resources import BillableResources
from simulator.billing.lines import Line, format_dollars
from simulator.billing.past_resources import FIRST_MONTH
from simulator.billing.rating import add_discount_and_tax, charge_month, midnight, month_after
from simulator.billing.reference_invoice import MONTH as REFERENCE_MONTH
from simulator.billing.reference_invoice import reference_lines
from simulator.billing.synthetic_lines import SyntheticLines
from simulator.catalog import Json
from simulator.clock import format_time
from simulator.droplet import NAMESPACE

_LINES_OF_EXTRA_INVOICE: Final = 4
MAX_LINES: Final = 10_000_000
_FIRST_NUMBER: Final = 514_000_000
_FIRST_ADDED: Final = 1_000_000  # the number of `--invoice-lines`' invoice; those added later follow


class InvoiceLines(Protocol):
    """The lines of one invoice."""

    count: int

    def cents(self) -> int: ...

    def slice(self, start: int, stop: int) -> Iterator[Line]: ...


class StoredLines:
    """Lines in memory."""

    def __init__(self, lines: list[Line]) -> None:
        self.count = len(lines)
        self._lines = lines

    def cents(self) -> int:
        return sum(line.cents for line in self._lines)

    def slice(self, start: int, stop: int) -> Iterator[Line]:
        return iter(self._lines[start:stop])


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice. `number` 0 is the month's regular one; the others have so many synthetic `lines`."""

    uuid: str
    invoice_id: str
    month: date
    number: int
    lines: int = 0
    is_preview: bool = False


class AccountInvoices:
    """All invoices of an account: they depend on seed, account and date, and on calls of the control API."""

    def __init__(
        self, account: Account, *, seed: int, is_reference: bool, invoices: int = 0, invoice_lines: int = 0
    ) -> None:
        """Raise ValueError on impossible numbers. `invoices` 0: one a month."""
        if invoices < 0 or not 0 <= invoice_lines <= MAX_LINES or invoice_lines == 1:
            raise ValueError(f"no negative number of invoices; 2 to {MAX_LINES} lines")
        self.credits: dict[str, int] = {}  # cents, by uuid: in the summary alone
        self._account = account
        self._names = f"{seed}/{account.team}/invoice"
        self._wanted_count = invoices
        self._invoice_lines = invoice_lines
        self._resources = BillableResources(account, seed=seed)
        # Of the fleet at the start: its invoice stays the same, whatever becomes of the droplets.
        self._reference = self._resources.find_droplets() if is_reference else None
        self._added: list[tuple[date, int]] = []
        self._final: list[Invoice] = []
        self._final_by_uuid: dict[str, Invoice] = {}
        self._counts: tuple[int, int] | None = None  # of months and added invoices, when `_final` was made
        self._regular_lines: dict[date, StoredLines] = {}

    @property
    def resources(self) -> BillableResources:
        """All resources that were ever billed."""
        return self._resources

    def now(self) -> datetime:
        """Return the begun hour, until which the running month is charged."""
        return self._account.clock.now().replace(minute=0, second=0, microsecond=0)

    def list_final(self) -> list[Invoice]:
        """Return the final invoices, newest first; the regular one is the first of its month."""
        months = self._complete_months()
        counts = (len(months), len(self._added))
        # Made again only when a month is over or one was added: the history is sorted anew with each list.
        if counts != self._counts:
            self._final = [*reversed(self._list_oldest_first(months))]
            self._final_by_uuid = {invoice.uuid: invoice for invoice in self._final}
            self._counts = counts
        return self._final

    def get_preview(self) -> Invoice:
        """Return the running month's invoice."""
        month = self.now().date().replace(day=1)
        return self._make_invoice(month, 0, preview=True)

    def find(self, key: str) -> Invoice | None:
        """Return the final invoice of that uuid, or the preview if it is its."""
        self.list_final()
        preview = self.get_preview()
        return preview if key == preview.uuid else self._final_by_uuid.get(key)

    def add(self, month: date, lines: int) -> Invoice:
        """Add an invoice to a complete month. Raises ValueError on other months and impossible numbers."""
        if month not in self._complete_months() or not 2 <= lines <= MAX_LINES:
            raise ValueError(f"a complete month since {FIRST_MONTH:%Y-%m}, and 2 to {MAX_LINES} lines")
        self._added.append((month, lines))
        number = _FIRST_ADDED + len(self._added)
        return next(invoice for invoice in self.list_final() if invoice.number == number)

    def get_lines(self, invoice: Invoice) -> InvoiceLines:
        """Return the invoice's lines; credits are in none of them."""
        if invoice.number:
            return SyntheticLines(self._account, invoice.month, invoice.lines)
        if invoice.is_preview:
            return StoredLines(self._make_lines(invoice.month))
        # Stored from the first look on: a final invoice never changes, though the account does.
        if invoice.month not in self._regular_lines:
            self._regular_lines[invoice.month] = StoredLines(self._make_lines(invoice.month))
        return self._regular_lines[invoice.month]

    def amount_cents(self, invoice: Invoice) -> int:
        """Return the invoice's amount, less its credits."""
        return self.get_lines(invoice).cents() - self.credits.get(invoice.uuid, 0)

    def render(self, invoice: Invoice) -> Json:
        body: Json = {
            "invoice_uuid": invoice.uuid,
            "invoice_id": invoice.invoice_id,
            "amount": format_dollars(self.amount_cents(invoice)),
            "invoice_period": f"{invoice.month:%Y-%m}",
        }
        return {**body, "updated_at": format_time(self.now())} if invoice.is_preview else body

    def _make_lines(self, month: date) -> list[Line]:
        if self._reference is not None and month == REFERENCE_MONTH and month in self._complete_months():
            return reference_lines(self._reference)
        as_of = min(self.now(), midnight(month_after(month)))
        charges = (charge_month(resource, month, as_of=as_of) for resource in self._resources.list_all())
        return add_discount_and_tax([line for line in charges if line is not None], month, as_of=as_of)

    def _complete_months(self) -> list[date]:
        """Return the months from the first to the last complete one."""
        months, month, current = [], FIRST_MONTH, self.now().date().replace(day=1)
        while month < current:
            months.append(month)
            month = month_after(month)
        return months

    def _list_oldest_first(self, months: list[date]) -> list[Invoice]:
        wanted = self._wanted_count or len(months)
        kept = months[-wanted:]
        more, rest = divmod(wanted - len(kept), max(1, len(kept)))
        found: list[Invoice] = []
        for position, month in enumerate(kept):
            extras = more + (1 if position < rest else 0)
            found += [
                self._make_invoice(month, number, _LINES_OF_EXTRA_INVOICE) for number in range(extras, 0, -1)
            ]
            if self._invoice_lines and month == kept[-1]:
                found.append(self._make_invoice(month, _FIRST_ADDED, self._invoice_lines))
            found += [
                self._make_invoice(month, _FIRST_ADDED + number, lines)
                for number, (added_month, lines) in enumerate(self._added, start=1)
                if added_month == month
            ]
            found.append(self._make_invoice(month, 0))
        return found

    def _make_invoice(self, month: date, number: int, lines: int = 0, *, preview: bool = False) -> Invoice:
        # The preview's uuid is not the final invoice's: it must be unknown once the month is over.
        kind = "preview" if preview else "final"
        key = str(uuid.uuid5(NAMESPACE, f"{self._names}/{kind}/{month}/{number}"))
        since = (month.year - FIRST_MONTH.year) * 12 + month.month - FIRST_MONTH.month
        # Further invoices of a month are a thousand numbers apart, so that those of no other month collide.
        invoice_id = str(_FIRST_NUMBER + since + number * 1000 + (500_000 if preview else 0))
        return Invoice(key, invoice_id, month, number, lines, preview)

    @cached_property
    def customer(self) -> Json:
        """Return the customer's name and address for the summary."""
        team = self._account.team
        at = "2014-12-03T09:39:51.000+00:00"
        return {
            "user_name": team.title(),
            "user_billing_address": {
                "address_line1": "1 Example Street",
                "city": "Sydney",
                "region": "NSW",
                "postal_code": "2000",
                "country_iso2_code": "AU",
                "created_at": at,
                "updated_at": at,
            },
            "user_company": f"{team.title()} Pty Ltd",
            "user_email": f"ops@{team}.example",
        }
