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


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone with its records."""

    domain: DomainRecord
    records: list[DnsRecord]


def records_of(domain: DomainRecord) -> Listing[DnsRecord]:
    """Return the list of a zone's records."""
    return Listing(f"/v2/domains/{quote(domain.name, safe='')}/records", "domain_records", DnsRecord)


def to_observation(zone: Zone) -> Observation:
    """Map a zone: its records sorted, without what is null."""
    name = zone.domain.name
    return Observation(
        provider_id=name,
        urn=f"do:domain:{name}",
        name=name,
        attrs={"ttl": zone.domain.ttl, "records": sorted_json(_record(record) for record in zone.records)},
    )


def _record(record: DnsRecord) -> dict[str, Any]:
    """Map a record, without its id: that changes when the same record is written anew."""
    data = record.data
    if record.type in _HOST_NAME_TYPES and data != ".":
        data = data.removesuffix(".").lower()
    fields = {
        "type": record.type,
        "name": record.name,
        "data": data,
        "ttl": record.ttl,
        "priority": record.priority,
        "port": record.port,
        "weight": record.weight,
        "flags": record.flags,
        "tag": record.tag,
    }
    return {field: value for field, value in fields.items() if value is not None}


DNS_ZONE = KindSpec(
    kind=Kind.DNS_ZONE,
    listings=(Listing("/v2/domains", "domains", DomainRecord),),
    sub_listing=SubListing(records_of, Zone),
    to_observation=to_observation,
    detail=Detail("/v2/domains/{provider_id}", "domain"),
    modes=FULL,
    in_projects=True,
    ids_recur=True,
)
