"""The console's catalog editor: plans, their versions, add-ons, dated prices and taxes."""

from catalog.admin import addons, plans, prices, search, versions

__all__ = ["addons", "plans", "prices", "search", "versions"]
