"""The console's billing pages: invoices and their lines, the rest of the history, the balance, list
prices, daily costs and price simulations."""

from billing.admin import balances, entries, invoices, lines, prices, simulations, version_panel

__all__ = ["balances", "entries", "invoices", "lines", "prices", "simulations", "version_panel"]
