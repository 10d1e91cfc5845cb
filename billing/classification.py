"""The classification of a billed line: the kind of resource, its name, and whether it is a tax.

Products were seen in invoices and in DigitalOcean's documentation; the list isn't closed, and a product that
isn't in it is `other`, never an error.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from billing.values import OTHER, TAX
from inventory.values import Kind

_TAXES: Final = "taxes"
_TAX_WORD: Final = re.compile(r"\b(?:gst|vat|tax)(?:e?s)?\b", re.IGNORECASE)
_KINDS: Final[Mapping[str, Kind]] = {
    "droplets": Kind.DROPLET,
    "gpu droplets": Kind.DROPLET,
    "backups": Kind.DROPLET_BACKUP,
    "droplet backups": Kind.DROPLET_BACKUP,
    "volumes": Kind.VOLUME,
    "block storage": Kind.VOLUME,
    "snapshots": Kind.SNAPSHOT,
    "droplet snapshots": Kind.SNAPSHOT,
    "volume snapshots": Kind.SNAPSHOT,
    "images": Kind.IMAGE,
    "custom images": Kind.IMAGE,
    "spaces": Kind.SPACES_BUCKET,
    "spaces subscription": Kind.SPACES_BUCKET,
    "floating ips": Kind.RESERVED_IP,
    "reserved ips": Kind.RESERVED_IP,
    "load balancers": Kind.LOAD_BALANCER,
    "database clusters": Kind.DATABASE,
    "managed databases": Kind.DATABASE,
    "databases": Kind.DATABASE,
    "kubernetes clusters": Kind.KUBERNETES_CLUSTER,
    "kubernetes": Kind.KUBERNETES_CLUSTER,
    "app platform": Kind.APP,
    "apps": Kind.APP,
    "container registry": Kind.REGISTRY,
    "cdn": Kind.CDN_ENDPOINT,
    "kubernetes nodes": Kind.KUBERNETES_CLUSTER,
    "kubernetes worker nodes": Kind.KUBERNETES_CLUSTER,
    "spaces bandwidth": Kind.SPACES_BUCKET,
}
# `Premium Droplets`, `GPU Droplets`, `Daily Droplet Backups`: products come and go, their last words stay.
_KINDS_BY_LAST_WORDS: Final = (
    ("droplets", Kind.DROPLET),
    ("droplet backups", Kind.DROPLET_BACKUP),
    ("snapshots", Kind.SNAPSHOT),
    ("load balancers", Kind.LOAD_BALANCER),
)
# What names a droplet by its description: `web-01 (Weekly Backup Services)`, bandwidth `web-01 (12 GiB)`.
_BACKUP_SERVICE: Final = re.compile(r"\([^()]*\bbackup services?\)\s*$", re.IGNORECASE)
_BANDWIDTH: Final = frozenset({"bandwidth", "droplet bandwidth", "droplet transfer"})
_VOLUME: Final = re.compile(r" \([a-z]{3}\d\) \d+ ?Gi?B$")  # `data (fra1) 100GB`
_UNUSED_ADDRESS: Final = ("Unused Floating IP - ", "Unused Reserved IP - ")
_DROPLET_SKU: Final = "1-DO-DROP-"
_KUBERNETES_SKU: Final = "1-KS-"
_NAMED_BY_THEIR_GROUP: Final = frozenset({Kind.KUBERNETES_CLUSTER, Kind.DATABASE})


def kind_of_point(sku: str, group_description: str, description: str) -> str:
    """Return the kind of what a day's cost is of, by its sku and its texts: a kind of resource, or `other`.

    Points name no product. Of skus two families are known, from the examples of the API reference.
    """
    if _BACKUP_SERVICE.search(description):
        return str(Kind.DROPLET_BACKUP)
    if sku.startswith(_DROPLET_SKU):
        return str(Kind.DROPLET)
    if sku.startswith(_KUBERNETES_SKU):
        return str(Kind.KUBERNETES_CLUSTER)
    if _VOLUME.search(description):
        return str(Kind.VOLUME)
    if description.startswith(_UNUSED_ADDRESS):
        return str(Kind.RESERVED_IP)
    # A group may be a product, `HTTP Load Balancers`, and a description may begin with one.
    texts = (group_description, description.partition("(")[0])
    found = (_kind_of_product(text, "") for text in texts if text.strip())
    return str(next((kind for kind in found if kind is not None), OTHER))


def is_tax(product: str, category: str, description: str) -> bool:
    """Return whether a line is a tax: by its product, or by a word of its description.

    The word doesn't count where the product is a resource: a droplet may be called `tax-api`.
    """
    if _normalize(product) == _TAXES:
        return True
    return _known_kind(product, category, description) is None and _TAX_WORD.search(description) is not None


def kind_of(product: str, category: str, description: str) -> str:
    """Return a kind of resource, `tax`, or `other`."""
    # A product called `taxes` in a category of resources is still a tax.
    kind = None if _normalize(product) == _TAXES else _known_kind(product, category, description)
    if kind is not None:
        return str(kind)
    return TAX if is_tax(product, category, description) else OTHER


def name_of(kind: str, group_description: str, description: str) -> str:
    """Return the resource's name: the text before the last parenthesis of `name (size)`.

    A cluster's is the group's description, a reserved IP's is the address: `Unused Floating IP - 192.0.2.1`.
    """
    if kind in _NAMED_BY_THEIR_GROUP and group_description.strip():
        return group_description.strip()
    if kind == Kind.RESERVED_IP:
        description = description.rpartition(" - ")[2]
    name, _, _ = description.rpartition("(")
    return name.strip() or description.strip()


def _known_kind(product: str, category: str, description: str) -> Kind | None:
    kind = _kind_of_product(product, category)
    if kind is not None:
        return kind
    if _BACKUP_SERVICE.search(description):
        return Kind.DROPLET_BACKUP
    if _normalize(product) in _BANDWIDTH and description.rstrip().endswith(")"):
        return Kind.DROPLET
    return None


@lru_cache(maxsize=1024)
def _kind_of_product(product: str, category: str) -> Kind | None:
    name = _normalize(product)
    by_last_words = (kind for words, kind in _KINDS_BY_LAST_WORDS if name.endswith(words))
    return _KINDS.get(name) or next(by_last_words, None) or _KINDS.get(_normalize(category))


def _normalize(text: str) -> str:
    return " ".join(text.casefold().replace("_", " ").split())
