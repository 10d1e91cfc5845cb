"""The request to finance about an invoice, and its response."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

SOURCE: Final = "digitalocean"
_VENDOR: Final = {"name": "DigitalOcean", "category": "cloud"}


@dataclass(frozen=True, slots=True)
class FinanceInvoice:
    """One provider invoice. `external_id` is its uuid, by which finance knows it again.

    The period is half-open. Amounts are whole cents of `currency`; net and tax add up to the gross amount.
    Raises ValueError where they don't.
    """

    external_id: str
    number: str
    currency: str
    period_start: date
    period_end: date
    issued_on: date
    amount_net_minor: int
    amount_tax_minor: int
    amount_gross_minor: int
    line_count: int

    def __post_init__(self) -> None:
        if self.amount_net_minor + self.amount_tax_minor != self.amount_gross_minor:
            raise ValueError(f"invoice {self.external_id}: net and tax don't add up to the gross amount")
        if not self.period_start < self.period_end:
            raise ValueError(f"invoice {self.external_id}: the period ends before it begins")

    def body(self, *, tenant_id: str) -> dict[str, Any]:
        """The JSON object that finance takes."""
        return {
            "tenant_id": tenant_id,
            "source": SOURCE,
            "external_id": self.external_id,
            "vendor": _VENDOR,
            "number": self.number,
            "currency": self.currency,
            "period_start": self.period_start,
            "period_end": self.period_end,
            "issued_on": self.issued_on,
            "amount_net_minor": self.amount_net_minor,
            "amount_tax_minor": self.amount_tax_minor,
            "amount_gross_minor": self.amount_gross_minor,
            "line_count": self.line_count,
        }


@dataclass(frozen=True, slots=True)
class FinanceResponse:
    """The action that finance took, and its own id of the invoice."""

    action: Literal["created", "updated"]
    invoice_id: str
