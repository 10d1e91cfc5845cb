"""The invoices of an account, by date and number, and what is on each."""

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

LINES_OF_EXTRA_INVOICE: Final = 4  # lines of an invoice that is there to be many
MAX_LINES: Final = 10_000_000
_FIRST_NUMBER: Final = 514_000_000


class InvoiceLines(Protocol):
    """The lines of one invoice."""

    count: int

    def cents(self) -> int: ...

    def slice(self, start: int, stop: int) -> Iterator[Line]: ...


class StoredLines:
    """Lines that are at hand."""

    def __init__(self, lines: list[Line]) -> None:
        self.count = len(lines)
        self._lines = lines

    def cents(self) -> int:
        return sum(line.cents for line in self._lines)

    def slice(self, start: int, stop: int) -> Iterator[Line]:
        return iter(self._lines[start:stop])


@dataclass(frozen=True, slots=True)
class Invoice:
    """Which one it is. `number` 0 is the month's regular one; `lines` counts those of the others."""

    uuid: str
    invoice_id: str
    month: date
    number: int
    lines: int = 0
    is_preview: bool = False


class AccountInvoices:
    """Decided by the seed, the account and the date; what a control call added or took off stays with it."""

    def __init__(
        self, account: Account, *, seed: int, is_reference: bool, invoices: int = 0, invoice_lines: int = 0
    ) -> None:
        """`invoices` 0: one a month. Raises ValueError on numbers that make no sense."""
        if invoices < 0 or not 0 <= invoice_lines <= MAX_LINES or invoice_lines == 1:
            raise ValueError(f"no negative number of invoices; 2 to {MAX_LINES} lines")
        self.credits: dict[str, int] = {}  # cents, by uuid: in the summary alone
        self._account = account
        self._names = f"{seed}/{account.team}/invoice"
        self._wanted = invoices
        self._invoice_lines = invoice_lines
        self._roster = BillableResources(account, seed=seed)
        self._reference = self._roster.droplets() if is_reference else None
        self._added: list[tuple[date, int]] = []
        self._known: dict[str, Invoice] = {}
        self._finals: list[Invoice] = []
        self._state: object = None
        self._regular: dict[date, StoredLines] = {}

    def now(self) -> datetime:
        """The hour that has begun: amounts are made anew with each."""
        return self._account.clock.now().replace(minute=0, second=0, microsecond=0)

    def list_final(self) -> list[Invoice]:
        """Newest first; the regular one is a month's first."""
        months = self._months()
        state = (len(months), len(self._added))
        if state != self._state:
            self._finals = [*reversed(self._all(months))]
            self._known = {invoice.uuid: invoice for invoice in self._finals}
            self._state = state
        return self._finals

    def get_preview(self) -> Invoice:
        """The running month's."""
        month = self.now().date().replace(day=1)
        return self._invoice(month, 0, preview=True)

    def find(self, key: str) -> Invoice | None:
        """The final one of that uuid, or the preview."""
        self.list_final()
        preview = self.get_preview()
        return preview if key == preview.uuid else self._known.get(key)

    def add(self, month: date, lines: int) -> Invoice:
        """One more of a month that is complete. Raises ValueError."""
        if month not in self._months() or not 2 <= lines <= MAX_LINES:
            raise ValueError(f"a complete month since {FIRST_MONTH:%Y-%m}, and 2 to {MAX_LINES} lines")
        self._added.append((month, lines))
        return next(
            each for each in reversed(self.list_final()) if each.number == 1_000_000 + len(self._added)
        )

    def get_lines(self, invoice: Invoice) -> InvoiceLines:
        """What is on it, credits apart."""
        if invoice.number:
            return SyntheticLines(self._account, invoice.month, invoice.lines)
        if invoice.is_preview:
            return StoredLines(self._lines(invoice.month))
        if invoice.month not in self._regular:
            self._regular[invoice.month] = StoredLines(self._lines(invoice.month))
        return self._regular[invoice.month]

    def cents(self, invoice: Invoice) -> int:
        """Its amount."""
        return self.get_lines(invoice).cents() - self.credits.get(invoice.uuid, 0)

    def render(self, invoice: Invoice) -> Json:
        body: Json = {
            "invoice_uuid": invoice.uuid,
            "invoice_id": invoice.invoice_id,
            "amount": format_dollars(self.cents(invoice)),
            "invoice_period": f"{invoice.month:%Y-%m}",
        }
        return {**body, "updated_at": format_time(self.now())} if invoice.is_preview else body

    def _lines(self, month: date) -> list[Line]:
        if self._reference is not None and month == REFERENCE_MONTH and month in self._months():
            return reference_lines(self._reference)
        as_of = min(self.now(), midnight(month_after(month)))
        charges = (charge_month(billed, month, as_of=as_of) for billed in self._roster.all())
        return add_discount_and_tax([line for line in charges if line is not None], month, as_of=as_of)

    def _months(self) -> list[date]:
        """From the first to the last complete one."""
        months, month, serve_app = [], FIRST_MONTH, self.now().date().replace(day=1)
        while month < serve_app:
            months.append(month)
            month = month_after(month)
        return months

    def _all(self, months: list[date]) -> list[Invoice]:
        """Oldest first."""
        wanted = self._wanted or len(months)
        kept = months[-wanted:]
        more, rest = divmod(wanted - len(kept), max(1, len(kept)))
        found: list[Invoice] = []
        for place, month in enumerate(kept):
            extras = more + (1 if place < rest else 0)
            found += [self._invoice(month, number, LINES_OF_EXTRA_INVOICE) for number in range(extras, 0, -1)]
            if self._invoice_lines and month == kept[-1]:
                found.append(self._invoice(month, 1_000_000, self._invoice_lines))
            found += [
                self._invoice(month, 1_000_001 + place, lines)
                for place, (of, lines) in enumerate(self._added)
                if of == month
            ]
            found.append(self._invoice(month, 0))
        return found

    def _invoice(self, month: date, number: int, lines: int = 0, *, preview: bool = False) -> Invoice:
        kind = "preview" if preview else "final"
        key = str(uuid.uuid5(NAMESPACE, f"{self._names}/{kind}/{month}/{number}"))
        since = (month.year - FIRST_MONTH.year) * 12 + month.month - FIRST_MONTH.month
        invoice_id = str(_FIRST_NUMBER + since + number * 1000 + (500_000 if preview else 0))
        return Invoice(key, invoice_id, month, number, lines, preview)

    @cached_property
    def customer(self) -> Json:
        """Who pays, as the summary tells."""
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
