"""Spans of resources that lived, for tests of costs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from inventory.models import Resource, ResourceSpan

Stretch = tuple[datetime, datetime | None, dict[str, Any]]


def give_spans(resource: Resource, stretches: Iterable[Stretch]) -> None:
    """Store a span for each stretch (from, until, fields); without an owner it is unattributed."""
    ResourceSpan.objects.bulk_create(
        ResourceSpan(resource=resource, during=(since, until), **{"active": True, **fields})
        for since, until, fields in stretches
    )
