"""The console's pages of drift: the inbox, the ignore rules, and what has no desired state."""

from drift.admin import inbox, rules

__all__ = ["inbox", "rules"]
