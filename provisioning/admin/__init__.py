"""The console's provisioning pages: sagas and the pause, protected resources, desired states."""

from provisioning.admin import desired, protection, resource_panel, sagas, search

__all__ = ["desired", "protection", "resource_panel", "sagas", "search"]
