"""Rows that a new database is given: the console's groups, and the demo's tenants."""
