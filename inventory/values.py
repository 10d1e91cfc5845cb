"""The values that inventory passes around: kinds, rules, runs and their outcomes, observations."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.db.models import TextChoices

# The console's owner filter, which links from other pages name.
OWNER_PARAMETER: Final = "owner"
UNATTRIBUTED: Final = "unattributed"
OURS: Final = "ours"

PROVIDER = "digitalocean"
PROVIDER_CURRENCY = "USD"  # DigitalOcean's price lists and invoices know no other
OPERATORS_PROJECT = "skyai-internal"
STRIKES_TO_DELETE = 3
TRIGRAM: Final = 3  # letters: a shorter part of a name has none, so that no index finds it
# A sync older than this needs an operator.
STALE_AFTER = timedelta(hours=2)
STALE_SLOW_AFTER = timedelta(hours=26)
PROJECT_RUNS = "project"  # the name under which the projects' own runs are kept


class Kind(TextChoices):
    """Resource kinds, by the names that reports and other services know, and their labels."""

    DROPLET = "droplet", "Droplet"
    DROPLET_BACKUP = "droplet_backup", "Droplet backup"
    VOLUME = "volume", "Volume"
    SNAPSHOT = "snapshot", "Snapshot"
    IMAGE = "image", "Custom image"
    SPACES_BUCKET = "spaces_bucket", "Spaces bucket"
    DNS_ZONE = "dns_zone", "DNS zone"
    RESERVED_IP = "reserved_ip", "Reserved IP"
    LOAD_BALANCER = "load_balancer", "Load balancer"
    DATABASE = "database", "Database"
    KUBERNETES_CLUSTER = "kubernetes_cluster", "Kubernetes cluster"
    FIREWALL = "firewall", "Firewall"
    VPC = "vpc", "VPC"
    CERTIFICATE = "certificate", "Certificate"
    CDN_ENDPOINT = "cdn_endpoint", "CDN endpoint"
    APP = "app", "App"
    REGISTRY = "registry", "Container registry"


def kind_label(kind: str) -> str:
    """Return a kind's label: `dns_zone` is a DNS zone. The projects' own runs are of none of these."""
    return str(Kind(kind).label) if kind in Kind.values else kind.capitalize()


class EventType(TextChoices):
    """The types of events in a resource's history."""

    DISCOVERED = "discovered"
    UPDATED = "updated"
    TAGGED = "tagged"
    DELETED = "deleted"
    RESTORED = "restored"
    DRIFT_DETECTED = "drift_detected"


class AttributionRule(TextChoices):
    """The rules that decide a resource's owner, strongest first; empty where none did."""

    OPERATOR = "operator"
    OURS = "ours"  # an operator's word, too: it has no tenant, and needs none
    SAGA = "saga"
    TAGS = "tags"
    PARENT = "parent"
    PROJECT = "project"
    NONE = "", "none"


# An operator's word, which an operator clears.
OPERATORS_RULES: Final = (AttributionRule.OPERATOR, AttributionRule.OURS)


class RunMode(TextChoices):
    """The schedules. Only a run of the fast one never strikes and reads no projects."""

    FAST = "fast"
    FULL = "full"
    SLOW = "slow"


class RunOutcome(TextChoices):
    """The outcomes of a sync run; empty while it runs. Where one was interrupted, a later one goes on."""

    COMPLETE = "complete"
    FAILED = "failed"
    SUSPICIOUS = "suspicious"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"
    RUNNING = "", "running"


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One resource as the provider showed it.

    `tags` are sorted. `attrs` holds the allow-listed fields that only this kind has. `active` and
    `size_gb` are what metering counts, `sku` is what the provider sells it as, where that has a price of its
    own: it follows from `attrs` or `status`. `created_at` is the provider's. `project_id` is the row in
    cloud_projects. `deployment_id` and `tenant_id` are set only by the saga that made the resource.
    `parent_kind` and `parent_id` name what it belongs to (a snapshot's droplet). `can_attribute`: everything
    that the attribution rules need was read, so that the row's owner may be decided anew. `observe()` fills
    in `tag_*`, from the tags, and `digest`.
    """

    provider_id: str
    name: str
    urn: str = ""
    region: str = ""
    status: str = ""
    tags: list[str] = []
    attrs: dict[str, Any] = {}
    monthly_price_cents: int | None = None
    created_at: datetime | None = None
    active: bool = True
    size_gb: Decimal | None = None
    sku: str | None = None
    project_id: int | None = None
    deployment_id: int | None = None
    tenant_id: str | None = None
    parent_kind: str = ""
    parent_id: str = ""
    can_attribute: bool = False
    tag_tenant: str | None = None
    tag_slug: str | None = None
    tag_conflict: str | None = None
    digest: str | None = None
