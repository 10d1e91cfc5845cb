"""Reading a kind from the provider as its spec declares: every list to its end, or one by its address."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import structlog
from msgspec.structs import replace

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import (
    MissingSpacesKeys,
    ProviderError,
    ProviderMalformed,
    ProviderNotFound,
    ProviderRejected,
    ProviderUnavailable,
)
from arcadia_cloud.digitalocean.listing import Page
from arcadia_cloud.digitalocean.records import BucketRecord
from arcadia_cloud.digitalocean.spaces import BucketSize, Spaces, endpoint_regions
from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.sql import fetch_all, load
from inventory.kinds.spaces_bucket import Bucket
from inventory.kinds.spec import KindSpec, Source
from inventory.models import Resource
from inventory.sync.paging import read_all, read_pages, record_key
from inventory.sync.run_records import Progress, resolve_sync_alerts
from inventory.values import PROVIDER, Kind, Observation

log = structlog.get_logger(__name__)

_NOT_MEASURED: Final = "bucket_not_measured"
_READ_PARENTS: Final = load(__package__, "read_parents.sql")


@dataclass(frozen=True, slots=True)
class _Parenthood:
    child_id: str
    parent_id: str


def read_lists(spec: KindSpec, cloud: DigitalOcean, progress: Progress) -> Iterator[Iterator[Page[Any]]]:
    """Yield the pages of each list of the kind, counted in `progress`. Iterating raises ProviderError."""
    if spec.source is Source.SPACES:
        yield _read_buckets(progress)
    for listing in spec.listings:
        pages = read_pages(cloud, listing, progress=progress, wanted=spec.wanted)
        apportion = spec.apportion
        if apportion is not None:
            pages = (dataclasses.replace(page, items=apportion(page.items)) for page in pages)
        yield pages


def read_parents(spec: KindSpec) -> dict[str, tuple[str, str]]:
    """Return `{resource's id: (parent's kind, parent's id)}` as the parents' rows list them; mostly empty."""
    if spec.parent_list is None:
        return {}
    kind = str(spec.parent_list.kind)
    parameters = {"provider": PROVIDER, "kind": kind, "attr": spec.parent_list.attr}
    rows = fetch_all(_READ_PARENTS, parameters, into=_Parenthood)
    return {row.child_id: (kind, row.parent_id) for row in rows}


def map_record(
    spec: KindSpec,
    cloud: DigitalOcean,
    record: Any,  # Any: each kind has a type of its own
) -> Observation | None:
    """Return the observation of a listed record; None where it vanished while it was being read.

    Raises ProviderError; ProviderMalformed where the mapping fails on an unexpected value, so that one such
    item fails its own kind and not the whole run.
    """
    mapped = record
    if spec.sub_listing is not None:
        try:
            parts = list(read_all(cloud, spec.sub_listing.listing_of(record)))
        except ProviderNotFound:
            return None
        mapped = spec.sub_listing.combine(record, parts)
    try:
        seen = spec.to_observation(mapped)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # With its traceback: a fault in our own mapping looks the same as a strange value.
        log.exception("mapping_failed", kind=str(spec.kind))
        raise ProviderMalformed(
            f"{spec.kind} {record_key(record)} has a value that can't be mapped ({type(error).__name__})"
        ) from error
    # Two things without an id would be one row, and each would overwrite the other's.
    if not seen.provider_id.strip():
        raise ProviderMalformed(f"{spec.kind} {seen.name} has no id")
    return seen


def look_up(spec: KindSpec, cloud: DigitalOcean, known: Resource) -> Observation | None:
    """Return one resource as its own address shows it; None where it is gone, or has no address.

    What isn't there stays as it is known. Raises ProviderError.
    """
    if spec.source is Source.SPACES:
        return _look_up_bucket(spec, cloud, known)
    if spec.detail is None:
        return None
    path = spec.detail.path.format(provider_id=quote(known.provider_id, safe=""))
    try:
        record = cloud.get(path, spec.listings[0].record, key=spec.detail.key)
    except ProviderNotFound:
        return None
    seen = map_record(spec, cloud, record)
    if seen is None:
        return None
    # What the detail lacks is taken over from the row, so that it isn't blanked.
    names = spec.detail.not_in_detail
    in_attrs = {name: known.attrs[name] for name in names if name in seen.attrs and name in known.attrs}
    fields = {name: getattr(known, name) for name in names if name not in seen.attrs}
    return replace(seen, **fields, attrs={**seen.attrs, **in_attrs})


def project_of(spec: KindSpec, seen: Observation, membership: Mapping[str, int]) -> int | None:
    """Return the row of the project that has the resource, by whichever of its URNs."""
    urns = (seen.urn, *(urn.format(provider_id=seen.provider_id) for urn in spec.other_urns))
    return next((membership[urn] for urn in urns if urn in membership), None)


def _read_buckets(progress: Progress) -> Iterator[Page[Bucket]]:
    """Yield a page per answer, a bucket on the one that completes its size; one that vanishes is left out.

    One whose size can't be read comes with the size that is known of it, and raises an alert. Raises
    MissingSpacesKeys where no keys are set; ProviderMalformed where two regions have a bucket of the same
    name, which no URN would distinguish; the first ProviderError of a region, or of a server that is away,
    once everything else was read.
    """
    errors: list[ProviderError] = []
    try:
        opened = Spaces()
    except MissingSpacesKeys:
        # Nobody uses them any more: no run will come that could resolve what an earlier one has raised.
        resolve_sync_alerts(Kind.SPACES_BUCKET, actor="sync")
        _resolve_alerts_of_removed_buckets({})
        raise
    with opened as spaces:
        buckets: dict[str, BucketRecord] = {}
        for region in endpoint_regions():
            try:
                listed = list(spaces.buckets(region))
            except ProviderError as error:
                errors.append(error)  # the run isn't complete; other regions are read all the same
                continue
            for record in listed:
                if (other := buckets.setdefault(record.name, record)) is not record:
                    raise ProviderMalformed(
                        f"bucket {record.name} is in {other.region} and in {record.region}"
                    )
            progress.pages += 1
            # Empty, to report that reading goes on: a region without buckets takes a call, too.
            yield Page([], None, progress.pages)
        if not errors:
            _resolve_alerts_of_removed_buckets(buckets)
        progress.expected = len(buckets)
        for record in buckets.values():
            try:
                yield from _measure_bucket(spaces, record, progress)
            except ProviderUnavailable as error:
                errors.append(error)
    if errors:
        raise errors[0]


def _resolve_alerts_of_removed_buckets(buckets: Mapping[str, BucketRecord]) -> None:
    """Resolve the alerts of buckets that are gone: nothing will ever measure those."""
    for alert in Alert.objects.filter(code=_NOT_MEASURED, resolved_at=None):
        if alert.subject.removeprefix("bucket:") not in buckets:
            resolve_alert(code=_NOT_MEASURED, subject=alert.subject, actor="sync")


def _measure_bucket(spaces: Spaces, record: BucketRecord, progress: Progress) -> Iterator[Page[Bucket]]:
    size = BucketSize()
    try:
        for page in spaces.sizes(record):
            size += page
            progress.pages += 1
            yield Page([], None, progress.pages)
    except ProviderNotFound:
        progress.expected = (progress.expected or 1) - 1
        return
    except (ProviderRejected, ProviderMalformed) as error:
        progress.seen += 1
        yield Page([_bucket_as_known(record, error)], None, progress.pages)
        return
    resolve_alert(code=_NOT_MEASURED, subject=f"bucket:{record.name}", actor="sync")
    progress.seen += 1
    yield Page([Bucket(record, size)], None, progress.pages)


def _bucket_as_known(record: BucketRecord, error: ProviderError) -> Bucket:
    """Return a bucket that is there but can't be read, with its last known size; raise an alert."""
    raise_alert(
        code=_NOT_MEASURED,
        subject=f"bucket:{record.name}",
        message=f"Bucket {record.name} was not measured: {error}",
    )
    known = Resource.objects.filter(
        provider=PROVIDER, kind=Kind.SPACES_BUCKET, provider_id=record.name, deleted_at=None
    ).first()
    if known is None or "size_bytes" not in known.attrs:
        return Bucket(record, None)
    attrs = known.attrs
    size = BucketSize(
        attrs["object_count"], attrs["size_bytes"], attrs["open_upload_count"], attrs["open_upload_bytes"]
    )
    return Bucket(record, size)


def _look_up_bucket(spec: KindSpec, cloud: DigitalOcean, known: Resource) -> Observation | None:
    record = BucketRecord(name=known.provider_id, region=known.region)
    try:
        with Spaces() as spaces:
            spaces.assert_exists(known.region, known.provider_id)
            bucket = Bucket(record, sum(spaces.sizes(record), BucketSize()))
    except ProviderNotFound:
        return None
    return map_record(spec, cloud, bucket)
