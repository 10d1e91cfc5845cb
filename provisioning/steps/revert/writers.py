"""The writer of each field that DigitalOcean can put back. Each may run twice: it looks before it writes."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

from arcadia_cloud.digitalocean.errors import ProviderNotFound
from inventory.queries import kind_spec
from inventory.values import Kind
from provisioning.contract import FinalError, Wait
from provisioning.protection import has_protected_tag, refuse_if_protected
from provisioning.steps.droplets.actions import act
from provisioning.steps.droplets.checks import wait_for_event
from provisioning.steps.revert.attachments import assign_reserved_ip, attach_volume_again
from provisioning.steps.revert.change import Change, Writer
from provisioning.steps.revert.dns_records import write_records

_TAG_TYPES: Final = {
    Kind.DROPLET: "droplet",
    Kind.VOLUME: "volume",
    Kind.IMAGE: "image",
    Kind.DATABASE: "database",
}
# The fields that a PUT must repeat: DigitalOcean resets what it leaves out.
_REPEATED: Final[Mapping[str, tuple[str, ...]]] = {
    Kind.FIREWALL: ("name", "inbound_rules", "outbound_rules", "droplet_ids", "tags"),
    Kind.VPC: ("name", "description"),
    Kind.CDN_ENDPOINT: ("ttl", "certificate_id", "custom_domain"),
    Kind.IMAGE: ("name",),
    Kind.KUBERNETES_CLUSTER: (
        "name", "tags", "maintenance_policy", "auto_upgrade", "surge_upgrade", "ha", "control_plane_firewall",
        "routing_agent", "cluster_autoscaler_configuration",
    ),
    Kind.LOAD_BALANCER: (
        "name", "algorithm", "size_unit", "type", "network", "forwarding_rules", "health_check",
        "sticky_sessions", "region", "tag", "droplet_ids", "redirect_http_to_https", "enable_proxy_protocol",
        "enable_backend_keepalive", "vpc_uuid", "disable_lets_encrypt_dns_records", "firewall",
        "http_idle_timeout_seconds", "project_id", "domains", "glb_settings", "target_load_balancer_ids",
        "tls_cipher_policy",
    ),
}  # fmt: skip
_PEERS: Final = {
    "addresses": "addresses",
    "droplet_ids": "droplet_ids",
    "load_balancer_ids": "load_balancer_uids",
    "cluster_ids": "kubernetes_ids",
    "tags": "tags",
}


def rename_droplet(change: Change) -> Wait | None:
    """Rename the droplet by its action."""
    if change.seen.name == change.value:
        return None
    droplet_id = int(change.provider_id)
    # One event at a time: a rename beside another action is refused.
    if busy := wait_for_event(change.cloud, droplet_id):
        return busy
    return act(change.state, change.cloud, droplet_id, "rename", name=change.value)


def write_tags(change: Change) -> None:
    """Put on what is missing, take off what is left over. Tags are compared without regard to capitals."""
    if change.kind == Kind.SNAPSHOT:
        # A droplet's snapshot is an image there, a volume's is of a type of its own.
        kind = "image" if change.seen.attrs["resource_type"] == "droplet" else "volume_snapshot"
    else:
        kind = _TAG_TYPES[Kind(change.kind)]
    # DigitalOcean keeps the capitals with which a tag was first made.
    present = {tag.lower(): tag for tag in change.seen.tags}
    wanted = {tag.lower(): tag for tag in change.value}
    surplus = [tag for key, tag in present.items() if key not in wanted]
    # The mark of an operator who wants it left alone, given after the saga's start.
    if has_protected_tag(surplus) and not change.state.is_compensating:
        raise FinalError(f"{change.kind} {change.seen.name} is tagged protected by now")
    for key, tag in wanted.items():
        if key not in present:
            change.cloud.tag_resource(tag, resource_id=change.provider_id, resource_type=kind)
    for tag in surplus:
        with suppress(ProviderNotFound):  # the tag is gone, and is on nothing any more
            change.cloud.untag_resource(tag, resource_id=change.provider_id, resource_type=kind)


def update_resource(change: Change) -> None:
    """Replace the field by a PUT that repeats the others."""
    detail: Any = kind_spec(change.kind).detail  # Any: buckets alone have none, and none of these fields
    path = detail.path.format(provider_id=quote(change.provider_id, safe=""))
    # Raw: our records leave out fields that the PUT would reset.
    present: dict[str, Any] = change.cloud.get(path, dict, key=detail.key)
    repeated = {name: present[name] for name in _REPEATED[change.kind] if present.get(name) is not None}
    if isinstance(region := repeated.get("region"), dict):
        repeated["region"] = region["slug"]
    change.cloud.put(path, dict, key=detail.key, body={**repeated, change.field: _to_api(change)})


def _to_api(change: Change) -> Any:
    """Return the value as the API takes it: the inventory writes rules and ids in a form of its own."""
    match change.field:
        case "inbound_rules":
            return [_rule(rule, "sources") for rule in change.value]
        case "outbound_rules":
            return [_rule(rule, "destinations") for rule in change.value]
        case "droplet_ids":
            return [int(droplet) for droplet in change.value]
    return change.value


def _rule(rule: Mapping[str, Any], side: str) -> dict[str, Any]:
    peers: dict[str, Any] = {_PEERS[group]: names for group, names in rule.items() if group in _PEERS}
    if "droplet_ids" in peers:
        peers["droplet_ids"] = [int(droplet) for droplet in peers["droplet_ids"]]
    ports = rule.get("ports", "all")
    return {"protocol": rule["protocol"], "ports": "0" if ports == "all" else ports, side: peers}


def refuse_protected_resource(change: Change) -> None:
    """Raise Protected for a resource with a mark, or with the tag as just read."""
    refuse_if_protected(kind=change.kind, provider_id=change.provider_id, tags=change.seen.tags)


WRITERS: Final[Mapping[tuple[str, str], Writer]] = {
    (Kind.DROPLET, "name"): rename_droplet,
    (Kind.DROPLET, "tags"): write_tags,
    (Kind.VOLUME, "tags"): write_tags,
    (Kind.VOLUME, "droplet_ids"): attach_volume_again,
    (Kind.SNAPSHOT, "tags"): write_tags,
    (Kind.IMAGE, "tags"): write_tags,
    (Kind.IMAGE, "name"): update_resource,
    (Kind.DATABASE, "tags"): write_tags,
    (Kind.DNS_ZONE, "records"): write_records,
    (Kind.RESERVED_IP, "droplet_id"): assign_reserved_ip,
    (Kind.LOAD_BALANCER, "name"): update_resource,
    (Kind.KUBERNETES_CLUSTER, "name"): update_resource,
    (Kind.KUBERNETES_CLUSTER, "auto_upgrade"): update_resource,
    (Kind.FIREWALL, "name"): update_resource,
    (Kind.FIREWALL, "tags"): update_resource,
    (Kind.FIREWALL, "droplet_ids"): update_resource,
    (Kind.FIREWALL, "inbound_rules"): update_resource,
    (Kind.FIREWALL, "outbound_rules"): update_resource,
    (Kind.VPC, "name"): update_resource,
    (Kind.VPC, "description"): update_resource,
    (Kind.CDN_ENDPOINT, "ttl"): update_resource,
}
