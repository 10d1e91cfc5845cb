"""The console's pages of customers: deployments with what is done to them, and subscriptions."""

from deployments.admin import deployments, subscriptions

__all__ = ["deployments", "subscriptions"]
