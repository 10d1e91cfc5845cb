"""The console's inventory pages: resources and what happened to them, projects, sync runs."""

from inventory.admin import events, projects, resources, runs

__all__ = ["events", "projects", "resources", "runs"]
