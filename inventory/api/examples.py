"""Answers of the API, as the schema and its page show them."""

from typing import Final

from arcadia_cloud.kernel.api.examples import NOT_FOUND, UNKNOWN_PARAMETER, answer, answers_by_role
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
_CSV: Final = """\
id,kind,provider_id,name,region,status,tenant_id,deployment,deployment_id,project,project_id,tags,attrs,\
provider_created_at,first_seen_at,last_seen_at,deleted_at
14,volume,7d9f1c52,shop-data,syd1,available,acme,shop,5,acme,3,tenant:acme,"{""size_gb"": 50}",\
2025-03-28T21:36:12Z,2026-11-22T21:20:09.651930Z,2026-11-22T21:20:09.651930Z,
"""
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
    "total": {"count": 5, "monthly_cost_cents": 261792, "unpriced": 0},
    "currency": PROVIDER_CURRENCY,
    "by_kind": [{"kind": "droplet", "count": 5, "monthly_cost_cents": 261792, "unpriced": 0}],
    "by_region": [
        {"region": "nyc3", "count": 4, "monthly_cost_cents": 9600, "unpriced": 0},
        {"region": "tor1", "count": 1, "monthly_cost_cents": 252192, "unpriced": 0},
    ],
    "by_status": [{"status": "active", "count": 5, "monthly_cost_cents": 261792, "unpriced": 0}],
    "by_tenant": [
        {"tenant_id": "acme", "count": 4, "monthly_cost_cents": 259392, "unpriced": 0},
        {"tenant_id": None, "count": 1, "monthly_cost_cents": 2400, "unpriced": 0},
    ],
}


# Of a list, one row each: the schema lays the page around it.
LIST: Final = [*answers_by_role(_DROPLET, _DROPLET_OF_OPERATORS), UNKNOWN_PARAMETER]
DETAIL: Final = [*answers_by_role(_DROPLET, _DROPLET_OF_OPERATORS), UNKNOWN_PARAMETER, NOT_FOUND]
EVENTS: Final = [*answers_by_role(_EVENT, _EVENT_OF_OPERATORS), UNKNOWN_PARAMETER, NOT_FOUND]
EXPORT: Final = [
    answer(_DROPLET, name="JSON", status=200),
    answer(_CSV, name="CSV", status=200, media_type="text/csv"),
    UNKNOWN_PARAMETER,
]
SUMMARY: Final = [*answers_by_role(_SUMMARY, _SUMMARY_OF_OPERATORS), UNKNOWN_PARAMETER]
