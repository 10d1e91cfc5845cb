"""Cards that apps above add to the page of a plan version: a registry that their admin modules fill."""

from collections.abc import Callable
from typing import TypeAlias

from django.http import HttpRequest
from django.utils.safestring import SafeString

from catalog.models import PlanVersion

Panel: TypeAlias = Callable[[HttpRequest, PlanVersion], SafeString]
_panels: list[Panel] = []


def panel(draw: Panel) -> Panel:
    """Register `draw`, which adds a card to every version's page. It asks a fixed number of queries."""
    _panels.append(draw)
    return draw


def panels_of(request: HttpRequest, version: PlanVersion) -> list[SafeString]:
    """Return the cards, in the order of registration; one that has nothing for this user is empty."""
    return [draw(request, version) for draw in _panels]
