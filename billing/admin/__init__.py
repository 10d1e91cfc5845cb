"""The console's billing pages: invoices and their lines, the rest of the history, the balance, list
prices, daily costs, price simulations and the money audit."""

from billing.admin import audit, balances, entries, invoices, lines, prices, simulations, version_panel

__all__ = ["audit", "balances", "entries", "invoices", "lines", "prices", "simulations", "version_panel"]
