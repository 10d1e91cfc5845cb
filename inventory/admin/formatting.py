"""How inventory's values look to an operator."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from django.db.models import QuerySet
from django.urls import reverse

from arcadia_cloud.kernel.console import formatting
from arcadia_cloud.kernel.console.formatting import NOTHING, yes_or_no
from arcadia_cloud.kernel.subject_links import url_of
from inventory.models import Resource, ResourceEvent, SyncRun
from inventory.queries import rows_of
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
    """One field of an event, in words."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An event with its changes in words. `source_page` shows what it came from; "" where none does."""

    event: ResourceEvent
    changes: list[Change]
    colour: str
    source_page: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running run is; `percent` is None while the provider hasn't told how many there are."""

    run: SyncRun
    percent: int | None
    words: str


def provider_page(resource: Resource) -> str:
    """The address of the resource, or of its kind's list, in the provider's own console; "" where none is."""
    page = _PAGES.get(resource.kind)
    if resource.kind == Kind.SNAPSHOT and resource.parent_kind == Kind.VOLUME:
        page = _VOLUME_SNAPSHOTS
    if page is None:
        return ""
    return f"https://cloud.digitalocean.com/{page.format(id=quote(resource.provider_id, safe=''))}"


def dollars(cents: int | None) -> str:
    """A monthly price in US dollars; a dash where the provider's API tells none."""
    return NOTHING if cents is None else f"${cents / CENTS_PER_DOLLAR:,.2f}"


def in_words(name: str) -> str:
    """A field's name as words: `ipv4_public` is `ipv4 public`."""
    return name.removesuffix("_id").replace("_", " ")


def readable(value: Any) -> str:  # a JSON value
    """A JSON value on one line."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return yes_or_no(value)
    if isinstance(value, Mapping):
        held = sorted(value.items(), key=lambda pair: _PLACES.get(pair[0], len(_PLACES)))
        return ", ".join(f"{in_words(str(key))} {readable(each)}" for key, each in held)
    if isinstance(value, list):
        separator = "; " if any(isinstance(item, Mapping) for item in value) else ", "
        return separator.join(readable(item) for item in value)
    return str(value)


def attributes(attrs: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """What only a resource's kind has, as words and lines of values, the empty ones left out."""
    for name, value in attrs.items():
        if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            yield in_words(name), [readable(item) for item in value]
        elif readable(value) != NOTHING:
            yield in_words(name), [readable(value)]


def history_entry(event: ResourceEvent) -> HistoryEntry:
    """An event for the timeline."""
    changes = [_change(field, *pair) for field, pair in sorted(event.changes.items())]
    return HistoryEntry(event, changes, EVENT_COLOURS[event.event_type], url_of(event.source))


def timeline(events: QuerySet[ResourceEvent], *, newest: int, rest: str) -> dict[str, Any]:
    """Return the context of `inventory/event_timeline.html`, newest first; `rest` lists all. One query."""
    ordered = events.order_by("-pk")
    found = list(rows_of(ordered[: newest + 1], ordered))
    return {
        "history": [history_entry(event) for event in found[:newest]],
        "has_older_history": len(found) > newest,
        "all_history": f"{reverse('admin:inventory_resourceevent_changelist')}?{rest}",
    }


def progress(run: SyncRun) -> Progress:
    """How far a run is."""
    if not run.expected:
        return Progress(run, None, f"{run.seen:,} seen")
    percent = min(100, run.seen * 100 // run.expected)
    return Progress(run, percent, f"{run.seen:,} of {run.expected:,}")


def duration(run: SyncRun) -> str:
    """How long a run took; a dash while it runs."""
    if run.finished_at is None or run.outcome == RunOutcome.RUNNING:
        return NOTHING
    return formatting.duration(run.finished_at - run.started_at)


def _change(field: str, old: Any, new: Any) -> Change:  # JSON values
    if field == "monthly_price_cents":
        return Change("monthly price", dollars(old), dollars(new))
    return Change(in_words(field), readable(old), readable(new))
