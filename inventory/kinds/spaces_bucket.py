"""Spaces buckets, over the S3 protocol: DigitalOcean's own API doesn't list them.

Source: Spaces API reference, `ListBuckets`, `ListObjectsV2`, `ListMultipartUploads` and `ListParts`; the
URN is that of project resources.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from arcadia_cloud.digitalocean.errors import ProviderMalformed, ProviderNotFound
from arcadia_cloud.digitalocean.pagination import Page
from arcadia_cloud.digitalocean.records import BucketRecord
from arcadia_cloud.digitalocean.spaces import BucketSize, Spaces, endpoint_regions
from inventory.kinds.spec import SLOW, KindSpec, gigabytes, real_timestamp
from inventory.sync.run_records import Progress
from inventory.values import Kind, Observation

_GIB: Final = 1024**3


@dataclass(frozen=True, slots=True)
class Bucket:
    record: BucketRecord
    size: BucketSize

    @property
    def name(self) -> str:
        """By what it is known."""
        return self.record.name


class SpacesBuckets:
    """Every bucket of every region, measured one after the other."""

    def pages(self, progress: Progress) -> Iterator[Page[Bucket]]:
        """A page per answer, the bucket on the one that completes its size; one that vanishes is left out.

        Raises MissingSpacesKeys where nobody gave keys; ProviderMalformed where two regions have a bucket
        of the same name, which no URN would tell apart.
        """
        with Spaces() as spaces:
            buckets: dict[str, BucketRecord] = {}
            for region in endpoint_regions():
                for record in spaces.buckets(region):
                    if (other := buckets.setdefault(record.name, record)) is not record:
                        raise ProviderMalformed(
                            f"bucket {record.name} is in {other.region} and in {record.region}"
                        )
                progress.pages += 1
                yield Page([], None, progress.pages)
            progress.expected = len(buckets)
            for record in buckets.values():
                yield from _measured(spaces, record, progress)

    def look_up(self, provider_id: str, region: str) -> Bucket | None:
        """The bucket, measured; None where its region hasn't got it any more."""
        record = BucketRecord(name=provider_id, region=region)
        try:
            with Spaces() as spaces:
                spaces.assert_exists(region, provider_id)
                return Bucket(record, sum(spaces.sizes(record), BucketSize()))
        except ProviderNotFound:
            return None


def _measured(spaces: Spaces, record: BucketRecord, progress: Progress) -> Iterator[Page[Bucket]]:
    size = BucketSize()
    try:
        for page in spaces.sizes(record):
            size += page
            progress.pages += 1
            yield Page([], None, progress.pages)
    except ProviderNotFound:
        progress.expected = (progress.expected or 1) - 1
        return
    progress.seen += 1
    yield Page([Bucket(record, size)], None, progress.pages)


def to_observation(bucket: Bucket) -> Observation:
    """Map a bucket. `size_gb` is in GiB, as DigitalOcean bills: what lies in it, and what open uploads hold.

    One price is for all buckets together.
    """
    record, size = bucket.record, bucket.size
    return Observation(
        provider_id=record.name,
        urn=f"do:space:{record.name}",
        name=record.name,
        region=record.region,
        attrs={
            "object_count": size.objects,
            "size_bytes": size.bytes,
            "open_upload_count": size.open_uploads,
            "open_upload_bytes": size.open_bytes,
        },
        created_at=real_timestamp(record.created_at),
        size_gb=gigabytes(Decimal(size.bytes + size.open_bytes) / _GIB),
    )


SPACES_BUCKET = KindSpec(
    kind=Kind.SPACES_BUCKET,
    source=SpacesBuckets(),
    to_observation=to_observation,
    # They move with every upload: a span of their own tells each size, no event.
    volatile=("object_count", "size_bytes", "open_upload_count", "open_upload_bytes"),
    modes=SLOW,
    in_projects=True,
)
