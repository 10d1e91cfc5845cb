"""Volumes, snapshots, images, backups, CDN endpoints and registries as they are mapped."""

from decimal import Decimal
from typing import Any

import pytest

from inventory.kinds.cdn_endpoint import CDN_ENDPOINT
from inventory.kinds.container_registry import REGISTRY, apportion_price
from inventory.kinds.image import DROPLET_BACKUP, IMAGE
from inventory.kinds.snapshot import SNAPSHOT
from inventory.kinds.spec import KindSpec
from inventory.kinds.volume import VOLUME
from inventory.values import Observation
from tests.inventory.kinds.mapped import MADE, MADE_AT, NYC3, records, seen

VOLUME_ID = "506f78a4-e098-11e5-ad9f-000f53306ae1"
A_VOLUME = {
    "id": VOLUME_ID,
    "region": NYC3,
    "droplet_ids": [480000000],
    "name": "shop-data",
    "description": "",
    "size_gigabytes": 100,
    "created_at": MADE,
    "filesystem_type": "ext4",
    "filesystem_label": "data",
    "tags": ["tenant:acme", "deployment:shop"],
}
AN_IMAGE = {
    "id": 7555621,
    "name": "golden",
    "distribution": "Ubuntu",
    "slug": None,
    "public": False,
    "regions": ["nyc3", "fra1"],
    "created_at": MADE,
    "type": "custom",
    "min_disk_size": 20,
    "size_gigabytes": 2.34,
    "description": "",
    "tags": [],
    "status": "NEW",
    "error_message": "",
}
AN_ENDPOINT = {
    "id": "19f06b6a-3ace-4315-b086-499a0e521b76",
    "origin": "static.images.nyc3.digitaloceanspaces.com",
    "endpoint": "static.images.nyc3.cdn.digitaloceanspaces.com",
    "created_at": MADE,
    "certificate_id": "892071a0-bb95-49bc-8021-3afd67a210bf",
    "custom_domain": "static.example.com",
    "ttl": 3600,
}
A_REGISTRY = {
    "name": "arcadia",
    "created_at": "2026-03-01T17:00:49.442049222Z",
    "region": "fra1",
    "storage_usage_bytes": 29393920,
    "storage_usage_bytes_updated_at": MADE,
    "subscription": {"tier": {"name": "Basic", "slug": "basic", "monthly_price_in_cents": 500}},
}


def test_a_volume_is_mapped() -> None:
    assert seen(VOLUME, A_VOLUME) == Observation(
        provider_id=VOLUME_ID,
        urn=f"do:volume:{VOLUME_ID}",
        name="shop-data",
        region="nyc3",
        status="attached",
        tags=["deployment:shop", "tenant:acme"],
        attrs={
            "size_gb": "100",
            "droplet_ids": ["480000000"],
            "description": "",
            "filesystem_type": "ext4",
            "filesystem_label": "data",
        },
        parent_kind="droplet",
        parent_id="480000000",
        created_at=MADE_AT,
        size_gb=Decimal(100),
    )


def test_a_volume_without_a_droplet_is_unattached() -> None:
    alone = seen(VOLUME, {**A_VOLUME, "droplet_ids": None, "tags": None})
    assert (alone.status, alone.attrs["droplet_ids"], alone.tags) == ("unattached", [], [])


def test_a_snapshot_of_a_droplet_is_mapped() -> None:
    snapshot = {
        "id": "6372321",
        "name": "web-01-1595954862243",
        "created_at": MADE,
        "regions": ["sfo3"],
        "resource_id": "200776916",
        "resource_type": "droplet",
        "min_disk_size": 25,
        "size_gigabytes": 2.3399999141693115,
        "tags": None,
    }
    assert seen(SNAPSHOT, snapshot) == Observation(
        provider_id="6372321",
        name="web-01-1595954862243",
        region="sfo3",
        attrs={
            "size_gb": "2.34",
            "min_disk_gb": 25,
            "regions": ["sfo3"],
            "resource_type": "droplet",
            "droplet_id": "200776916",
            "volume_id": None,
        },
        parent_kind="droplet",
        parent_id="200776916",
        created_at=MADE_AT,
        size_gb=Decimal("2.34"),
    )


def test_a_snapshot_of_a_volume_tells_which() -> None:
    snapshot = {
        "id": "fbe805e8-866b-11e6-96bf-000f53315a41",
        "name": "pvc-01",
        "created_at": MADE,
        "regions": ["nyc1", "fra1"],
        "resource_id": VOLUME_ID,
        "resource_type": "volume",
        "min_disk_size": 2,
        "size_gigabytes": 0.1008,
        "tags": ["k8s"],
    }
    found = seen(SNAPSHOT, snapshot)
    assert (found.attrs["droplet_id"], found.attrs["volume_id"]) == (None, VOLUME_ID)
    assert (found.region, found.attrs["regions"]) == ("", ["fra1", "nyc1"])
    assert found.size_gb == Decimal("0.1008")


@pytest.mark.parametrize(("entry", "image_type"), [(IMAGE, "custom"), (DROPLET_BACKUP, "backup")])
def test_a_private_image_is_mapped(entry: KindSpec, image_type: str) -> None:
    assert seen(entry, {**AN_IMAGE, "type": image_type}) == Observation(
        provider_id="7555621",
        name="golden",
        region="",
        status="new",
        attrs={
            "size_gb": "2.34",
            "min_disk_gb": 20,
            "regions": ["fra1", "nyc3"],
            "distribution": "Ubuntu",
        },
        created_at=MADE_AT,
        size_gb=Decimal("2.34"),
    )


def test_of_the_private_images_each_kind_takes_its_own() -> None:
    listed = [{**AN_IMAGE, "id": number, "type": kind} for number, kind in
              enumerate(["snapshot", "custom", "backup", "base", "admin"])]  # fmt: skip
    assert [image.id for image in records(IMAGE, *listed)] == [1]
    assert [image.id for image in records(DROPLET_BACKUP, *listed)] == [2]


def test_an_image_that_is_being_made_has_no_size_yet() -> None:
    pending = seen(IMAGE, {**AN_IMAGE, "size_gigabytes": None, "min_disk_size": None})
    assert (pending.size_gb, pending.attrs["size_gb"]) == (None, None)


def test_a_cdn_endpoint_is_mapped() -> None:
    assert seen(CDN_ENDPOINT, AN_ENDPOINT) == Observation(
        provider_id="19f06b6a-3ace-4315-b086-499a0e521b76",
        name="static.example.com",
        region="nyc3",
        attrs={
            "origin": "static.images.nyc3.digitaloceanspaces.com",
            "endpoint": "static.images.nyc3.cdn.digitaloceanspaces.com",
            "custom_domain": "static.example.com",
            "certificate_id": "892071a0-bb95-49bc-8021-3afd67a210bf",
            "ttl": 3600,
            "bucket": "static.images",
        },
        created_at=MADE_AT,
    )


@pytest.mark.parametrize(
    ("changes", "name", "bucket", "region"),
    [
        ({"custom_domain": ""}, AN_ENDPOINT["endpoint"], "static.images", "nyc3"),
        ({"custom_domain": None, "endpoint": None, "origin": "cdn.example.com"}, "cdn.example.com", "", ""),
    ],
)
def test_a_cdn_endpoint_is_named_as_it_is_reached(
    changes: dict[str, Any], name: str, bucket: str, region: str
) -> None:
    found = seen(CDN_ENDPOINT, {**AN_ENDPOINT, **changes})
    assert (found.name, found.attrs["bucket"], found.region) == (name, bucket, region)


def test_a_registry_is_mapped() -> None:
    assert seen(REGISTRY, A_REGISTRY) == Observation(
        provider_id="arcadia",
        name="arcadia",
        region="fra1",
        attrs={"tier_slug": "basic", "storage_usage_bytes": 29393920},
        monthly_price_cents=500,
        created_at=MADE_AT.replace(microsecond=442049),
    )


@pytest.mark.parametrize(
    ("prices", "shares"),
    [
        ((2000,), (2000,)),
        ((2000, 2000), (1000, 1000)),
        ((2000, 2000, 2000), (667, 667, 666)),
        ((2000, None, 2000), (1000, None, 1000)),
        ((0, 0), (0, 0)),
        ((None, None), (None, None)),
        ((), ()),
    ],
)
def test_the_price_of_the_account_is_divided_over_its_registries(
    prices: tuple[int | None, ...], shares: tuple[int | None, ...]
) -> None:
    items = [
        {**A_REGISTRY, "name": f"images-{place}", "subscription": {"tier": {"monthly_price_in_cents": price}}}
        for place, price in enumerate(prices)
    ]
    registries = [each for item in items for each in records(REGISTRY, item)]
    found = [REGISTRY.to_observation(each).monthly_price_cents for each in apportion_price(registries)]
    assert tuple(found) == shares


@pytest.mark.parametrize("subscription", [None, {}, {"tier": None}, {"tier": {"slug": None}}])
def test_a_registry_without_a_subscription_has_no_price(subscription: dict[str, Any] | None) -> None:
    found = seen(REGISTRY, {**A_REGISTRY, "subscription": subscription})
    assert (found.monthly_price_cents, found.attrs["tier_slug"]) == (None, "")
