"""DNS zones with their records. Source: API reference, `GET /v2/domains`."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from arcadia_cloud.digitalocean.pagination import Listing
from arcadia_cloud.digitalocean.records import DnsRecord, DomainRecord
from inventory.kinds.spec import FULL, Detail, KindSpec, sorted_json
from inventory.sync.paging import read_all
from inventory.values import Kind, Observation

# Their data is a host's name, written with a dot at its end and told without one.
_NAMING: Final = frozenset({"CNAME", "MX", "NS", "SRV"})


@dataclass(frozen=True, slots=True)
class Zone:
    domain: DomainRecord
    records: list[DnsRecord]


def with_records(cloud: DigitalOcean, domain: DomainRecord) -> Zone | None:
    """Read the zone's records, in calls of their own: no other list has them. Raises ProviderError."""
    path = f"/v2/domains/{quote(domain.name, safe='')}/records"
    try:
        return Zone(domain, list(read_all(cloud, Listing(path, "domain_records", DnsRecord))))
    except ProviderNotFound:
        return None


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
    """Without its id, which changes when the same record is written anew."""
    data = record.data
    if record.type in _NAMING and data != ".":
        data = data.removesuffix(".").lower()
    told = {
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
    return {field: value for field, value in told.items() if value is not None}


DNS_ZONE = KindSpec(
    kind=Kind.DNS_ZONE,
    listings=(Listing("/v2/domains", "domains", DomainRecord),),
    enrich=with_records,
    to_observation=to_observation,
    detail=Detail("/v2/domains/{provider_id}", "domain"),
    modes=FULL,
    in_projects=True,
)
