"""The records of each kind of resource, held against DigitalOcean's official document."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from arcadia_cloud.digitalocean import records
from arcadia_cloud.digitalocean.decoder import decode_object, decode_page
from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.responses import ApiResponse
from tests.digitalocean.conftest import Connect
from tests.digitalocean.official import examples, schema_fields
from tests.digitalocean.provider import Reply, Seen

LISTS = [
    ("/v2/volumes", "volumes", records.VolumeRecord),
    ("/v2/snapshots", "snapshots", records.SnapshotRecord),
    ("/v2/domains", "domains", records.DomainRecord),
    ("/v2/domains/{domain_name}/records", "domain_records", records.DnsRecord),
    ("/v2/reserved_ips", "reserved_ips", records.ReservedIpRecord),
    ("/v2/load_balancers", "load_balancers", records.LoadBalancerRecord),
    ("/v2/databases", "databases", records.DatabaseRecord),
    ("/v2/kubernetes/clusters", "kubernetes_clusters", records.KubernetesClusterRecord),
    ("/v2/firewalls", "firewalls", records.FirewallRecord),
    ("/v2/vpcs", "vpcs", records.VpcRecord),
    ("/v2/certificates", "certificates", records.CertificateRecord),
    ("/v2/cdn/endpoints", "endpoints", records.CdnEndpointRecord),
    ("/v2/apps", "apps", records.AppRecord),
]
OBJECTS = [
    ("/v2/volumes/{volume_id}", "volume", records.VolumeRecord),
    ("/v2/domains/{domain_name}", "domain", records.DomainRecord),
    ("/v2/reserved_ips/{reserved_ip}", "reserved_ip", records.ReservedIpRecord),
    ("/v2/load_balancers/{lb_id}", "load_balancer", records.LoadBalancerRecord),
    ("/v2/databases/{database_cluster_uuid}", "database", records.DatabaseRecord),
    ("/v2/kubernetes/clusters/{cluster_id}", "kubernetes_cluster", records.KubernetesClusterRecord),
    ("/v2/firewalls/{firewall_id}", "firewall", records.FirewallRecord),
    ("/v2/certificates/{certificate_id}", "certificate", records.CertificateRecord),
    ("/v2/cdn/endpoints/{cdn_id}", "endpoint", records.CdnEndpointRecord),
    ("/v2/apps/{id}", "app", records.AppRecord),
    ("/v2/images/{image_id}", "image", records.ImageRecord),
]
SCHEMAS = [
    (records.VolumeRecord, "volume_full"),
    (records.SnapshotRecord, "snapshots"),
    (records.DomainRecord, "domain"),
    (records.DnsRecord, "domain_record"),
    (records.ReservedIpRecord, "reserved_ip"),
    (records.LoadBalancerRecord, "load_balancer"),
    (records.ForwardingRule, "forwarding_rule"),
    (records.DatabaseRecord, "database_cluster_read"),
    (records.DatabaseWindow, "database_maintenance_window"),
    (records.KubernetesClusterRecord, "cluster_read"),
    (records.NodePool, "kubernetes_node_pool"),
    (records.ClusterNode, "node"),
    (records.FirewallRecord, "firewall"),
    (records.FirewallPeers, "firewall_rule_target"),
    (records.VpcRecord, "vpc"),
    (records.CertificateRecord, "certificate"),
    (records.CdnEndpointRecord, "cdn_endpoint"),
    (records.AppRecord, "app"),
    (records.AppSpec, "app_spec"),
    (records.AppComponent, "app_service_spec"),
    (records.AppDeployment, "apps_deployment"),
    (records.AppDomain, "app_domain_spec"),
    (records.RegistryRecord, "registry"),
    (records.RegistrySubscription, "subscription"),
    (records.RegistryTier, "subscription_tier_base"),
]


def _bytes(value: Any) -> ApiResponse:
    return ApiResponse(200, msgspec.json.encode(value))


@pytest.mark.parametrize(("path", "key", "record"), LISTS, ids=[key for _, key, _ in LISTS])
def test_the_official_examples_of_lists_are_read(path: str, key: str, record: type[Any]) -> None:
    found = examples(path)
    assert found
    for example in found.values():
        items, _ = decode_page(_bytes(example), Listing(path, key, record), call="")
        assert len(items) == len(example[key]) > 0
        identity = next(name for name in ("id", "name", "ip") if name in record.__struct_fields__)
        assert [getattr(item, identity) for item in items] == [each[identity] for each in example[key]]


@pytest.mark.parametrize(("path", "key", "record"), OBJECTS, ids=[key for _, key, _ in OBJECTS])
def test_the_official_examples_of_objects_are_read(path: str, key: str, record: type[Any]) -> None:
    found = examples(path)
    assert found
    for example in found.values():
        decode_object(_bytes(example), record, key, call="")


@pytest.mark.parametrize(("record", "schema"), SCHEMAS, ids=[schema for _, schema in SCHEMAS])
def test_every_field_that_we_take_is_in_the_official_document(record: type[Any], schema: str) -> None:
    """A misspelt field with a default would be empty for ever, and nothing else would notice."""
    assert set(record.__struct_fields__) <= schema_fields(schema)


def _nullable() -> list[tuple[type[Any], str]]:
    every = (getattr(records, name) for name in records.__all__)
    return [
        (record, name)
        for record in every
        if isinstance(record, type)
        for name, _ in getattr(record, "empty", ())
    ]


@pytest.mark.parametrize(("record", "field"), _nullable())
def test_null_is_read_as_the_empty_value(record: type[Any], field: str) -> None:
    amounts = getattr(record, "amounts", ())
    required = {
        each.encode_name: Decimal(1) if each.name in amounts else "x"
        for each in msgspec.structs.fields(record)
        if each.required and each.name != field
    }
    made = getattr(record(**required, **{field: None}), field)
    assert made is not None
    assert not made or made == getattr(record(**required), field)


def test_a_404_of_a_list_that_may_be_missing_is_an_empty_one(connect: Connect) -> None:
    client, _ = connect(lambda _seen: Reply(status=404, body={"id": "not_found", "message": "registry"}))
    listing = Listing("/v2/registries", "registries", records.RegistryRecord, style="unpaged")
    empty = Listing(
        "/v2/registries", "registries", records.RegistryRecord, style="unpaged", missing_is_empty=True
    )
    assert [page.items for page in client.pages(empty)] == [[]]
    with pytest.raises(Exception, match="404 not_found"):
        list(client.pages(listing))


def test_an_unpaged_list_is_asked_for_once_and_without_a_page(connect: Connect) -> None:
    example = examples("/v2/databases")["example"]
    asked: list[Seen] = []

    def answer(seen: Seen) -> Reply:
        asked.append(seen)
        return Reply(body=example)

    client, _ = connect(answer)
    listing = Listing("/v2/databases", "databases", records.DatabaseRecord, style="unpaged")
    assert [database.name for database in client.items(listing)] == ["backend"]
    assert [dict(seen.query) for seen in asked] == [{}]
