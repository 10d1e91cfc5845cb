"""DNS zones with their records. Source: API reference, `GET /v2/domains`."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import DnsRecord, DomainRecord
from inventory.kinds.spec import FULL, Detail, KindSpec, SubListing, sorted_json
from inventory.values import Kind, Observation

# Their data is a host's name: it is written with a dot at its end, and listed without one.
_HOST_NAME_TYPES: Final = frozenset({"CNAME", "MX", "NS", "SRV"})
_FIELDS: Final = ("type", "name", "data", "ttl", "priority", "port", "weight", "flags", "tag")


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone with its records as they are mapped; None where they were never read."""

    domain: DomainRecord
    records: list[dict[str, Any]] | None

    @property
    def name(self) -> str:
        """The zone's id."""
        return self.domain.name


def records_of(domain: DomainRecord) -> Listing[DnsRecord]:
    """Return the list of a zone's records."""
    return Listing(f"/v2/domains/{quote(domain.name, safe='')}/records", "domain_records", DnsRecord)


def with_records(domain: DomainRecord, records: list[DnsRecord]) -> Zone:
    """Return the zone with the records that were just read."""
    return Zone(domain, [_record(record) for record in records])


def with_known_records(domain: DomainRecord, attrs: dict[str, Any]) -> Zone:
    """Return the zone with the records that its row has."""
    known = attrs.get("records")
    if known is None:
        return Zone(domain, None)
    # In the order in which they are mapped: jsonb has one of its own, and the digest would differ.
    return Zone(domain, [{field: record[field] for field in _FIELDS if field in record} for record in known])


def to_observation(zone: Zone) -> Observation:
    """Map a zone: its records sorted, without what is null."""
    name = zone.domain.name
    records = {} if zone.records is None else {"records": sorted_json(zone.records)}
    return Observation(
        provider_id=name,
        urn=f"do:domain:{name}",
        name=name,
        attrs={"ttl": zone.domain.ttl, **records},
    )


def _record(record: DnsRecord) -> dict[str, Any]:
    """Map a record, without its id: that changes when the same record is written anew."""
    data = record.data
    if record.type in _HOST_NAME_TYPES and data != ".":
        data = data.removesuffix(".").lower()
    fields = {field: data if field == "data" else getattr(record, field) for field in _FIELDS}
    return {field: value for field, value in fields.items() if value is not None}


DNS_ZONE = KindSpec(
    kind=Kind.DNS_ZONE,
    listings=(Listing("/v2/domains", "domains", DomainRecord),),
    sub_listing=SubListing(records_of, with_records, with_known_records, title="records"),
    to_observation=to_observation,
    detail=Detail("/v2/domains/{provider_id}", "domain"),
    modes=FULL,
    in_projects=True,
    ids_recur=True,
)
