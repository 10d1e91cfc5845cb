"""Network of the default fleet: zones, addresses, load balancers, firewalls, VPCs, certificates, the CDN."""

from collections.abc import Sequence
from typing import Final

from simulator.catalog import Json
from simulator.droplet import default_vpc
from simulator.endpoints.cdn import CDN_ENDPOINTS
from simulator.endpoints.certificates import CERTIFICATES
from simulator.endpoints.domains import DOMAINS
from simulator.endpoints.firewalls import FIREWALLS
from simulator.endpoints.load_balancers import LOAD_BALANCERS
from simulator.endpoints.reserved_ips import RESERVED_IPS
from simulator.endpoints.vpcs import VPCS
from simulator.fleet_builder import FleetBuilder

_FIRST_RECORD: Final = 28_448_429
_ANYWHERE: Final = ["0.0.0.0/0", "::/0"]
_VERIFICATION: Final = "verification=5107a1b2"
_Line = tuple[str, str, str] | tuple[str, str, str, int]  # type, name, data, an MX record's priority
_ZONES: Final[dict[str, tuple[str, tuple[_Line, ...]]]] = {
    "acme-shop.example": ("acme", (
        ("A", "@", "203.0.113.9"), ("A", "www", "203.0.113.9"), ("AAAA", "www", "2001:db8:0:7::9"),
        ("CNAME", "shop", "www.acme-shop.example"), ("MX", "@", "mail.acme-shop.example", 10),
        ("TXT", "@", "v=spf1 include:mail.example -all"),
    )),
    "acme-wiki.example": ("acme", (("A", "@", "203.0.113.21"), ("CNAME", "www", "@"))),
    "globex-crm.example": ("globex", (
        ("A", "@", "203.0.113.12"), ("A", "api", "203.0.113.12"), ("TXT", "@", _VERIFICATION),
        ("MX", "@", "mx1.mail.example", 10), ("MX", "@", "mx2.mail.example", 20),
    )),
    "initech-reports.example": ("initech", (("A", "@", "203.0.113.33"), ("CNAME", "docs", "static.example"))),
}  # fmt: skip


def add_network(builder: FleetBuilder) -> None:
    for name, (project, lines) in _ZONES.items():
        add_zone(builder, name, project, lines)
    add_reserved_ip(builder, "203.0.113.7", "nyc3", "acme", "shop-web-01")
    add_reserved_ip(builder, "203.0.113.12", "fra1", "globex", "crm-app-01", urn="floatingip")
    add_reserved_ip(builder, "203.0.113.99", "ams3", "arcadia", "")
    shop = add_certificate(builder, "shop", ["acme-shop.example", "www.acme-shop.example"])
    crm = add_certificate(builder, "crm", ["globex-crm.example", "api.globex-crm.example"])
    add_load_balancer(builder, "shop-lb", "203.0.113.9", "nyc3", "acme", shop, tag="deployment:shop")
    add_load_balancer(builder, "crm-lb", "203.0.113.12", "fra1", "globex", crm, droplet="crm-app-01")
    add_firewall(builder, "shop", tags=["deployment:shop"])
    add_firewall(builder, "crm", tags=["tenant:globex"])
    add_firewall(builder, "bastion", droplet="bastion-01")
    regions = sorted({droplet.region for droplet in builder.account.droplets.iter_stored()})
    for number, region in enumerate(regions):
        key = default_vpc(builder.account.team, region)
        add_vpc(builder, key, f"default-{region}", region, number, default=True)
    add_vpc(builder, builder.uuid_for("vpc", "initech-reports"), "initech-reports", "sfo3", 64, default=False)
    add_cdn_endpoint(builder, "acme-shop-media", "nyc3")


def _record(number: int, line: _Line) -> Json:
    kind, name, data = line[:3]
    return {
        "id": _FIRST_RECORD + number,
        "type": kind,
        "name": name,
        "data": data,
        "priority": line[3] if len(line) == 4 else None,
        "port": None,
        "ttl": 1800,
        "weight": None,
        "flags": None,
        "tag": None,
    }


def add_zone(builder: FleetBuilder, name: str, project: str, lines: tuple[_Line, ...]) -> None:
    servers: tuple[_Line, ...] = tuple(("NS", "@", f"ns{number}.digitalocean.com") for number in (1, 2, 3))
    records = [_record(number, line) for number, line in enumerate((*servers, *lines))]
    DOMAINS.add(builder.account, {"name": name, "ttl": 1800, "records": records}, project=project)


def add_reserved_ip(
    builder: FleetBuilder, ip: str, region: str, project: str, droplet: str, *, urn: str = "reservedip"
) -> None:
    account, droplet_id = builder.account, builder.get_droplet(droplet).id if droplet else None
    RESERVED_IPS.add(account, {"ip": ip, "region": region, "droplet": droplet_id})
    found = account.projects.find_by_name(project)
    if found is not None:
        # By either name of its URN, as a project lists an address of the time when they were called floating.
        account.projects.assign(f"do:{urn}:{ip}", found, builder.time_at_age(90))


def add_certificate(builder: FleetBuilder, name: str, dns_names: list[str]) -> str:
    key = builder.uuid_for("certificate", name)
    body: Json = {
        "id": key,
        "name": f"{name}-cert",
        "not_after": builder.timestamp_at_age(-60),
        "sha1_fingerprint": key.replace("-", "") + "0" * 8,
        "created_at": builder.timestamp_at_age(30),
        "dns_names": dns_names,
        "state": "verified",
        "type": "lets_encrypt",
    }
    CERTIFICATES.add(builder.account, body)
    return key


def _forwarding(entry: str, port: int, certificate: str) -> Json:
    return {
        "entry_protocol": entry,
        "entry_port": port,
        "target_protocol": "http",
        "target_port": 80,
        "certificate_id": certificate,
        "tls_passthrough": False,
    }


def add_load_balancer(
    builder: FleetBuilder,
    name: str,
    ip: str,
    region: str,
    project: str,
    certificate: str,
    *,
    tag: str = "",
    droplet: str = "",
) -> None:
    body: Json = {
        "id": builder.uuid_for("load_balancer", name),
        "name": name,
        "ip": ip,
        "size_unit": 1,
        "size": "lb-small",
        "type": "REGIONAL",
        "network": "EXTERNAL",
        "algorithm": "round_robin",
        "status": "active",
        "created_at": builder.timestamp_at_age(97),
        "forwarding_rules": [_forwarding("https", 443, certificate), _forwarding("http", 80, "")],
        "health_check": {
            "protocol": "http",
            "port": 80,
            "path": "/",
            "check_interval_seconds": 10,
            "response_timeout_seconds": 5,
            "healthy_threshold": 5,
            "unhealthy_threshold": 3,
        },
        "sticky_sessions": {"type": "none"},
        "region": region,
        "tag": tag,
        "droplet_ids": [builder.get_droplet(droplet).id] if droplet else [],
        "redirect_http_to_https": True,
        "enable_proxy_protocol": False,
        "enable_backend_keepalive": False,
        "vpc_uuid": default_vpc(builder.account.team, region),
        "disable_lets_encrypt_dns_records": False,
        "firewall": {"deny": [], "allow": []},
    }
    LOAD_BALANCERS.add(builder.account, body, project=project)


def add_firewall(builder: FleetBuilder, name: str, *, tags: Sequence[str] = (), droplet: str = "") -> None:
    body: Json = {
        "id": builder.uuid_for("firewall", name),
        "name": name,
        "status": "succeeded",
        "inbound_rules": [
            {"protocol": "tcp", "ports": "443", "sources": {"addresses": _ANYWHERE}},
            {"protocol": "tcp", "ports": "22", "sources": {"tags": ["role:bastion"]}},
        ],
        "outbound_rules": [{"protocol": "tcp", "ports": "0", "destinations": {"addresses": _ANYWHERE}}],
        "created_at": builder.timestamp_at_age(120),
        "droplet_ids": [builder.get_droplet(droplet).id] if droplet else [],
        "tags": tags,
        "pending_changes": [],
    }
    FIREWALLS.add(builder.account, body)


def add_vpc(builder: FleetBuilder, key: str, name: str, region: str, number: int, *, default: bool) -> None:
    body: Json = {
        "id": key,
        "urn": f"do:vpc:{key}",
        "name": name,
        "description": "" if default else "What reports reads from",
        "region": region,
        "ip_range": f"10.{100 + number}.0.0/20",
        "default": default,
        # With nanoseconds, as DigitalOcean dates some kinds.
        "created_at": builder.timestamp_at_age(490)[:-1] + ".442049222Z",
    }
    VPCS.add(builder.account, body)


def add_cdn_endpoint(builder: FleetBuilder, bucket: str, region: str) -> None:
    body: Json = {
        "id": builder.uuid_for("cdn_endpoint", bucket),
        "origin": f"{bucket}.{region}.digitaloceanspaces.com",
        "endpoint": f"{bucket}.{region}.cdn.digitaloceanspaces.com",
        "created_at": builder.timestamp_at_age(88),
        "ttl": 3600,
    }
    CDN_ENDPOINTS.add(builder.account, body)
