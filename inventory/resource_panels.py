"""Cards that apps above inventory add to the page of a resource: a registry that their admin modules fill."""

from collections.abc import Callable
from typing import TypeAlias

from django.http import HttpRequest
from django.utils.safestring import SafeString

from inventory.models import Resource

Panel: TypeAlias = Callable[[HttpRequest, Resource], SafeString]
_panels: list[Panel] = []


def panel(draw: Panel) -> Panel:
    """Register `draw`, which adds a card to every resource's page. It asks a fixed number of queries."""
    _panels.append(draw)
    return draw


def panels_of(request: HttpRequest, resource: Resource) -> list[SafeString]:
    """Return the cards, in the order of registration; one that has nothing for this user is empty."""
    return [draw(request, resource) for draw in _panels]
