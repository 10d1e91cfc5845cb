"""The console's billing pages: invoices and their lines, the rest of the history, the balance, list prices,
daily costs, anomalies, simulations, the audit, exchange rates, the margin, tenants."""

from billing.admin import (
    anomalies,
    audit,
    balances,
    break_even,
    deployment_panel,
    entries,
    invoices,
    lines,
    margin,
    prices,
    rates,
    search,
    simulations,
    tenants,
    version_panel,
)

__all__ = [
    "anomalies",
    "audit",
    "balances",
    "break_even",
    "deployment_panel",
    "entries",
    "invoices",
    "lines",
    "margin",
    "prices",
    "rates",
    "search",
    "simulations",
    "tenants",
    "version_panel",
]
