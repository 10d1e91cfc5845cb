"""The console's billing pages: invoices and their lines, the rest of the history, the balance, list
prices, daily costs, cost anomalies, price simulations and the money audit."""

from billing.admin import (
    anomalies,
    audit,
    balances,
    entries,
    invoices,
    lines,
    prices,
    simulations,
    version_panel,
)

__all__ = [
    "anomalies",
    "audit",
    "balances",
    "entries",
    "invoices",
    "lines",
    "prices",
    "simulations",
    "version_panel",
]
