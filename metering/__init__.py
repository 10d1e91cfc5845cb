"""Usage per deployment, resource and period."""
