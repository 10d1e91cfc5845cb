"""A bucket of very many objects is measured in the memory of a small one."""

import time

import pytest

from inventory.models import Resource, SyncRun
from tests.inventory.bucket_server import OBJECT_BYTES, SPACES_KEY, SPACES_SECRET, bucket_server
from tests.inventory.test_sync_size import growth_mb
from tests.simulated import Simulated

FEW, EVERYDAY, MATRIX = 2_000, 30_000, 1_000_000
PART_BYTES = 5_242_880
MOST_MORE_MB = 8
pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


def test_a_large_bucket_takes_no_more_memory_than_a_small_one(
    simulator: Simulated, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """A million in the matrix."""
    many = MATRIX if request.config.getoption("--matrix") else EVERYDAY
    growth = {}
    with bucket_server() as server:
        variables = {
            "SPACES_ENDPOINT_URL": server.url,
            "SPACES_KEY": SPACES_KEY,
            "SPACES_SECRET": SPACES_SECRET,
        }
        for count in (FEW, many):
            server.buckets = {"nyc3": {"media": count}}
            server.uploads = {
                "media": [(f"film-{number}", [PART_BYTES] * 3) for number in range(count // 500)]
            }
            began = time.monotonic()
            growth[count] = growth_mb(simulator.url, "--kind", "spaces_bucket", **variables)
            with capsys.disabled():
                print(f"\n{count} objects: {time.monotonic() - began:.1f} s, {growth[count]:.0f} MB")  # noqa: T201 - the figures are wanted
    assert growth[many] - growth[FEW] < MOST_MORE_MB, growth
    runs = SyncRun.objects.filter(kind="spaces_bucket").order_by("pk")
    assert [(run.outcome, run.seen) for run in runs] == [("complete", 1), ("complete", 1)]
    row = Resource.objects.get()
    assert row.attrs == {
        "object_count": many,
        "size_bytes": many * OBJECT_BYTES,
        "open_upload_count": many // 500,
        "open_upload_bytes": many // 500 * 3 * PART_BYTES,
    }
