"""Answers of the API, as the schema and its page show them."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

from arcadia_cloud.kernel.api.problems import MEDIA_TYPE, TYPE_PREFIX
from inventory.values import PROVIDER, PROVIDER_CURRENCY

_SEEN_AT: Final = "2026-11-22T21:20:09.651930Z"
_DROPLET: Final = {
    "id": 13,
    "kind": "droplet",
    "provider_id": "480012156",
    "name": "assist-gpu-01",
    "region": "tor1",
    "status": "active",
    "tenant_id": "acme",
    "deployment": "assist",
    "deployment_id": 4,
    "project": "acme",
    "project_id": 3,
    "tags": ["deployment:assist", "tenant:acme"],
    "attrs": {"size_slug": "gpu-h100x1-80gb", "vcpus": 20, "memory_mb": 245760, "disk_gb": 720},
    "provider_created_at": "2025-03-28T21:36:12Z",
    "first_seen_at": _SEEN_AT,
    "last_seen_at": _SEEN_AT,
    "deleted_at": None,
}
_DROPLET_OF_OPERATORS: Final = {
    **_DROPLET,
    "provider": PROVIDER,
    "urn": "do:droplet:480012156",
    "attributed_by": "project",
    "attribution_note": "",
    "monthly_price_cents": 252192,
    "stale_strike_count": 0,
    "currency": PROVIDER_CURRENCY,
}
_EVENT: Final = {
    "id": 31,
    "event_type": "updated",
    "changes": {"status": ["active", "off"]},
    "at": "2026-11-22T21:25:01.118000Z",
}
_EVENT_OF_OPERATORS: Final = {
    **_EVENT,
    "changes": {"status": ["active", "off"], "monthly_price_cents": [240000, 252192]},
    "actor": "schedule",
    "source": "run:9",
}
_SUMMARY: Final = {
    "total": {"count": 5},
    "by_kind": [{"kind": "droplet", "count": 5}],
    "by_region": [{"region": "nyc3", "count": 4}, {"region": "tor1", "count": 1}],
    "by_status": [{"status": "active", "count": 5}],
}
_SUMMARY_OF_OPERATORS: Final = {
    "total": {"count": 5, "monthly_cost_cents": 261792},
    "currency": PROVIDER_CURRENCY,
    "by_kind": [{"kind": "droplet", "count": 5, "monthly_cost_cents": 261792}],
    "by_region": [
        {"region": "nyc3", "count": 4, "monthly_cost_cents": 9600},
        {"region": "tor1", "count": 1, "monthly_cost_cents": 252192},
    ],
    "by_status": [{"status": "active", "count": 5, "monthly_cost_cents": 261792}],
    "by_tenant": [
        {"tenant_id": "acme", "count": 4, "monthly_cost_cents": 259392},
        {"tenant_id": None, "count": 1, "monthly_cost_cents": 2400},
    ],
}


def _answers(for_tenants: Any, for_operators: Any) -> list[OpenApiExample]:
    return [
        OpenApiExample("Tenant", summary="As a tenant sees it", value=for_tenants, response_only=True),
        OpenApiExample("Operator", summary="As an operator sees it", value=for_operators, response_only=True),
    ]


def _refusal(name: str, status: int, **problem: Any) -> OpenApiExample:
    code = problem.pop("code")
    value = {
        "type": TYPE_PREFIX + code,
        "status": status,
        "errors": {},
        "request_id": "fb65d84c-f18e-4d54-a861-94c1ebe67839",
        **problem,
    }
    return OpenApiExample(
        name, value=value, response_only=True, status_codes=[str(status)], media_type=MEDIA_TYPE
    )


_UNKNOWN_PARAMETER: Final = _refusal(
    "Unknown parameter",
    400,
    code="invalid",
    title="Bad Request",
    detail="The request is not valid.",
    errors={"colour": ["There is no such query parameter."]},
)
_NOT_FOUND: Final = _refusal("Not found", 404, code="not_found", title="Not Found", detail="Not found.")

# Of a list, one row each: the schema lays the page around it.
LIST: Final = [*_answers(_DROPLET, _DROPLET_OF_OPERATORS), _UNKNOWN_PARAMETER]
DETAIL: Final = [*_answers(_DROPLET, _DROPLET_OF_OPERATORS), _UNKNOWN_PARAMETER, _NOT_FOUND]
EVENTS: Final = [*_answers(_EVENT, _EVENT_OF_OPERATORS), _UNKNOWN_PARAMETER, _NOT_FOUND]
SUMMARY: Final = [*_answers(_SUMMARY, _SUMMARY_OF_OPERATORS), _UNKNOWN_PARAMETER]
