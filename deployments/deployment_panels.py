"""Cards that apps above add to the page of a deployment: a registry that their admin modules fill."""

from collections.abc import Callable
from typing import TypeAlias

from django.http import HttpRequest
from django.utils.safestring import SafeString

from deployments.models import Deployment

Panel: TypeAlias = Callable[[HttpRequest, Deployment], SafeString]
_panels: list[Panel] = []


def panel(draw: Panel) -> Panel:
    """Register `draw`, which adds a card to every deployment's page. It asks a fixed number of queries."""
    _panels.append(draw)
    return draw


def panels_of(request: HttpRequest, deployment: Deployment) -> list[SafeString]:
    """Return the cards, in the order of registration; one that has nothing for this user is empty."""
    return [draw(request, deployment) for draw in _panels]
