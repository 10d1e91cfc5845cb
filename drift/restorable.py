"""The fields that DigitalOcean can put back, by kind, and why others can't be."""

from collections.abc import Mapping
from typing import Final

from inventory.values import Kind

RESTORABLE: Final[Mapping[str, frozenset[str]]] = {
    Kind.DROPLET: frozenset({"name", "project", "size_slug", "status", "tags"}),
    Kind.DNS_ZONE: frozenset({"project", "records"}),
    Kind.FIREWALL: frozenset({"inbound_rules", "name", "outbound_rules", "tags"}),
    Kind.VOLUME: frozenset({"project", "tags"}),
    Kind.DATABASE: frozenset({"project", "size_slug", "tags"}),
    Kind.SPACES_BUCKET: frozenset({"project"}),
    Kind.RESERVED_IP: frozenset({"project"}),
    Kind.LOAD_BALANCER: frozenset({"project"}),
}


def restorable_fields(kind: str) -> frozenset[str]:
    """Return the fields of a kind that a revert can put back."""
    return RESTORABLE.get(kind, frozenset())


def refusal_to_restore(*, kind: str, field: str) -> str:
    """Return why a field can't be put back; "" where it can."""
    return "" if field in restorable_fields(kind) else f"the {field} of a {kind} can't be put back"
