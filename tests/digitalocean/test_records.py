"""The records, held against DigitalOcean's official document."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import pytest

from arcadia_cloud.digitalocean import records
from arcadia_cloud.digitalocean.decoder import decode_object, decode_page
from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import (
    AccountRecord,
    ActionRecord,
    DropletCreateResponse,
    DropletRecord,
    ImageRecord,
    ProjectRecord,
    ProjectResourceRecord,
    RegionRecord,
    SizeRecord,
    TagRecord,
)
from arcadia_cloud.digitalocean.responses import ApiResponse
from tests.digitalocean.conftest import Connect
from tests.digitalocean.official import examples, schema_fields
from tests.digitalocean.provider import Reply, Seen, droplet

LISTS = [
    ("/v2/droplets", "droplets", DropletRecord),
    ("/v2/projects", "projects", ProjectRecord),
    ("/v2/projects/{project_id}/resources", "resources", ProjectResourceRecord),
    ("/v2/images", "images", ImageRecord),
    ("/v2/sizes", "sizes", SizeRecord),
    ("/v2/regions", "regions", RegionRecord),
    ("/v2/tags", "tags", TagRecord),
]
OBJECTS = [
    ("/v2/droplets/{droplet_id}", "get", "droplet", DropletRecord),
    ("/v2/projects/{project_id}/resources", "post", "resources", list[ProjectResourceRecord]),
]


def _bytes(value: Any) -> ApiResponse:
    return ApiResponse(200, msgspec.json.encode(value))


@pytest.mark.parametrize(("path", "key", "record"), LISTS, ids=[key for _, key, _ in LISTS])
def test_the_official_examples_of_lists_are_read(path: str, key: str, record: type[Any]) -> None:
    found = examples(path)
    assert found
    for example in found.values():
        items, envelope = decode_page(_bytes(example), Listing(path, key, record), call="")
        assert len(items) == len(example[key]) > 0
        assert envelope.total == example["meta"]["total"]
        identity = next(name for name in ("id", "urn", "slug", "name") if name in record.__struct_fields__)
        assert [getattr(item, identity) for item in items] == [each[identity] for each in example[key]]


@pytest.mark.parametrize(("path", "method", "key", "record"), OBJECTS)
def test_the_official_examples_of_objects_are_read(path: str, method: str, key: str, record: Any) -> None:
    found = examples(path, method)
    assert found
    for example in found.values():
        decode_object(_bytes(example), record, key, call="")


def test_the_official_answer_to_a_create_is_read() -> None:
    example = examples("/v2/droplets", "post")["Single Droplet Create Response"]
    made = decode_object(_bytes(example), DropletCreateResponse, "", call="")
    assert (made.droplet.id, made.droplet.status) == (example["droplet"]["id"], "new")
    assert made.action_id == example["links"]["actions"][0]["id"]


# What DigitalOcean answers and its own Go client reads (godo's `Account`), though the document leaves it out.
UNDOCUMENTED: Final[dict[type[Any], set[str]]] = {AccountRecord: {"volume_limit", "reserved_ip_limit"}}


@pytest.mark.parametrize(
    ("record", "schema"),
    [
        (DropletRecord, "droplet"),
        (records.DropletSize, "size"),
        (records.DropletRegion, "region"),
        (records.DropletImage, "image"),
        (records.Address, "network_v4"),
        (records.BackupWindow, "droplet_next_backup_window"),
        (records.GpuInfo, "gpu_info"),
        (ProjectRecord, "project"),
        (ProjectResourceRecord, "resource"),
        (ImageRecord, "image"),
        (SizeRecord, "size"),
        (RegionRecord, "region"),
        (TagRecord, "tags"),
        (ActionRecord, "action"),
        (AccountRecord, "account"),
        (records.BalanceRecord, "balance"),
        (records.BillingEntryRecord, "billing_history"),
        (records.InvoiceRecord, "invoice_preview"),
        (records.InvoiceSummaryRecord, "invoice_summary"),
        (records.ProductCharges, "product_usage_charges"),
        (records.ChargeRecord, "simple_charge"),
    ],
)
def test_every_field_that_we_take_is_in_the_official_document(record: type[Any], schema: str) -> None:
    """A misspelt field with a default would be empty for ever, and nothing else would notice."""
    assert set(record.__struct_fields__) - UNDOCUMENTED.get(record, set()) <= schema_fields(schema)


def test_the_official_examples_served_over_http_are_listed(connect: Connect) -> None:
    served: dict[tuple[str, str], Any] = {
        ("/v2/droplets", ""): examples("/v2/droplets")["All Droplets"],
        ("/v2/droplets", "gpus"): examples("/v2/droplets")["GPU Droplets"],
        ("/v2/projects", ""): examples("/v2/projects")["example"],
    }
    resources = examples("/v2/projects/{project_id}/resources")["example"]

    def mock(seen: Seen) -> Reply:
        return Reply(body=served.get((seen.path, seen.query.get("type", "")), resources))

    client, _ = connect(mock)
    assert len({each.id for each in client.droplets()}) == 3
    assert [each.gpu_info.model for each in client.droplets(gpus=True) if each.gpu_info] == ["nvidia_h100"]
    projects = list(client.projects())
    assert [project.is_default for project in projects] == [False, True]
    assert "do:droplet:13457723" in {each.urn for each in client.project_resources(projects[0].id)}


def _read(**changes: Any) -> DropletRecord:
    return decode_object(_bytes({"droplet": droplet(1, **changes)}), DropletRecord, "droplet", call="")


def test_a_price_is_exactly_what_was_sent() -> None:
    text = b'{"slug": "s", "price_monthly": 5, "price_hourly": 0.00743999984115362}'
    size = decode_object(ApiResponse(200, text), records.DropletSize, "", call="")
    assert (size.price_monthly, size.price_hourly) == (Decimal(5), Decimal("0.00743999984115362"))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2020-07-21T18:37:44Z", datetime(2020, 7, 21, 18, 37, 44, tzinfo=UTC)),
        ("2020-07-21T18:37:44.442049222Z", datetime(2020, 7, 21, 18, 37, 44, 442049, tzinfo=UTC)),
        ("2020-07-21T20:37:44+02:00", datetime(2020, 7, 21, 18, 37, 44, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_with_any_precision(text: str, instant: datetime) -> None:
    assert _read(created_at=text).created_at == instant


NULLABLE = ["tags", "features", "volume_ids", "snapshot_ids", "backup_ids", "vpc_uuid", "networks", "image",
            "next_backup_window", "gpu_info"]  # fmt: skip


@pytest.mark.parametrize("field", NULLABLE)
def test_null_and_absence_are_read_alike(field: str) -> None:
    """A token that lacks a scope gets its droplets without these."""
    with_null = _read(**{field: None})
    without = {name: value for name, value in droplet(1).items() if name != field}
    absent = decode_object(_bytes({"droplet": without}), DropletRecord, "droplet", call="")
    assert with_null == absent
    assert not getattr(absent, field) or absent.networks == records.Networks()


def test_a_new_droplet_has_no_addresses_yet() -> None:
    assert _read(networks={"v4": None, "v6": []}).networks == records.Networks(v4=[], v6=[])


def test_a_record_does_not_share_its_empty_lists() -> None:
    first, second = _read(tags=None), _read(tags=None)
    first.tags.append("x")
    assert second.tags == []


def test_an_account_without_a_team_is_known_by_its_own_id() -> None:
    account = {"uuid": "own", "droplet_limit": 3, "status": "active"}
    record = decode_object(_bytes(account), AccountRecord, "", call="")
    assert (record.team_uuid, record.team_name) == ("own", "")
