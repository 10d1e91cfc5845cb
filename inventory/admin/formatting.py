"""Inventory's values as an operator reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from django.db.models import QuerySet
from django.urls import reverse

from arcadia_cloud.kernel.console import formatting
from arcadia_cloud.kernel.console.formatting import NOTHING, yes_or_no
from arcadia_cloud.kernel.subject_links import url_of
from inventory.models import Resource, ResourceEvent, SyncRun
from inventory.values import EventType, Kind, RunOutcome

CENTS_PER_DOLLAR: Final = 100

EVENT_COLOURS: Final[Mapping[str, str]] = {
    EventType.DISCOVERED: "success",
    EventType.RESTORED: "success",
    EventType.UPDATED: "info",
    EventType.TAGGED: "info",
    EventType.DELETED: "danger",
    EventType.DRIFT_DETECTED: "warning",
}

# Where the provider's own console shows one resource of a kind; `{id}` is its id there.
_PAGES: Final[Mapping[str, str]] = {
    Kind.DROPLET: "droplets/{id}",
    Kind.DROPLET_BACKUP: "images/backups/droplets",
    Kind.VOLUME: "volumes",
    Kind.SNAPSHOT: "images/snapshots/droplets",
    Kind.IMAGE: "images/custom_images",
    Kind.SPACES_BUCKET: "spaces/{id}",
    Kind.DNS_ZONE: "networking/domains/{id}",
    Kind.RESERVED_IP: "networking/reserved_ips",
    Kind.LOAD_BALANCER: "networking/load_balancers/{id}",
    Kind.DATABASE: "databases/{id}",
    Kind.KUBERNETES_CLUSTER: "kubernetes/clusters/{id}",
    Kind.FIREWALL: "networking/firewalls/{id}",
    Kind.VPC: "networking/vpc/{id}",
    Kind.CERTIFICATE: "account/security",
    Kind.CDN_ENDPOINT: "spaces",
    Kind.APP: "apps/{id}",
    Kind.REGISTRY: "registry",
}
# What a reader looks for first; the database keeps a JSON object's keys in an order of its own.
_FIRST: Final = ("type", "protocol", "ports", "name", "slug", "data", "entry", "target", "start", "end", "id")
_PLACES: Final = {name: place for place, name in enumerate(_FIRST)}
_VOLUME_SNAPSHOTS: Final = "images/snapshots/volumes"


@dataclass(frozen=True, slots=True)
class Change:
    """One changed field of an event, formatted."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An event with its changes formatted. `source_page` is its source's page; "" where there is none."""

    event: ResourceEvent
    changes: list[Change]
    colour: str
    source_page: str


def provider_page(resource: Resource) -> str:
    """Return the address of the resource, or of its kind's list, at the provider's console; "" for none."""
    page = _PAGES.get(resource.kind)
    if resource.kind == Kind.SNAPSHOT and resource.parent_kind == Kind.VOLUME:
        page = _VOLUME_SNAPSHOTS
    if page is None:
        return ""
    return f"https://cloud.digitalocean.com/{page.format(id=quote(resource.provider_id, safe=''))}"


def dollars(cents: int | None) -> str:
    """Format a monthly price in US dollars; a dash where the provider's API has none."""
    return NOTHING if cents is None else f"${cents / CENTS_PER_DOLLAR:,.2f}"


def label_of(name: str) -> str:
    """Return a field's label: `ipv4_public` is "ipv4 public", `vpc_uuid` "vpc", `droplet_ids` "droplets"."""
    if name.endswith("_ids"):
        name = f"{name.removesuffix('_ids')}s"
    return name.removesuffix("_id").removesuffix("_uuid").replace("_", " ")


def readable(value: Any) -> str:  # a JSON value
    """Format a JSON value on one line."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return yes_or_no(value)
    if isinstance(value, Mapping):
        pairs = sorted(value.items(), key=lambda pair: _PLACES.get(pair[0], len(_PLACES)))
        return ", ".join(f"{label_of(str(key))} {readable(each)}" for key, each in pairs)
    if isinstance(value, list):
        separator = "; " if any(isinstance(item, Mapping) for item in value) else ", "
        return separator.join(readable(item) for item in value)
    return str(value)


def history_entry(event: ResourceEvent) -> HistoryEntry:
    """Format an event for the timeline."""
    changes = [
        Change("monthly price", *map(dollars, pair))
        if field == "monthly_price_cents"
        else Change(label_of(field), *map(readable, pair))
        for field, pair in sorted(event.changes.items())
    ]
    return HistoryEntry(event, changes, EVENT_COLOURS[event.event_type], url_of(event.source))


def timeline(events: QuerySet[ResourceEvent], *, newest: int, rest: str) -> dict[str, Any]:
    """Return the context of `inventory/event_timeline.html`, in their order; `rest` lists all. One query."""
    found = list(events[: newest + 1])
    return {
        "history": [history_entry(event) for event in found[:newest]],
        "has_older_history": len(found) > newest,
        "all_history": f"{reverse('admin:inventory_resourceevent_changelist')}?{rest}",
    }


def duration(run: SyncRun) -> str:
    """Format the duration of a run; a dash while it runs."""
    if run.finished_at is None or run.outcome == RunOutcome.RUNNING:
        return NOTHING
    return formatting.duration(run.finished_at - run.started_at)
