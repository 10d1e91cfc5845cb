"""The console's inventory pages: resources and what happened to them, projects, sync runs."""

from inventory.admin import deployment_panel, events, projects, resources, runs, search

__all__ = ["deployment_panel", "events", "projects", "resources", "runs", "search"]
