"""The console's billing pages: invoices and their lines, the rest of the history, the balance."""

from billing.admin import balances, entries, invoices, lines

__all__ = ["balances", "entries", "invoices", "lines"]
