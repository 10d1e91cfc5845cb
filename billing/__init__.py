"""What the provider charges: balance, invoices, cost lines, the push to finance."""
