"""Spaces over the S3 protocol: which buckets there are, and how much lies in them.

DigitalOcean's own API knows no buckets, and nothing tells their sizes: those are sums over the list of
every object. Source: Spaces API reference; each region is an endpoint of its own and lists its own buckets.
What was uploaded of an object that isn't complete yet is billed, too, and on a list of its own (product
documentation, "Spaces Limits").
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import unquote_plus

import boto3
import botocore.session
import msgspec
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as S3ConnectionError
from botocore.parsers import ResponseParserError
from django.conf import settings

from arcadia_cloud.digitalocean.credentials import SpacesKeys, spaces_keys
from arcadia_cloud.digitalocean.errors import (
    ProviderError,
    ProviderForbidden,
    ProviderMalformed,
    ProviderNotFound,
    ProviderRejected,
    ProviderUnavailable,
)
from arcadia_cloud.digitalocean.records import BucketRecord
from arcadia_cloud.digitalocean.redaction import redact
from arcadia_cloud.digitalocean.responses import fault_of

# No API lists them. Source: "Spaces Availability" in the product documentation.
REGIONS: Final = (
    "ams3", "atl1", "blr1", "fra1", "lon1", "nyc3", "sfo2", "sfo3", "sgp1", "syd1", "tor1",
)  # fmt: skip
ATTEMPTS: Final = 5  # of each call; botocore waits in between, up to 20 s
PAGE_SIZE: Final = 1000  # the most that S3 gives
CONNECT_SECONDS: Final = 10
_SIGNING_REGION: Final = "us-east-1"  # Spaces takes any; some stand-ins take no other

# The machine's own AWS files are for another cloud, and a profile that isn't there would be an error.
_NO_PROFILE: Final = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


# Per list: the field that proves an answer to be one, and which of its fields asks for what follows.
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
    """So many objects and their bytes; so many open uploads and the bytes of their parts."""

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
    """The regions to ask. Where SPACES_ENDPOINT_URL names no region, one that has no name."""
    return REGIONS if "{region}" in settings.SPACES_ENDPOINT_URL else ("",)


class Spaces:
    """Spaces, with the keys of SPACES_KEY and SPACES_SECRET. Close it; one per thread.

    Every method raises ProviderUnavailable (try again later), ProviderRejected (don't) or
    ProviderMalformed; only reads are made, and repeated here. Making one raises MissingSpacesKeys or
    MissingToken.
    """

    def __init__(self) -> None:
        self._keys = spaces_keys()
        core = botocore.session.Session(session_vars=_NO_PROFILE)
        # Each object comes with a time that nobody asks for; to parse it would cost more than all the rest.
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
        self._session = boto3.session.Session(botocore_session=core)
        self._clients: dict[str, Any] = {}  # boto3's clients are made at run time: they have no type

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def buckets(self, region: str) -> Iterator[BucketRecord]:
        """Every bucket of the region that the key may see. S3's `ListBuckets`."""
        for answer in self._pages("ListBuckets", region, ""):
            for bucket in answer["Buckets"]:
                yield _bucket(bucket, region)

    def sizes(self, bucket: BucketRecord) -> Iterator[BucketSize]:
        """What each answer tells of the bucket; their sum is all of it. One answer at a time is in memory.

        A call for each 1,000 objects, and for each 1,000 parts of an open upload. Former versions, in a
        versioned bucket, aren't counted.
        """
        for answer in self._pages("ListObjectsV2", bucket.region, bucket.name, MaxKeys=PAGE_SIZE):
            objects, size = _sizes_in(answer, "Contents", "an object", bucket, "ListObjectsV2")
            yield BucketSize(objects, size)
        for upload in self._open_uploads(bucket):
            yield from self._uploaded(bucket, upload)

    def assert_there(self, region: str, name: str) -> None:
        """Raise ProviderNotFound where the region has no such bucket. S3's `HeadBucket`."""
        self._ask("HeadBucket", region, name)

    def _open_uploads(self, bucket: BucketRecord) -> Iterator[Mapping[str, str]]:
        """The key and id of each upload that was begun and neither completed nor given up."""
        operation, region, name = "ListMultipartUploads", bucket.region, bucket.name
        # A key may hold what XML can't; S3's own lists are asked for in this way by botocore itself.
        for answer in self._pages(operation, region, name, MaxUploads=PAGE_SIZE, EncodingType="url"):
            for upload in answer.get("Uploads", ()):
                if not upload.get("Key") or not upload.get("UploadId"):
                    raise ProviderMalformed(
                        "an open upload has no key or no id", call=_call(operation, region, name)
                    )
                yield {"Key": _key(upload["Key"], answer), "UploadId": upload["UploadId"]}

    def _uploaded(self, bucket: BucketRecord, upload: Mapping[str, str]) -> Iterator[BucketSize]:
        """What is there of an open upload; nothing if it was completed or given up by now."""
        operation, began = "ListParts", 1
        try:
            for answer in self._pages(operation, bucket.region, bucket.name, MaxParts=PAGE_SIZE, **upload):
                _, size = _sizes_in(answer, "Parts", "a part of an open upload", bucket, operation)
                yield BucketSize(open_uploads=began, open_bytes=size)
                began = 0
        except ProviderNotFound as gone:
            if gone.error_id != "NoSuchUpload":
                raise

    def _pages(
        self, operation: str, region: str, bucket: str, **params: object
    ) -> Iterator[Mapping[str, Any]]:
        """The answers of a list, to its end. Any XML would pass for an empty one, hence the proof."""
        call = _call(operation, region, bucket)
        proof, markers = _LISTS[operation]
        turn: Mapping[str, object] = {}
        while True:
            answer = self._ask(operation, region, bucket, **params, **turn)
            if proof not in answer:
                raise ProviderMalformed(f"the answer has no {proof}", call=call)
            yield answer
            told = {asks: answer[tells] for tells, asks in markers.items() if answer.get(tells)}
            if "KeyMarker" in told:
                told["KeyMarker"] = _key(told["KeyMarker"], answer)
            if not answer.get("IsTruncated", bool(told)):
                return
            if not told or told == turn:
                raise ProviderMalformed(f"there is more, but no new {' or '.join(markers)}", call=call)
            turn = told

    def _ask(self, operation: str, region: str, bucket: str, **params: object) -> Mapping[str, Any]:
        call = _call(operation, region, bucket)
        if bucket:
            params["Bucket"] = bucket
        try:
            answer: Mapping[str, Any] = getattr(self._client(region), xform_name(operation))(**params)
        except (BotoCoreError, ClientError, ResponseParserError, ValueError) as error:
            refusal = _refusal(error, call, self._keys)
        else:
            return answer
        # Raised out here: the error's context would hold the request, and with it the signature.
        raise refusal

    def _client(self, region: str) -> Any:
        if region not in self._clients:
            self._clients[region] = self._session.client(
                "s3",
                region_name=_SIGNING_REGION,
                endpoint_url=settings.SPACES_ENDPOINT_URL.replace("{region}", region),
                aws_access_key_id=self._keys.key,
                aws_secret_access_key=self._keys.secret,
                config=Config(
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=settings.DO_TIMEOUT_SECONDS,
                    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                    signature_version="s3v4",
                    # A dot in a bucket's name would fall out of the certificate of the host that it makes.
                    s3={"addressing_style": "path"},
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                ),
            )
        return self._clients[region]


def _key(told: str, answer: Mapping[str, Any]) -> str:
    """An object's key as it is; an answer may have it as an address does."""
    return unquote_plus(told) if answer.get("EncodingType") == "url" else told


def _sizes_in(
    answer: Mapping[str, Any], items: str, an_item: str, bucket: BucketRecord, operation: str
) -> tuple[int, int]:
    """How many there are in an answer, and their bytes."""
    sizes = [each.get("Size") for each in answer.get(items, ())]
    if None in sizes:
        raise ProviderMalformed(f"{an_item} has no size", call=_call(operation, bucket.region, bucket.name))
    return len(sizes), sum(sizes)


def _call(operation: str, region: str, bucket: str) -> str:
    """What was asked, as errors name it: `GET Spaces nyc3/media (ListObjectsV2)`."""
    method = "HEAD" if operation == "HeadBucket" else "GET"
    return f"{method} Spaces {region}{'/' if bucket else ''}{bucket} ({operation})"


def _bucket(bucket: Mapping[str, Any], region: str) -> BucketRecord:
    told = {"name": bucket.get("Name"), "region": region, "created_at": bucket.get("CreationDate")}
    try:
        return msgspec.convert(told, BucketRecord)
    except msgspec.ValidationError as error:
        raise ProviderMalformed(
            f"bucket {told['name']}: {error}", call=_call("ListBuckets", region, "")
        ) from None


def _refusal(error: Exception, call: str, keys: SpacesKeys) -> ProviderError:
    """The same in our words: those of a library may quote what was sent."""
    if isinstance(error, ClientError):
        return _refused(error, call, keys)
    if isinstance(error, HTTPClientError | S3ConnectionError):
        return fault_of(error, call=call, changes=False).error
    if isinstance(error, ResponseParserError | ValueError):  # a number that is none is a plain ValueError
        return ProviderMalformed("the answer is not the XML that S3 speaks", call=call)
    return ProviderRejected(f"the call can't be made: {type(error).__name__}", call=call)


def _refused(error: ClientError, call: str, keys: SpacesKeys) -> ProviderError:
    told, about = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    status = about.get("HTTPStatusCode")
    kind: type[ProviderError] = ProviderRejected
    if status == HTTPStatus.TOO_MANY_REQUESTS or (status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = ProviderUnavailable
    elif status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        kind = ProviderForbidden
    elif status == HTTPStatus.NOT_FOUND:
        kind = ProviderNotFound
    code, message, request_id = (
        redact(str(text or ""), keys.key, keys.secret)
        for text in (told.get("Code"), told.get("Message"), about.get("RequestId"))
    )
    has_own_error = code != str(status)
    if kind is ProviderUnavailable and not has_own_error:
        message = f"{message}, or an answer that is not XML"  # botocore takes such a one for a 500
    return kind(
        message or "no reason was told",
        status=status,
        error_id=code if has_own_error else "",
        request_id=request_id,
        call=call,
    )
