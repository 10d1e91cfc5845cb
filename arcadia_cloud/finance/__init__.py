"""The push of invoices to the finance service."""
