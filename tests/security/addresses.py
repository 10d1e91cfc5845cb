"""Every address under /api, read from the URL map, so that a new endpoint is tested by existing."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

METHODS = ("get", "head", "options", "post", "put", "patch", "delete", "trace")
PUBLIC = frozenset({"api/health", "api/health/ready", "api/schema", "api/docs"})

# What is sold is no tenant's data: any token may read it but one that only meters.
OPEN_TO_NO_TENANT = frozenset(
    f"api/v1/catalog/{name}" for name in ("plans", "plans/<slug:code>", "addons", "estimate")
)

# A month must be named; `things.closed_month_of` makes this one billed.
_REQUIRED_QUERIES = {
    "api/v1/costs/accuracy": "?period=2026-04",
    "api/v1/costs/undercharges": "?period=2026-04",
}


@dataclass(frozen=True)
class Endpoint:
    """One route of the map. `view` is its class."""

    route: str
    view: type[APIView]

    @property
    def is_public(self) -> bool:
        return self.route in PUBLIC

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of what stands in the path."""
        return tuple(re.findall(r"<(?:\w+:)?(\w+)>", self.route))

    def path(self, values: Mapping[str, Any]) -> str:
        """The address of one thing."""
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), self.route)
        return f"/{path}{_REQUIRED_QUERIES.get(self.route, '')}"

    def __str__(self) -> str:
        return self.route


def endpoints() -> list[Endpoint]:
    """Every endpoint of the real map whose route begins with api/."""
    return [found for found in _walk(get_resolver().url_patterns, "") if found.route.startswith("api/")]


def _walk(patterns: list[Any], prefix: str) -> Iterator[Endpoint]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
            assert view is not None or not route.startswith("api/"), (
                f"{route} is no class: its rules are unknown"
            )
            if view is not None:
                yield Endpoint(route, view)


ENDPOINTS = endpoints()
PROTECTED = [endpoint for endpoint in ENDPOINTS if not endpoint.is_public]
