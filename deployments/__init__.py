"""Deployments, the billable unit: one app instance of one tenant."""
