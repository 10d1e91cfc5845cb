"""The console's billing pages: invoices and their lines, the rest of the history, the balance, list
prices, daily costs, cost anomalies."""

from billing.admin import anomalies, balances, entries, invoices, lines, prices

__all__ = ["anomalies", "balances", "entries", "invoices", "lines", "prices"]
