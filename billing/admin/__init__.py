"""The console's billing pages: invoices and their lines, the rest of the history, the balance, list
prices, daily costs, exchange rates, the margin, tenants."""

from billing.admin import (
    balances,
    break_even,
    deployment_panel,
    entries,
    invoices,
    lines,
    margin,
    prices,
    rates,
    tenants,
)

__all__ = [
    "balances",
    "break_even",
    "deployment_panel",
    "entries",
    "invoices",
    "lines",
    "margin",
    "prices",
    "rates",
    "tenants",
]
