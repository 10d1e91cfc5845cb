"""The tables of billing. Rows are written by the modules named after the work, never from here."""

from billing.models.anomalies import CostAnomaly
from billing.models.audit import AuditFinding, AuditRun
from billing.models.costs import CostDay, DailyCost, ProviderPrice, ReportedItem, SpanCostChange
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
    "AuditFinding",
    "AuditRun",
    "BalanceSnapshot",
    "BillingEntry",
    "CostAnomaly",
    "CostDay",
    "CostLine",
    "DailyCost",
    "InvoiceItemsPart",
    "PlanSimulation",
    "PlanSimulationRow",
    "ProviderInvoice",
    "ProviderInvoiceQuerySet",
    "ProviderPrice",
    "ReportedItem",
    "SpanCostChange",
]
