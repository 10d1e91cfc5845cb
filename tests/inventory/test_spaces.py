"""Spaces buckets: found in every region, measured to the last object, never struck by half a reading."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from arcadia_cloud.digitalocean import spaces as client
from arcadia_cloud.digitalocean.records import BucketRecord
from arcadia_cloud.digitalocean.spaces import REGIONS, BucketSize
from inventory.kinds.spaces_bucket import Bucket, to_observation
from inventory.models import Resource, ResourceEvent, ResourceSpan, SyncRun
from inventory.readiness import sync_age
from simulator.estate.spaces import BUCKETS
from simulator.estate.spaces import Bucket as SimulatedBucket
from simulator.spaces import fill, fill_fleet, region_backend
from tests.inventory.bucket_server import (
    Answer,
    BucketServer,
    bucket_server,
    list_of_buckets,
    refusal,
)
from tests.inventory.conftest import SyncNow
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)
NEWEST_AT = datetime(2026, 1, 1, tzinfo=UTC)
KEY, SECRET = "DO00CANARY0KEY0000", "canary/secret+5d1f0e7a"
XML = '<?xml version="1.0"?>'
XHTML = f'{XML}<html xmlns="http://www.w3.org/1999/xhtml"><body>Be right back</body></html>'


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketServer]:
    """An S3 with two buckets of its own making; no call is made more than twice."""
    monkeypatch.setattr(client, "ATTEMPTS", 2)
    monkeypatch.setenv("SPACES_KEY", KEY)
    monkeypatch.setenv("SPACES_SECRET", SECRET)
    with bucket_server() as served:
        settings.SPACES_ENDPOINT_URL = served.url
        served.buckets = {"nyc3": {"media": 3}, "fra1": {"exports": 2}}
        yield served


def synced(sync: SyncNow) -> SyncRun:
    return sync(kinds=["spaces_bucket"])["spaces_bucket"]


def test_a_bucket_is_mapped_to_the_common_fields() -> None:
    record = BucketRecord(name="media", region="nyc3", created_at=NEWEST_AT)
    seen = to_observation(Bucket(record, BucketSize(objects=3, bytes=1_610_612_736)))
    assert (seen.provider_id, seen.urn, seen.name) == ("media", "do:space:media", "media")
    assert (seen.region, seen.status, seen.tags, seen.active) == ("nyc3", "", [], True)
    assert seen.attrs == {"object_count": 3, "size_bytes": 1_610_612_736}
    assert seen.size_gb == Decimal("1.5")
    assert seen.created_at == NEWEST_AT
    assert seen.monthly_price_cents is None


@pytest.mark.usefixtures("spaces")
def test_the_fleets_buckets_come_with_region_size_and_project(simulator: Simulated, sync: SyncNow) -> None:
    simulator.reset(fleet="default")
    fill_fleet()
    run = synced(sync)
    assert (run.outcome, run.error) == ("complete", "")
    assert (run.seen, run.expected, run.discovered) == (6, 6, 6)
    assert {
        (row.provider_id, row.region, row.project.name if row.project else "")
        for row in Resource.objects.select_related("project")
    } == {(bucket.name, bucket.region, bucket.project) for bucket in BUCKETS}
    media = Resource.objects.get(provider_id="acme-shop-media")
    assert media.attrs == {"object_count": 2400, "size_bytes": 115_200_000_000}
    assert ResourceSpan.objects.get(resource=media).size_gb == Decimal("107.288361")
    assert media.provider_created_at == datetime(2025, 3, 5, tzinfo=UTC)
    again = synced(sync)
    assert (again.outcome, again.seen, again.discovered, again.updated, again.struck) == (
        "complete", 6, 0, 0, 0,
    )  # fmt: skip


@pytest.mark.usefixtures("spaces")
def test_an_upload_opens_a_span_and_writes_no_event(sync: SyncNow) -> None:
    fill(SimulatedBucket("media", "nyc3", "", 2, 1024**3, 1), newest_at=NEWEST_AT)
    synced(sync)
    region_backend("nyc3").put_object("media", "new", b"x" * 1_048_576)
    assert synced(sync).updated == 0
    row = Resource.objects.get()
    assert row.attrs == {"object_count": 3, "size_bytes": 2_148_532_224}
    sizes = ResourceSpan.objects.order_by("during").values_list("size_gb", flat=True)
    assert list(sizes) == [Decimal(2), Decimal("2.000977")]
    assert list(ResourceEvent.objects.values_list("event_type", flat=True)) == ["discovered"]


@pytest.mark.usefixtures("spaces")
def test_a_bucket_is_counted_over_all_its_pages(sync: SyncNow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE_SIZE", 7)
    fill(SimulatedBucket("media", "nyc3", "", 21, 1000, 1), newest_at=NEWEST_AT)
    fill(SimulatedBucket("more", "nyc3", "", 22, 1000, 1), newest_at=NEWEST_AT)
    fill(SimulatedBucket("none", "nyc3", "", 0, 0, 1), newest_at=NEWEST_AT)
    run = synced(sync)
    assert run.pages == len(REGIONS) + 3 + 4 + 1
    attrs = dict(Resource.objects.values_list("name", "attrs"))
    assert attrs["media"] == {"object_count": 21, "size_bytes": 21_000}
    assert attrs["more"] == {"object_count": 22, "size_bytes": 22_000}
    assert attrs["none"] == {"object_count": 0, "size_bytes": 0}


def test_every_region_is_asked_for_its_own_buckets(sync: SyncNow, server: BucketServer) -> None:
    synced(sync)
    assert server.asked[: len(REGIONS)] == [f"GET /{region}" for region in REGIONS]
    assert dict(Resource.objects.values_list("name", "region")) == {"media": "nyc3", "exports": "fra1"}


def test_one_endpoint_for_all_is_asked_once(sync: SyncNow, server: BucketServer, settings: Settings) -> None:
    settings.SPACES_ENDPOINT_URL = server.url.replace("{region}", "nyc3")
    assert synced(sync).outcome == "complete"
    assert server.asked == ["GET /nyc3", "GET /nyc3/media"]
    assert dict(Resource.objects.values_list("name", "region")) == {"media": ""}


FAULTS = [
    ("/fra1", refusal(403, "AccessDenied", "No."), "GET Spaces fra1 (ListBuckets): 403 AccessDenied: No."),
    ("/fra1", refusal(500, "InternalError", "Oh."), "GET Spaces fra1 (ListBuckets): 500 InternalError: Oh."),
    (
        "/fra1/exports",
        refusal(503, "SlowDown", "Reduce"),
        "GET Spaces fra1/exports (ListObjectsV2): 503 Slow",
    ),
    (
        "/fra1/exports",
        refusal(403, "AccessDenied", ""),
        "403 AccessDenied: no reason was told (request tx-1)",
    ),
    ("/fra1", Answer(0), "GET Spaces fra1 (ListBuckets): the connection failed"),
    ("/fra1", Answer(200, "<html><br></html>", "text/html"), "the answer is not the XML that S3 speaks"),
    ("/fra1", Answer(200, XHTML), "the answer has no Buckets"),
    ("/fra1", Answer(502, "<html><br></html>", "text/html"), "GET Spaces fra1 (ListBuckets): 502"),
    ("/fra1", Answer(200, list_of_buckets("exports")[:-40]), "the answer is not the XML that S3 speaks"),
    ("/fra1", Answer(200, list_of_buckets("exports", created_at="soon")), "bucket exports: Invalid RFC3339"),
    ("/fra1", Answer(200, list_of_buckets("x", "x")), "bucket x is in fra1 and in fra1"),
    ("/fra1", Answer(200, list_of_buckets("né")), "the call can't be made: ParamValidationError"),
    ("/fra1/exports", Answer(200, XHTML), "the answer has no IsTruncated"),
    (
        "/fra1/exports",
        Answer(200, f"{XML}<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
        "there is more, but no new NextContinuationToken",
    ),
    (
        "/fra1/exports",
        Answer(
            200,
            f"{XML}<ListBucketResult><IsTruncated>true</IsTruncated>"
            "<NextContinuationToken>again</NextContinuationToken></ListBucketResult>",
        ),
        "there is more, but no new NextContinuationToken",
    ),
    (
        "/fra1/exports",
        Answer(
            200,
            f"{XML}<ListBucketResult><IsTruncated>false</IsTruncated>"
            "<Contents><Key>a</Key></Contents></ListBucketResult>",
        ),
        "an object has no size",
    ),
]


@pytest.mark.parametrize(("path", "answer", "words"), FAULTS)
def test_a_fault_in_one_region_fails_the_kind_in_words_and_strikes_nothing(
    sync: SyncNow, server: BucketServer, path: str, answer: Answer, words: str
) -> None:
    assert synced(sync).outcome == "complete"
    del server.buckets["nyc3"]["media"]
    server.instead[path] = answer
    run = synced(sync)
    assert run.outcome == "failed"
    assert words in run.error
    assert not Resource.objects.filter(stale_strike_count__gt=0).exists()
    server.instead.clear()
    server.buckets["nyc3"]["media"] = 3
    assert (synced(sync).outcome, Resource.objects.live().count()) == ("complete", 2)
