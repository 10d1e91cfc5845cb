"""Zones, addresses, load balancers, firewalls, private networks and certificates as they are mapped."""

from datetime import UTC, datetime
from typing import Any

import pytest

from arcadia_cloud.digitalocean.records import DnsRecord, DomainRecord
from inventory.kinds.certificate import CERTIFICATE
from inventory.kinds.dns_zone import DNS_ZONE, to_observation, with_records
from inventory.kinds.firewall import FIREWALL
from inventory.kinds.load_balancer import LOAD_BALANCER
from inventory.kinds.reserved_ip import RESERVED_IP
from inventory.kinds.vpc import VPC
from inventory.sync.reader import project_of
from inventory.values import Observation
from tests.inventory.kinds.mapped import MADE, MADE_AT, NYC3, seen

BALANCER_ID = "4de7ac8b-495b-4884-9a69-1050c6793cd6"
A_BALANCER = {
    "id": BALANCER_ID,
    "name": "shop-lb",
    "ip": "203.0.113.9",
    "size_unit": 1,
    "algorithm": "round_robin",
    "status": "active",
    "created_at": MADE,
    "forwarding_rules": [
        {"entry_protocol": "https", "entry_port": 443, "target_protocol": "http", "target_port": 8080,
         "certificate_id": "892071a0", "tls_passthrough": False},
        {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 80,
         "certificate_id": "", "tls_passthrough": False},
    ],
    "health_check": {"protocol": "http", "port": 80},
    "sticky_sessions": {"type": "none"},
    "region": NYC3,
    "tag": "deployment:shop",
    "droplet_ids": [480000001, 480000000],
    "redirect_http_to_https": True,
    "vpc_uuid": "c33931f2-a26a-4e61-b85c-4e95a2ec431b",
    "type": "REGIONAL",
    "network": "EXTERNAL",
}  # fmt: skip
A_FIREWALL = {
    "id": "fb6045f1-cf1d-4ca3-bfac-18832663025b",
    "name": "web",
    "status": "succeeded",
    "inbound_rules": [
        {"protocol": "tcp", "ports": "80", "sources": {"load_balancer_uids": [BALANCER_ID]}},
        {"protocol": "tcp", "ports": "22",
         "sources": {"tags": ["role:bastion"], "addresses": ["198.51.100.0/24", "192.0.2.1"],
                     "droplet_ids": [7]}},
    ],
    "outbound_rules": [
        {"protocol": "udp", "ports": "0", "destinations": {"addresses": ["::/0", "0.0.0.0/0"]}},
    ],
    "created_at": MADE,
    "droplet_ids": [12, 9],
    "tags": ["role:web", "deployment:shop"],
    "pending_changes": [],
}  # fmt: skip


def zone(*records: DnsRecord) -> Observation:
    return to_observation(with_records(DomainRecord("example.com", 1800), list(records)))


def test_a_zone_is_mapped_with_its_records_in_order() -> None:
    records = (
        DnsRecord(4, "MX", "@", "Mail.Example.com.", 3600, priority=10),
        DnsRecord(3, "A", "www", "203.0.113.9", 1800),
        DnsRecord(2, "NS", "@", "ns1.digitalocean.com", 1800),
    )
    expected = Observation(
        provider_id="example.com",
        urn="do:domain:example.com",
        name="example.com",
        attrs={
            "ttl": 1800,
            "records": [
                {"type": "A", "name": "www", "data": "203.0.113.9", "ttl": 1800},
                {"type": "MX", "name": "@", "data": "mail.example.com", "ttl": 3600, "priority": 10},
                {"type": "NS", "name": "@", "data": "ns1.digitalocean.com", "ttl": 1800},
            ],
        },
    )
    assert zone(*records) == zone(*reversed(records)) == expected


@pytest.mark.parametrize(
    ("record", "data"),
    [
        (DnsRecord(1, "CNAME", "shop", "www.Example.com."), "www.example.com"),
        (DnsRecord(1, "CNAME", "shop", "@"), "@"),
        (DnsRecord(1, "MX", "@", "."), "."),
        (DnsRecord(1, "TXT", "@", "v=spf1 Include:Example.com."), "v=spf1 Include:Example.com."),
    ],
)
def test_only_names_of_hosts_lose_their_dot(record: DnsRecord, data: str) -> None:
    assert zone(record).attrs["records"][0]["data"] == data


def test_zones_are_asked_for_their_records() -> None:
    assert DNS_ZONE.sub_listing is not None
    assert (
        DNS_ZONE.sub_listing.listing_of(DomainRecord("a/b.example", 60)).path
        == "/v2/domains/a%2Fb.example/records"
    )


@pytest.mark.parametrize(
    ("droplet", "holder", "status"),
    [
        ({"id": 480000000, "name": "shop-web-01"}, "480000000", "assigned"),
        (None, None, "unassigned"),
        ({}, None, "unassigned"),
    ],
)
def test_a_reserved_ip_is_mapped(droplet: dict[str, Any] | None, holder: str | None, status: str) -> None:
    reserved = {"ip": "203.0.113.7", "droplet": droplet, "region": NYC3, "locked": False, "project_id": "p"}
    assert seen(RESERVED_IP, reserved) == Observation(
        provider_id="203.0.113.7",
        urn="do:reservedip:203.0.113.7",
        name="203.0.113.7",
        region="nyc3",
        status=status,
        sku=status,
        attrs={"droplet_id": holder, "locked": False},
    )


@pytest.mark.parametrize("urn", ["do:reservedip:203.0.113.7", "do:floatingip:203.0.113.7"])
def test_a_reserved_ip_is_found_in_a_project_under_either_name(urn: str) -> None:
    reserved = Observation(provider_id="203.0.113.7", name="203.0.113.7", urn="do:reservedip:203.0.113.7")
    assert project_of(RESERVED_IP, reserved, {"do:droplet:1": 1, urn: 2}) == 2
    assert project_of(RESERVED_IP, reserved, {"do:reservedip:203.0.113.70": 2}) is None


def test_a_load_balancer_is_mapped() -> None:
    assert seen(LOAD_BALANCER, A_BALANCER) == Observation(
        provider_id=BALANCER_ID,
        urn=f"do:loadbalancer:{BALANCER_ID}",
        name="shop-lb",
        region="nyc3",
        status="active",
        sku="node x1",
        tags=["deployment:shop"],
        attrs={
            "type": "REGIONAL",
            "network": "EXTERNAL",
            "size": "",
            "size_unit": 1,
            "algorithm": "round_robin",
            "ip": "203.0.113.9",
            "ipv6": "",
            "vpc_uuid": "c33931f2-a26a-4e61-b85c-4e95a2ec431b",
            "droplet_ids": ["480000000", "480000001"],
            "forwarding_rules": [
                {"entry": "http:80", "target": "http:80", "certificate_id": "", "tls_passthrough": False},
                {"entry": "https:443", "target": "http:8080", "certificate_id": "892071a0",
                 "tls_passthrough": False},
            ],
            "redirect_http_to_https": True,
        },
        created_at=MADE_AT,
        active=True,
    )  # fmt: skip


def test_a_global_load_balancer_has_no_region() -> None:
    balancer = {name: value for name, value in A_BALANCER.items() if name not in {"region", "tag"}}
    found = seen(LOAD_BALANCER, {**balancer, "status": "new", "type": "GLOBAL"})
    assert (found.region, found.tags, found.active) == ("", [], False)


def test_a_firewall_is_mapped() -> None:
    assert seen(FIREWALL, A_FIREWALL) == Observation(
        provider_id="fb6045f1-cf1d-4ca3-bfac-18832663025b",
        name="web",
        status="succeeded",
        tags=["deployment:shop", "role:web"],
        attrs={
            "droplet_ids": ["12", "9"],
            "inbound_rules": [
                {"protocol": "tcp", "ports": "22", "addresses": ["192.0.2.1", "198.51.100.0/24"],
                 "droplet_ids": ["7"], "tags": ["role:bastion"]},
                {"protocol": "tcp", "ports": "80", "load_balancer_ids": [BALANCER_ID]},
            ],
            "outbound_rules": [{"protocol": "udp", "ports": "all", "addresses": ["0.0.0.0/0", "::/0"]}],
        },
        created_at=MADE_AT,
    )  # fmt: skip


@pytest.mark.parametrize("ports", ["0", "all", "", None])
def test_every_port_is_said_in_one_way(ports: str | None) -> None:
    rule = {"protocol": "icmp", "ports": ports, "sources": {"addresses": None}}
    found = seen(FIREWALL, {**A_FIREWALL, "inbound_rules": [rule], "outbound_rules": None})
    assert found.attrs["inbound_rules"] == [{"protocol": "icmp", "ports": "all"}]
    assert found.attrs["outbound_rules"] == []


def test_rules_in_another_order_are_the_same() -> None:
    turned = {**A_FIREWALL, "inbound_rules": list(reversed(A_FIREWALL["inbound_rules"]))}
    assert seen(FIREWALL, turned) == seen(FIREWALL, A_FIREWALL)


def test_a_private_network_is_mapped() -> None:
    network = {
        "id": "5a4981aa-9653-4bd1-bef5-d6bff52042e4",
        "urn": "do:vpc:5a4981aa-9653-4bd1-bef5-d6bff52042e4",
        "name": "prod",
        "description": "Production",
        "region": "nyc1",
        "ip_range": "10.10.10.0/24",
        "default": False,
        "created_at": MADE,
    }
    assert seen(VPC, network) == Observation(
        provider_id="5a4981aa-9653-4bd1-bef5-d6bff52042e4",
        urn="do:vpc:5a4981aa-9653-4bd1-bef5-d6bff52042e4",
        name="prod",
        region="nyc1",
        attrs={"ip_range": "10.10.10.0/24", "default": False, "description": "Production"},
        created_at=MADE_AT,
    )


def test_a_certificate_is_mapped() -> None:
    certificate = {
        "id": "892071a0-bb95-49bc-8021-3afd67a210bf",
        "name": "web-cert-01",
        "not_after": "2026-05-30T00:23:00Z",
        "sha1_fingerprint": "dfcc9f57d86bf58e321c2c6c31c7a971be244ac7",
        "created_at": MADE,
        "dns_names": ["www.example.com", "example.com", ""],
        "state": "verified",
        "type": "lets_encrypt",
    }
    assert seen(CERTIFICATE, certificate) == Observation(
        provider_id="892071a0-bb95-49bc-8021-3afd67a210bf",
        name="web-cert-01",
        status="verified",
        attrs={
            "type": "lets_encrypt",
            "dns_names": ["example.com", "www.example.com"],
            "not_after": datetime(2026, 5, 30, 0, 23, tzinfo=UTC),
            "sha1_fingerprint": "dfcc9f57d86bf58e321c2c6c31c7a971be244ac7",
        },
        created_at=MADE_AT,
        active=True,
    )
