"""Spaces over the S3 protocol: the buckets, and their sizes.

DigitalOcean's own API knows no buckets, and no API knows their sizes: those are sums over the list of
every object. Source: Spaces API reference; each region is an endpoint of its own and lists its own buckets.
What was uploaded of an object that isn't complete yet is billed, too, and on a list of its own (product
documentation, "Spaces Limits").
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import unquote_plus

import msgspec
import structlog
from botocore import xform_name
from django.conf import settings

from arcadia_cloud.digitalocean.credentials import spaces_keys
from arcadia_cloud.digitalocean.errors import ProviderMalformed, ProviderNotFound, ProviderRejected
from arcadia_cloud.digitalocean.records import BucketRecord
from arcadia_cloud.digitalocean.spaces_client import make_client
from arcadia_cloud.digitalocean.spaces_errors import convert_s3_error

log = structlog.get_logger(__name__)

# No API lists them. Source: "Spaces Availability" in the product documentation.
REGIONS: Final = (
    "ams3", "atl1", "blr1", "fra1", "lon1", "nyc3", "sfo2", "sfo3", "sgp1", "syd1", "tor1",
)  # fmt: skip
PAGE_SIZE: Final = 1000  # the most that S3 gives

# Per list: the field that proves a response to be one, and the parameter of the next page for each marker.
_LISTS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "ListBuckets": ("Buckets", {"ContinuationToken": "ContinuationToken"}),
    "ListObjectsV2": ("IsTruncated", {"NextContinuationToken": "ContinuationToken"}),
    "ListMultipartUploads": (
        "IsTruncated", {"NextKeyMarker": "KeyMarker", "NextUploadIdMarker": "UploadIdMarker"},
    ),
    "ListParts": ("IsTruncated", {"NextPartNumberMarker": "PartNumberMarker"}),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BucketSize:
    """A count of objects and their bytes, of open uploads and the bytes of their parts."""

    objects: int = 0
    bytes: int = 0
    open_uploads: int = 0
    open_bytes: int = 0

    def __add__(self, other: "BucketSize") -> "BucketSize":
        return BucketSize(
            self.objects + other.objects,
            self.bytes + other.bytes,
            self.open_uploads + other.open_uploads,
            self.open_bytes + other.open_bytes,
        )


def endpoint_regions() -> tuple[str, ...]:
    """Return the regions to ask. Where SPACES_ENDPOINT_URL names no region, one that has no name."""
    return REGIONS if "{region}" in settings.SPACES_ENDPOINT_URL else ("",)


class Spaces:
    """Spaces, with the keys of SPACES_KEY and SPACES_SECRET. Close it; one per thread.

    Every method raises ProviderUnavailable (try again later), ProviderRejected (don't) or
    ProviderMalformed; only reads are made, and repeated here. Making one raises MissingSpacesKeys or
    MissingToken.
    """

    def __init__(self) -> None:
        self._keys = spaces_keys()
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def buckets(self, region: str) -> Iterator[BucketRecord]:
        """List every bucket of the region that the key may see. S3's `ListBuckets`."""
        for page in self._pages("ListBuckets", region, ""):
            for bucket in page["Buckets"]:
                fields = {
                    "name": bucket.get("Name"),
                    "region": region,
                    "created_at": bucket.get("CreationDate"),
                }
                try:
                    yield msgspec.convert(fields, BucketRecord)
                except msgspec.ValidationError as error:
                    name = fields["name"]
                    if isinstance(name, str) and name:  # its creation is at fault, which needn't be known
                        log.warning("bucket_without_creation", reason=f"bucket {name}: {error}")
                        yield BucketRecord(name=name, region=region)
                        continue
                    raise ProviderMalformed(
                        f"bucket {fields['name']}: {error}", call=_describe_call("ListBuckets", region, "")
                    ) from None

    def sizes(self, bucket: BucketRecord) -> Iterator[BucketSize]:
        """Yield the size of each page of the bucket's lists; their sum is the bucket's. Memory is flat.

        A call for each 1,000 objects, and for each 1,000 parts of an open upload. Former versions, in a
        versioned bucket, aren't counted.
        """
        for page in self._pages("ListObjectsV2", bucket.region, bucket.name, MaxKeys=PAGE_SIZE):
            objects, size = _sum_sizes(page, "Contents", "an object", bucket, "ListObjectsV2")
            yield BucketSize(objects, size)
        # Begun and neither completed nor aborted: billed, and on no list of objects. A key may hold what XML
        # can't; S3's own lists are asked for in this way by botocore itself.
        operation, region, name = "ListMultipartUploads", bucket.region, bucket.name
        for page in self._pages(operation, region, name, MaxUploads=PAGE_SIZE, EncodingType="url"):
            for upload in page.get("Uploads", ()):
                if not upload.get("Key") or not upload.get("UploadId"):
                    raise ProviderMalformed(
                        "an open upload has no key or no id", call=_describe_call(operation, region, name)
                    )
                key = _decode_key(upload["Key"], page)
                yield from self._upload_sizes(bucket, {"Key": key, "UploadId": upload["UploadId"]})

    def assert_exists(self, region: str, name: str) -> None:
        """Raise ProviderNotFound where the region has no such bucket. S3's `HeadBucket`."""
        self._call("HeadBucket", region, name)

    def _upload_sizes(self, bucket: BucketRecord, upload: Mapping[str, str]) -> Iterator[BucketSize]:
        """Yield the sizes of an open upload's parts; none if it was completed or aborted by now."""
        operation, uploads = "ListParts", 1
        try:
            for page in self._pages(operation, bucket.region, bucket.name, MaxParts=PAGE_SIZE, **upload):
                _, size = _sum_sizes(page, "Parts", "a part of an open upload", bucket, operation)
                yield BucketSize(open_uploads=uploads, open_bytes=size)
                uploads = 0  # counted with its first page
        except ProviderNotFound as gone:
            if gone.error_id != "NoSuchUpload":
                raise
        except (ProviderRejected, ProviderMalformed) as error:
            # One that can't be read, for good, must not keep the rest of the bucket from being measured.
            log.warning("upload_not_measured", reason=str(error))
            yield BucketSize(open_uploads=uploads)

    def _pages(
        self, operation: str, region: str, bucket: str, **params: object
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the pages of a list, to its end."""
        call = _describe_call(operation, region, bucket)
        proof, markers = _LISTS[operation]
        position: Mapping[str, object] = {}
        while True:
            page = self._call(operation, region, bucket, **params, **position)
            if proof not in page:  # any other XML would pass for an empty list
                raise ProviderMalformed(f"the answer has no {proof}", call=call)
            yield page
            following = {asks: page[marker] for marker, asks in markers.items() if page.get(marker)}
            if "KeyMarker" in following:
                following["KeyMarker"] = _decode_key(following["KeyMarker"], page)
            if not page.get("IsTruncated", bool(following)):
                return
            if not following or following == position:
                raise ProviderMalformed(f"there is more, but no new {' or '.join(markers)}", call=call)
            position = following

    def _call(self, operation: str, region: str, bucket: str, **params: object) -> Mapping[str, Any]:
        call = _describe_call(operation, region, bucket)
        if bucket:
            params["Bucket"] = bucket
        try:
            if region not in self._clients:
                endpoint = settings.SPACES_ENDPOINT_URL.replace("{region}", region)
                self._clients[region] = make_client(endpoint, self._keys)
            ask = getattr(self._clients[region], xform_name(operation))
            result: Mapping[str, Any] = ask(**params)
        except Exception as error:  # noqa: BLE001 - boto3 raises what it likes, and this is its one boundary
            provider_error = convert_s3_error(error, call, self._keys)
        else:
            return result
        # Raised out here: the error's context would hold the request, and with it the signature.
        raise provider_error


def _decode_key(key: str, page: Mapping[str, Any]) -> str:
    """Return an object's key as it is; a page may have it percent-encoded."""
    return unquote_plus(key) if page.get("EncodingType") == "url" else key


def _sum_sizes(
    page: Mapping[str, Any], items: str, an_item: str, bucket: BucketRecord, operation: str
) -> tuple[int, int]:
    """Return the count of a page's items, and their bytes."""
    sizes = [each.get("Size") for each in page.get(items, ())]
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        call = _describe_call(operation, bucket.region, bucket.name)
        log.warning("size_missing", call=call, reason=f"{an_item} has no size", count=len(sizes) - len(known))
    return len(sizes), sum(known)


def _describe_call(operation: str, region: str, bucket: str) -> str:
    """Name a call as errors do: `GET Spaces nyc3/media (ListObjectsV2)`."""
    method = "HEAD" if operation == "HeadBucket" else "GET"
    return f"{method} Spaces {region}{'/' if bucket else ''}{bucket} ({operation})"
