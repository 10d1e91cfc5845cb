"""DNS, addresses, load balancers, firewalls, private networks and certificates."""

from typing import TYPE_CHECKING, ClassVar

from arcadia_cloud.digitalocean.records.base import (
    Instant,
    NullableRecord,
    Numbers,
    Record,
    Region,
    Strings,
    Text,
)


class DomainRecord(NullableRecord, frozen=True, gc=False):
    """A DNS zone, known by its name. Its zone file, which has a serial that moves by itself, isn't taken."""

    name: str
    ttl: int | None = None


class DnsRecord(NullableRecord, frozen=True, gc=False):
    """One record of a zone. `name` is relative to it, `@` for the zone itself. `ttl` is in seconds."""

    id: int
    type: str
    name: Text = ""
    data: Text = ""
    ttl: int | None = None
    priority: int | None = None
    port: int | None = None
    weight: int | None = None
    flags: int | None = None
    tag: str | None = None

    empty: ClassVar = (("name", str), ("data", str))


class HolderRecord(Record, frozen=True, gc=False):
    """The droplet that has an address; an empty object, or null, where none does."""

    id: int | None = None


class ReservedIpRecord(NullableRecord, frozen=True, gc=False):
    """A reserved (once: floating) IP, known by the address itself."""

    ip: str
    region: Region | None = None
    droplet: HolderRecord | None = None
    locked: bool | None = None


class ForwardingRule(NullableRecord, frozen=True, gc=False):
    entry_protocol: str
    entry_port: int
    target_protocol: str
    target_port: int
    certificate_id: Text = ""
    tls_passthrough: bool | None = None

    empty: ClassVar = (("certificate_id", str),)


if TYPE_CHECKING:
    ForwardingRules = list[ForwardingRule]
else:
    ForwardingRules = list[ForwardingRule] | None


class LoadBalancerRecord(NullableRecord, frozen=True, gc=False):
    """A load balancer. It has `size_unit`, or, if older, `size`; one that is GLOBAL has no region.

    `tag` names the droplets that it serves.
    """

    id: str
    name: str
    status: Text = ""
    ip: Text = ""
    ipv6: Text = ""
    size: Text = ""
    size_unit: int | None = None
    type: Text = ""
    network: Text = ""
    algorithm: Text = ""
    created_at: Instant | None = None
    region: Region | None = None
    vpc_uuid: Text = ""
    tag: Text = ""
    droplet_ids: Numbers = []
    forwarding_rules: ForwardingRules = []
    redirect_http_to_https: bool | None = None

    empty: ClassVar = (
        ("status", str),
        ("ip", str),
        ("ipv6", str),
        ("size", str),
        ("type", str),
        ("network", str),
        ("algorithm", str),
        ("vpc_uuid", str),
        ("tag", str),
        ("droplet_ids", list),
        ("forwarding_rules", list),
    )


class FirewallPeers(NullableRecord, frozen=True, gc=False):
    """The peers that a firewall's rule lets in, or lets be reached."""

    addresses: Strings = []
    droplet_ids: Numbers = []
    load_balancer_uids: Strings = []
    kubernetes_ids: Strings = []
    tags: Strings = []

    empty: ClassVar = (
        ("addresses", list),
        ("droplet_ids", list),
        ("load_balancer_uids", list),
        ("kubernetes_ids", list),
        ("tags", list),
    )


class FirewallRule(NullableRecord, frozen=True, gc=False):
    """One rule. `ports` as "0", "all" and "" mean the same."""

    protocol: str
    ports: Text = ""
    sources: FirewallPeers | None = None
    destinations: FirewallPeers | None = None

    empty: ClassVar = (("ports", str),)


if TYPE_CHECKING:
    FirewallRules = list[FirewallRule]
else:
    FirewallRules = list[FirewallRule] | None


class FirewallRecord(NullableRecord, frozen=True, gc=False):
    """A firewall. `tags` name the droplets that it guards, besides those of `droplet_ids`."""

    id: str
    name: str
    status: Text = ""
    created_at: Instant | None = None
    droplet_ids: Numbers = []
    tags: Strings = []
    inbound_rules: FirewallRules = []
    outbound_rules: FirewallRules = []

    empty: ClassVar = (
        ("status", str),
        ("droplet_ids", list),
        ("tags", list),
        ("inbound_rules", list),
        ("outbound_rules", list),
    )


class VpcRecord(NullableRecord, frozen=True, gc=False):
    """A private network. `default`: the one that a region's resources are in unless ordered otherwise."""

    id: str
    name: str
    urn: Text = ""
    region: Text = ""
    ip_range: Text = ""
    description: Text = ""
    default: bool = False
    created_at: Instant | None = None

    empty: ClassVar = (("urn", str), ("region", str), ("ip_range", str), ("description", str))


class CertificateRecord(NullableRecord, frozen=True, gc=False):
    """A TLS certificate; the API never returns its key."""

    id: str
    name: str
    state: Text = ""
    type: Text = ""
    dns_names: Strings = []
    not_after: Instant | None = None
    sha1_fingerprint: Text = ""
    created_at: Instant | None = None

    empty: ClassVar = (("state", str), ("type", str), ("dns_names", list), ("sha1_fingerprint", str))
