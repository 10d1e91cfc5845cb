"""Checks between the simulator's fleet and our tables."""

from collections import Counter
from typing import Any

from inventory.models import Resource, ResourceEvent, ResourceSpan
from tests.simulated import Simulated


def event_counts() -> dict[str, int]:
    """Count the events of each type."""
    return dict(Counter(ResourceEvent.objects.values_list("event_type", flat=True)))


def droplets_of(simulator: Simulated) -> int:
    """Count the droplets that live at the provider."""
    count: int = simulator.control("GET", "state")["accounts"][0]["droplets"]
    return count


def assert_nothing_lost_or_doubled(simulator: Simulated) -> None:
    """Every droplet there has one live row, one `discovered` and one open span; nothing died."""
    living = droplets_of(simulator)
    assert Resource.objects.live().count() == Resource.objects.count() == living
    assert event_counts().get("discovered") == living
    assert "deleted" not in event_counts()
    assert ResourceSpan.objects.filter(during__endswith=None).count() == living


def made(simulator: Simulated, **droplet: Any) -> int:
    """Make a droplet behind our back; return its id."""
    found: int = simulator.control("POST", "droplets", **droplet)["droplets"][0]["id"]
    return found
