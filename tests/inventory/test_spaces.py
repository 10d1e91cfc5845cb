"""Spaces buckets: found in every region, measured to the last object, never struck by half a reading."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pytest_django.fixtures import Settings
from requests.structures import CaseInsensitiveDict

from arcadia_cloud.digitalocean import spaces as client
from arcadia_cloud.digitalocean.records import BucketRecord
from arcadia_cloud.digitalocean.spaces import REGIONS, BucketSize
from inventory.kinds.spaces_bucket import Bucket, to_observation
from inventory.models import Resource, ResourceEvent, ResourceSpan
from inventory.services import Progress, sync_inventory
from inventory.sync import run as inventory_sync
from inventory.values import RunMode
from simulator.default_fleet.buckets import BUCKETS
from simulator.default_fleet.buckets import Bucket as SimulatedBucket
from simulator.spaces import fill, fill_fleet, region_backend
from tests.inventory.bucket_server import (
    OBJECT_BYTES,
    SPACES_KEY,
    Answer,
    BucketServer,
    list_of_buckets,
    refusal,
)
from tests.inventory.conftest import SyncNow, synced_buckets
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)
NEWEST_AT = datetime(2026, 1, 1, tzinfo=UTC)


def holding(objects: int, size: int, *, uploads: int = 0, upload_bytes: int = 0) -> dict[str, int]:
    """The attrs of a bucket that holds so much."""
    return {
        "object_count": objects,
        "size_bytes": size,
        "open_upload_count": uploads,
        "open_upload_bytes": upload_bytes,
    }


def test_a_bucket_is_mapped_to_the_common_fields() -> None:
    record = BucketRecord(name="media", region="nyc3", created_at=NEWEST_AT)
    size = BucketSize(objects=3, bytes=1_073_741_824, open_uploads=2, open_bytes=536_870_912)
    seen = to_observation(Bucket(record, size))
    assert (seen.provider_id, seen.urn, seen.name) == ("media", "do:space:media", "media")
    assert (seen.region, seen.status, seen.tags, seen.active) == ("nyc3", "", [], True)
    assert seen.attrs == holding(3, 1_073_741_824, uploads=2, upload_bytes=536_870_912)
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
    assert media.attrs == holding(1200, 115_200_000_000)
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
    assert row.attrs == holding(3, 2_148_532_224)
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
    assert attrs["media"] == holding(21, 21_000)
    assert attrs["more"] == holding(22, 22_000)
    assert attrs["none"] == holding(0, 0)


def test_open_uploads_are_counted_apart_and_billed_with_the_rest(sync: SyncNow, spaces: None) -> None:
    fill(SimulatedBucket("media", "nyc3", "", 1, 1024**3, 1), newest_at=NEWEST_AT)
    synced_buckets(sync)
    first, _second = (open_upload("media", key) for key in ("big film.mkv", "big film.mkv"))
    for number, size in ((1, 5 * 1024**2), (2, 3 * 1024**2)):
        region_backend("nyc3").upload_part("media", first, number, b"x" * size)

    assert synced_buckets(sync).updated == 0
    row = Resource.objects.get()
    assert row.attrs == holding(1, 1024**3, uploads=2, upload_bytes=8 * 1024**2)
    sizes = ResourceSpan.objects.order_by("during").values_list("size_gb", flat=True)
    assert list(sizes) == [Decimal(1), Decimal("1.007813")]

    region_backend("nyc3").abort_multipart_upload("media", first)
    synced_buckets(sync)
    row.refresh_from_db()
    assert row.attrs == holding(1, 1024**3, uploads=1)


def open_upload(bucket: str, key: str) -> str:
    """Begin an upload, as a client would; its id."""
    upload = region_backend("nyc3").create_multipart_upload(
        bucket, key, CaseInsensitiveDict(), "STANDARD", {}, None, "", ""
    )
    return str(upload.id)


def test_open_uploads_and_their_parts_are_counted_over_all_pages(
    sync: SyncNow, server: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAGE_SIZE", 2)
    keys = ("a b", "a+b", "ä/b", "\x01", "c")
    server.uploads = {"media": [(key, [7] * number) for number, key in enumerate(keys)]}
    run = synced_buckets(sync)
    assert (run.outcome, run.error) == ("complete", "")
    media = Resource.objects.get(name="media")
    assert media.attrs == holding(3, 3 * OBJECT_BYTES, uploads=5, upload_bytes=70)
    assert server.asked.count("GET /nyc3/media?uploads") == 3


def test_an_upload_that_ends_meanwhile_counts_for_nothing(sync: SyncNow, server: BucketServer) -> None:
    server.uploads = {"media": [("a", [7]), ("b", [7])]}
    server.instead["/nyc3/media/a"] = refusal(404, "NoSuchUpload", "It was completed.")
    assert synced_buckets(sync).outcome == "complete"
    media = Resource.objects.get(name="media")
    assert media.attrs == holding(3, 3 * OBJECT_BYTES, uploads=1, upload_bytes=7)


def test_a_bucket_that_vanishes_while_its_uploads_are_counted_is_left_out(
    sync: SyncNow, server: BucketServer
) -> None:
    server.uploads = {"media": [("a", [7])]}
    server.instead["/nyc3/media/a"] = refusal(404, "NoSuchBucket", "It is gone.")
    run = synced_buckets(sync)
    assert (run.outcome, run.seen, run.expected) == ("complete", 1, 1)
    assert Resource.objects.get().name == "exports"


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
    assert server.asked == ["GET /nyc3", "GET /nyc3/media", "GET /nyc3/media?uploads"]
    assert dict(Resource.objects.values_list("name", "region")) == {"media": ""}


@pytest.mark.parametrize(("unwritten_seconds", "stored"), [(0.0, [1, 2]), (60.0, [0, 0])])
def test_what_is_read_is_written_while_the_reading_goes_on(
    simulator: Simulated,
    server: BucketServer,
    monkeypatch: pytest.MonkeyPatch,
    unwritten_seconds: float,
    stored: list[int],
) -> None:
    monkeypatch.setattr(inventory_sync, "_UNWRITTEN_SECONDS", unwritten_seconds)
    seen_and_stored: dict[int, int] = {}

    def report(_kind: str, progress: Progress) -> None:
        seen_and_stored[progress.seen] = Resource.objects.count()

    *_, run = sync_inventory(mode=RunMode.SLOW, actor="a test", kinds=["spaces_bucket"], report=report)
    assert (run.outcome, run.discovered, run.seen) == ("complete", 2, 2)
    assert [seen_and_stored[seen] for seen in (1, 2)] == stored
    assert Resource.objects.count() == 2


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
