"""The provider's charges: balance, invoices, cost lines, the push to finance."""
