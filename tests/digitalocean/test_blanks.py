"""Blank isn't a value: \" \" as an id, \"\" as a time or a number."""

from typing import Any

import msgspec
import pytest

from arcadia_cloud.digitalocean.decoder import decode_object, decode_page
from arcadia_cloud.digitalocean.errors import ProviderMalformed
from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import KubernetesClusterRecord, VolumeRecord
from arcadia_cloud.digitalocean.responses import ApiResponse

CLUSTERS = Listing("/v2/kubernetes/clusters", "kubernetes_clusters", KubernetesClusterRecord)


def a_cluster(**fields: Any) -> dict[str, Any]:
    pool = {"id": "p", "name": "web", "size": "s-1vcpu-2gb", "count": 1, "nodes": [{"droplet_id": " "}]}
    return {"id": "c", "name": "k", "region": "sgp1", "version": "1", "node_pools": [pool], **fields}


def clusters(*items: dict[str, Any]) -> list[KubernetesClusterRecord]:
    body = msgspec.json.encode(
        {"kubernetes_clusters": list(items), "links": {}, "meta": {"total": len(items)}}
    )
    return decode_page(ApiResponse(200, body), CLUSTERS, call="GET")[0]


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_a_blank_time_is_no_time_in_every_item(blank: str) -> None:
    made = "2023-05-19T10:00:00Z"
    found = clusters(a_cluster(created_at=blank), a_cluster(created_at=made), a_cluster(created_at=blank))
    assert [each.created_at is None for each in found] == [True, False, True]


@pytest.mark.parametrize("field", ["vpc_uuid", "ipv4", "endpoint"])
def test_a_blank_text_is_an_empty_one(field: str) -> None:
    (found,) = clusters(a_cluster(**{field: " "}))
    assert getattr(found, field) == ""
    assert found.node_pools[0].nodes[0].droplet_id == ""


def test_blank_numbers_deep_inside_are_absent() -> None:
    pools = [
        {"id": "p", "name": "w", "size": "s", "count": 1, "min_nodes": "", "max_nodes": " ", "nodes": None}
    ]
    (found,) = clusters(a_cluster(node_pools=pools))
    assert (found.node_pools[0].min_nodes, found.node_pools[0].max_nodes) == (None, None)


def test_a_blank_that_must_be_a_value_is_still_refused_by_name() -> None:
    pools = [{"id": "p", "name": "w", "size": "s", "count": "", "nodes": []}]
    with pytest.raises(ProviderMalformed, match="kubernetes_clusters c field node_pools"):
        clusters(a_cluster(node_pools=pools))


def test_numbers_keep_every_digit_beside_a_blank() -> None:
    body = (
        b'{"volume": {"id": "v", "name": "v", "region": {"slug": "fra1"}, "droplet_ids": [], '
        b'"created_at": "", "size_gigabytes": 10.1234567890123456789}}'
    )
    volume = decode_object(ApiResponse(200, body), VolumeRecord, "volume", call="GET")
    assert str(volume.size_gigabytes) == "10.1234567890123456789"
