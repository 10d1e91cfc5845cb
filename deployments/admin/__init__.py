"""The console's pages of customers: deployments with what is done to them, subscriptions, templates."""

from deployments.admin import deployments, search, subscriptions, templates

__all__ = ["deployments", "search", "subscriptions", "templates"]
