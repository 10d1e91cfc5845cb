"""The tables of billing. Rows are written by the modules named after the work, never from here."""

from billing.models.costs import CostDay, DailyCost, ProviderPrice
from billing.models.invoices import (
    BalanceSnapshot,
    BillingEntry,
    CostLine,
    InvoiceItemsPart,
    ProviderInvoice,
    ProviderInvoiceQuerySet,
)
from billing.models.margins import ExchangeRate, MarginCost, MarginMonth, MarginRevenue

__all__ = [
    "BalanceSnapshot",
    "BillingEntry",
    "CostDay",
    "CostLine",
    "DailyCost",
    "ExchangeRate",
    "InvoiceItemsPart",
    "MarginCost",
    "MarginMonth",
    "MarginRevenue",
    "ProviderInvoice",
    "ProviderInvoiceQuerySet",
    "ProviderPrice",
]
