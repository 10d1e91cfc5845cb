"""Every kind that is synced."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from arcadia_cloud.kernel.errors import InvalidInput
from inventory.kinds.app import APP
from inventory.kinds.cdn_endpoint import CDN_ENDPOINT
from inventory.kinds.certificate import CERTIFICATE
from inventory.kinds.container_registry import REGISTRY
from inventory.kinds.database import DATABASE
from inventory.kinds.dns_zone import DNS_ZONE
from inventory.kinds.droplet import DROPLET
from inventory.kinds.firewall import FIREWALL
from inventory.kinds.image import DROPLET_BACKUP, IMAGE
from inventory.kinds.kubernetes_cluster import KUBERNETES_CLUSTER
from inventory.kinds.load_balancer import LOAD_BALANCER
from inventory.kinds.reserved_ip import RESERVED_IP
from inventory.kinds.snapshot import SNAPSHOT
from inventory.kinds.spaces_bucket import SPACES_BUCKET
from inventory.kinds.spec import KindSpec
from inventory.kinds.volume import VOLUME
from inventory.kinds.vpc import VPC
from inventory.values import STALE_AFTER, STALE_SLOW_AFTER, RunMode

# In the order of a run: what others belong to comes before them.
SPECS: Sequence[KindSpec] = (
    KUBERNETES_CLUSTER,
    DROPLET,
    DATABASE,
    VOLUME,
    SNAPSHOT,
    IMAGE,
    DROPLET_BACKUP,
    SPACES_BUCKET,
    DNS_ZONE,
    RESERVED_IP,
    LOAD_BALANCER,
    FIREWALL,
    VPC,
    CERTIFICATE,
    CDN_ENDPOINT,
    APP,
    REGISTRY,
)
_BY_NAME = {str(entry.kind): entry for entry in SPECS}


def specs_of_mode(mode: RunMode) -> list[KindSpec]:
    """Return the kinds of one schedule."""
    return [entry for entry in SPECS if mode in entry.modes]


def stale_after(kind: str) -> timedelta:
    """Return the age at which a complete reading of the kind is too old."""
    # A day and two hours for what is read once a day: a run that starts late isn't stale yet.
    is_slow = kind in _BY_NAME and _BY_NAME[kind].modes == {RunMode.SLOW}
    return STALE_SLOW_AFTER if is_slow else STALE_AFTER


def specs_named(kinds: Iterable[str]) -> list[KindSpec]:
    """Return the kinds of these names, each once. Raises InvalidInput naming those that are not synced."""
    wanted = dict.fromkeys(kinds)
    unknown = [kind for kind in wanted if kind not in _BY_NAME]
    if unknown:
        known = ", ".join(sorted(_BY_NAME))
        raise InvalidInput(f"not a kind that is synced: {', '.join(unknown)} (there are: {known})")
    return [_BY_NAME[kind] for kind in wanted]
