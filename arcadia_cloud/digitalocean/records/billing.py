"""The balance, the billing history and the invoices.

Amounts are in USD, exact as sent; `NaN` and `Infinity` are none. The customer's name and address, which a
summary has too, are not taken. Source: API reference, "Billing".
"""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec

from arcadia_cloud.digitalocean.records.base import Instant, NullableRecord, Record, Text

Month = Annotated[str, msgspec.Meta(pattern=r"^[12][0-9]{3}-(0[1-9]|1[0-2])$")]


class BilledRecord(NullableRecord, frozen=True, gc=False):
    """A record whose amounts must be numbers. Raises ValueError for others, which the decoder reports."""

    amounts: ClassVar[tuple[str, ...]] = ("amount",)

    def __post_init__(self) -> None:
        NullableRecord.__post_init__(self)
        for name in self.amounts:
            if not getattr(self, name).is_finite():
                raise ValueError(f"{name} is not a number")


class BalanceRecord(BilledRecord, frozen=True, gc=False):
    """The amounts owed at `generated_at`; a credit is negative. The first is the sum of the other two."""

    month_to_date_balance: Decimal
    account_balance: Decimal
    month_to_date_usage: Decimal
    generated_at: Instant

    amounts: ClassVar = ("month_to_date_balance", "account_balance", "month_to_date_usage")


class BillingEntryRecord(BilledRecord, frozen=True, gc=False):
    """One line of the billing history. It has no id; payments are negative and name no invoice.

    `type` is one of ACHFailure, Adjustment, AttemptFailed, Chargeback, Credit, CreditExpiration, Invoice,
    Payment, Refund, Reversal, or a newer one.
    """

    type: str
    date: Instant
    amount: Decimal
    description: Text = ""
    invoice_id: Text = ""
    invoice_uuid: Text = ""

    empty: ClassVar = (("description", str), ("invoice_id", str), ("invoice_uuid", str))


class InvoiceRecord(BilledRecord, frozen=True, gc=False):
    """The head of an invoice. Only the preview has `updated_at`."""

    invoice_uuid: str
    amount: Decimal
    invoice_period: Month
    invoice_id: Text = ""
    updated_at: Instant | None = None

    empty: ClassVar = (("invoice_id", str),)

    @property
    def period(self) -> date:
        """The first day of the month that it bills."""
        return _month_start(self.invoice_period)


class InvoicesResponse(Record, frozen=True, gc=False):
    """The preview, which comes beside the list of invoices."""

    invoice_preview: InvoiceRecord | None = None


class InvoiceItemRecord(BilledRecord, frozen=True, gc=False):
    """One item of an invoice, with the resource's id where DigitalOcean gives one.

    A droplet has its number in `resource_id`; what is known by a uuid has `resource_uuid`. `duration` is
    text as sent, in `duration_unit` ("Hours"); taxes have none.
    """

    product: str
    amount: Decimal
    resource_id: Text = ""
    resource_uuid: Text = ""
    group_description: Text = ""
    description: Text = ""
    duration: Text = ""
    duration_unit: Text = ""
    start_time: Instant | None = None
    end_time: Instant | None = None
    project_name: Text = ""
    category: Text = ""

    empty: ClassVar = tuple(
        (name, str)
        for name in (
            "resource_id", "resource_uuid", "group_description", "description", "duration", "duration_unit",
            "project_name", "category",
        )
    )  # fmt: skip


class CostPointRecord(BilledRecord, frozen=True, gc=False):
    """The cost of one item on one day, as estimated in the night after it. It has no id of a resource.

    The texts are those of an invoice's item; `sku` is the provider's own number of what it sells.
    """

    start_date: date
    total_amount: Decimal
    sku: Text = ""
    region: Text = ""
    description: Text = ""
    group_description: Text = ""

    amounts: ClassVar = ("total_amount",)
    empty: ClassVar = tuple((name, str) for name in ("sku", "region", "description", "group_description"))


class ChargeRecord(BilledRecord, frozen=True, gc=False):
    """One sum of a summary."""

    amount: Decimal
    name: Text = ""

    empty: ClassVar = (("name", str),)


if TYPE_CHECKING:
    Charge = ChargeRecord
    Charges = list[ChargeRecord]
else:
    Charge = ChargeRecord | None
    Charges = list[ChargeRecord] | None


def _no_charge() -> ChargeRecord:
    return ChargeRecord(Decimal(0))


class ProductCharges(BilledRecord, frozen=True, gc=False):
    """The cost of usage: in all, and by product in `items`."""

    amount: Decimal = Decimal(0)
    name: Text = ""
    items: Charges = []

    empty: ClassVar = (("name", str), ("items", list))


if TYPE_CHECKING:
    Products = ProductCharges
else:
    Products = ProductCharges | None


class InvoiceSummaryRecord(BilledRecord, frozen=True, gc=False):
    """An invoice's sums: `amount` is that of charges, overages, taxes, and credits (negative) together.

    Promotional credits may stand here alone, without a line in the CSV.
    """

    invoice_uuid: str
    amount: Decimal
    billing_period: Month
    invoice_id: Text = ""
    product_charges: Products = ProductCharges()
    overages: Charge = ChargeRecord(Decimal(0))
    taxes: Charge = ChargeRecord(Decimal(0))
    credits_and_adjustments: Charge = ChargeRecord(Decimal(0))

    empty: ClassVar = (
        ("invoice_id", str),
        ("product_charges", ProductCharges),
        ("overages", _no_charge),
        ("taxes", _no_charge),
        ("credits_and_adjustments", _no_charge),
    )

    @property
    def period(self) -> date:
        """The first day of the month that it bills."""
        return _month_start(self.billing_period)


def _month_start(month: str) -> date:
    year, _, number = month.partition("-")
    return date(int(year), int(number), 1)
