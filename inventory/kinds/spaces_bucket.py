"""Spaces buckets, over the S3 protocol: DigitalOcean's own API doesn't list them.

Source: Spaces API reference, `ListBuckets`, `ListObjectsV2`, `ListMultipartUploads` and `ListParts`; the
URN is that of project resources.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from arcadia_cloud.digitalocean.records import BucketRecord
from arcadia_cloud.digitalocean.spaces import BucketSize
from inventory.kinds.spec import SLOW, KindSpec, Source, gigabytes, real_timestamp
from inventory.values import Kind, Observation

_GIB: Final = 1024**3


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket with its size; None where that couldn't be read."""

    record: BucketRecord
    size: BucketSize | None

    @property
    def name(self) -> str:
        """The bucket's id."""
        return self.record.name


def to_observation(bucket: Bucket) -> Observation:
    """Map a bucket. `size_gb` is in GiB, as DigitalOcean bills: its objects and the parts of open uploads.

    One price is for all buckets together.
    """
    record, size = bucket.record, bucket.size
    attrs = {}
    if size is not None:
        attrs = {
            "object_count": size.objects,
            "size_bytes": size.bytes,
            "open_upload_count": size.open_uploads,
            "open_upload_bytes": size.open_bytes,
        }
    return Observation(
        provider_id=record.name,
        urn=f"do:space:{record.name}",
        name=record.name,
        region=record.region,
        attrs=attrs,
        created_at=real_timestamp(record.created_at),
        size_gb=None if size is None else gigabytes(Decimal(size.bytes + size.open_bytes) / _GIB),
    )


SPACES_BUCKET = KindSpec(
    kind=Kind.SPACES_BUCKET,
    source=Source.SPACES,
    to_observation=to_observation,
    # They move with every upload: each size is a span, and no event.
    volatile=("object_count", "size_bytes", "open_upload_count", "open_upload_bytes"),
    modes=SLOW,
    in_projects=True,
    ids_recur=True,
)
