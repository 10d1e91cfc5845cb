"""Spaces buckets: found in every region, measured to the last object, never struck by half a reading."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pytest_django.fixtures import Settings

from arcadia_cloud.digitalocean import spaces as client
from arcadia_cloud.digitalocean.records import BucketRecord
from arcadia_cloud.digitalocean.spaces import REGIONS, BucketSize
from inventory import sync as inventory_sync
from inventory.kinds.spaces_bucket import Bucket, to_observation
from inventory.models import Resource, ResourceEvent, ResourceSpan
from simulator.estate.spaces import BUCKETS
from simulator.estate.spaces import Bucket as SimulatedBucket
from simulator.spaces import fill, fill_fleet, region_backend
from tests.inventory.bucket_server import SPACES_KEY, Answer, BucketServer, list_of_buckets, refusal
from tests.inventory.conftest import SyncNow, synced_buckets
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)
NEWEST_AT = datetime(2026, 1, 1, tzinfo=UTC)


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
    run = synced_buckets(sync)
    assert (run.outcome, run.error) == ("complete", "")
    assert (run.seen, run.expected, run.discovered) == (6, 6, 6)
    assert {
        (row.provider_id, row.region, row.project.name if row.project else "")
        for row in Resource.objects.select_related("project")
    } == {(bucket.name, bucket.region, bucket.project) for bucket in BUCKETS}
    media = Resource.objects.get(provider_id="acme-shop-media")
    assert media.attrs == {"object_count": 1200, "size_bytes": 115_200_000_000}
    assert ResourceSpan.objects.get(resource=media).size_gb == Decimal("107.288361")
    assert media.provider_created_at == datetime(2025, 3, 5, tzinfo=UTC)
    again = synced_buckets(sync)
    assert (again.outcome, again.seen, again.discovered, again.updated, again.struck) == (
        "complete", 6, 0, 0, 0,
    )  # fmt: skip


@pytest.mark.usefixtures("spaces")
def test_an_upload_opens_a_span_and_writes_no_event(sync: SyncNow) -> None:
    fill(SimulatedBucket("media", "nyc3", "", 2, 1024**3, 1), newest_at=NEWEST_AT)
    synced_buckets(sync)
    region_backend("nyc3").put_object("media", "new", b"x" * 1_048_576)
    assert synced_buckets(sync).updated == 0
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
    run = synced_buckets(sync)
    assert run.pages == len(REGIONS) + 3 + 4 + 1
    attrs = dict(Resource.objects.values_list("name", "attrs"))
    assert attrs["media"] == {"object_count": 21, "size_bytes": 21_000}
    assert attrs["more"] == {"object_count": 22, "size_bytes": 22_000}
    assert attrs["none"] == {"object_count": 0, "size_bytes": 0}


def test_every_region_is_asked_for_its_own_buckets(
    sync: SyncNow, server: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "REGIONS", REGIONS)
    synced_buckets(sync)
    assert server.asked[: len(REGIONS)] == [f"GET /{region}" for region in REGIONS]
    assert dict(Resource.objects.values_list("name", "region")) == {"media": "nyc3", "exports": "fra1"}


def test_one_endpoint_for_all_is_asked_once(sync: SyncNow, server: BucketServer, settings: Settings) -> None:
    settings.SPACES_ENDPOINT_URL = server.url.replace("{region}", "nyc3")
    assert synced_buckets(sync).outcome == "complete"
    assert server.asked == ["GET /nyc3", "GET /nyc3/media"]
    assert dict(Resource.objects.values_list("name", "region")) == {"media": ""}


def test_what_is_read_is_written_while_the_reading_goes_on(
    sync: SyncNow, server: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory_sync, "_UNWRITTEN_SECONDS", 0)
    server.instead["/nyc3/media"] = refusal(403, "AccessDenied", "No.")
    run = synced_buckets(sync)
    assert (run.outcome, run.discovered, run.seen) == ("failed", 1, 1)
    assert Resource.objects.get().name == "exports"


def test_a_bucket_that_is_gone_is_buried_after_three_runs(sync: SyncNow, server: BucketServer) -> None:
    synced_buckets(sync)
    del server.buckets["nyc3"]["media"]
    runs = [synced_buckets(sync) for _ in range(3)]
    assert [(run.outcome, run.struck, run.deleted) for run in runs] == [
        ("complete", 1, 0), ("complete", 1, 0), ("complete", 1, 1),
    ]  # fmt: skip
    assert "HEAD /nyc3/media" in server.asked
    assert Resource.objects.get(name="media").deleted_at is not None
    server.buckets["nyc3"]["media"] = 4
    assert synced_buckets(sync).restored == 1


def test_a_bucket_that_is_only_not_listed_lives_on(sync: SyncNow, server: BucketServer) -> None:
    synced_buckets(sync)
    server.buckets["nyc3"]["media"] = 5
    server.instead["/nyc3"] = Answer(200, list_of_buckets())
    assert [synced_buckets(sync).deleted for _ in range(4)] == [0] * 4
    row = Resource.objects.get(name="media")
    assert (row.deleted_at, row.attrs["object_count"]) == (None, 5)


def test_a_bucket_that_may_not_be_asked_for_keeps_its_strikes_and_lives(
    sync: SyncNow, server: BucketServer
) -> None:
    synced_buckets(sync)
    server.instead["/nyc3"] = Answer(200, list_of_buckets())
    server.instead["/nyc3/media"] = Answer(403)
    runs = [synced_buckets(sync) for _ in range(3)]
    assert (runs[2].outcome, runs[2].deleted) == ("failed", 0)
    assert "HEAD Spaces nyc3/media (HeadBucket): 403" in runs[2].error
    assert Resource.objects.get(name="media").deleted_at is None


def test_a_bucket_that_vanishes_while_it_is_measured_is_left_out(sync: SyncNow, server: BucketServer) -> None:
    server.instead["/nyc3"] = Answer(200, list_of_buckets("media", "fleeting"))
    run = synced_buckets(sync)
    assert (run.outcome, run.seen, run.expected) == ("complete", 2, 2)
    assert set(Resource.objects.values_list("name", flat=True)) == {"media", "exports"}


def test_the_machines_own_aws_settings_mean_nothing(
    sync: SyncNow, server: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "not-there")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    assert synced_buckets(sync).outcome == "complete"
    assert SPACES_KEY in server.authorization
