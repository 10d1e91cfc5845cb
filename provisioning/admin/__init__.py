"""The console's provisioning pages: sagas and the pause, protected resources, desired states."""

from provisioning.admin import desired, panel, protection, sagas

__all__ = ["desired", "panel", "protection", "sagas"]
