"""The console's billing pages: invoices and their lines, the rest of the history, the balance, list
prices and daily costs."""

from billing.admin import balances, entries, invoices, lines, prices

__all__ = ["balances", "entries", "invoices", "lines", "prices"]
