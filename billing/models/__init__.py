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
from billing.models.simulations import PlanSimulation, PlanSimulationRow

__all__ = [
    "BalanceSnapshot",
    "BillingEntry",
    "CostDay",
    "CostLine",
    "DailyCost",
    "InvoiceItemsPart",
    "PlanSimulation",
    "PlanSimulationRow",
    "ProviderInvoice",
    "ProviderInvoiceQuerySet",
    "ProviderPrice",
]
