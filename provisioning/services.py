"""What the edges of provisioning call."""

from provisioning.starting import start_saga

__all__ = ["start_saga"]
