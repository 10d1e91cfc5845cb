"""Firewalls. Source: API reference, `GET /v2/firewalls`."""

from typing import Any, Final

from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import FirewallPeers, FirewallRecord, FirewallRule
from inventory.kinds.spec import FULL, Detail, KindSpec, real_timestamp, sorted_json
from inventory.values import Kind, Observation

# The API takes "all" and gives back "0"; some answers leave it empty.
_EVERY_PORT: Final = frozenset({"", "0", "all"})


def to_observation(firewall: FirewallRecord) -> Observation:
    """Map a firewall. Its tags name the droplets it guards, and so its owner.

    Rules come in no order: they are sorted, and the three ways to write "every port" are one.
    """
    return Observation(
        provider_id=firewall.id,
        name=firewall.name,
        status=firewall.status,
        tags=sorted(firewall.tags),
        attrs={
            "droplet_ids": sorted(map(str, firewall.droplet_ids)),
            "inbound_rules": sorted_json(_rule(rule, rule.sources) for rule in firewall.inbound_rules),
            "outbound_rules": sorted_json(_rule(rule, rule.destinations) for rule in firewall.outbound_rules),
        },
        created_at=real_timestamp(firewall.created_at),
    )


def _rule(rule: FirewallRule, peers: FirewallPeers | None) -> dict[str, Any]:
    return {
        "protocol": rule.protocol,
        "ports": "all" if rule.ports in _EVERY_PORT else rule.ports,
        **(_peers(peers) if peers else {}),
    }


def _peers(peers: FirewallPeers) -> dict[str, list[str]]:
    """Map the peers that are named: an empty list and none mean the same."""
    peer_lists = {
        "addresses": peers.addresses,
        "droplet_ids": [str(droplet) for droplet in peers.droplet_ids],
        "load_balancer_ids": peers.load_balancer_uids,
        "cluster_ids": peers.kubernetes_ids,
        "tags": peers.tags,
    }
    return {group: sorted(names) for group, names in peer_lists.items() if names}


FIREWALL = KindSpec(
    kind=Kind.FIREWALL,
    listings=(Listing("/v2/firewalls", "firewalls", FirewallRecord),),
    to_observation=to_observation,
    detail=Detail("/v2/firewalls/{provider_id}", "firewall"),
    modes=FULL,
)
