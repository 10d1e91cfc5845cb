"""The records of a zone, made those that are desired.

A record has no name of its own: equal ones are the same. So what is missing takes the place of
what is left over of its type and name, and only the rest is deleted and written.
"""

from collections import defaultdict
from contextlib import suppress
from typing import Any, Final

import msgspec

from arcadia_cloud.digitalocean.errors import ProviderNotFound
from arcadia_cloud.digitalocean.records import DnsRecord, DomainRecord
from inventory.queries import kind_spec
from inventory.values import Kind
from provisioning.contract import Wait
from provisioning.steps.idempotent_create import list_lag_ends_at, wait_for_listing
from provisioning.steps.revert.change import Change

_SUB_LISTING: Final[Any] = kind_spec(Kind.DNS_ZONE).sub_listing  # Any: a zone has one, other kinds none
_MAP: Final = _SUB_LISTING.combine
_KEPT: Final = "SOA"  # the zone's own, which is neither written nor deleted


def write_records(change: Change) -> Wait | None:
    """Change, delete and write records until the zone has exactly those that are desired."""
    zone = change.provider_id
    # The zone's own record stays as it is; ids are the provider's, and new with each write.
    desired = [
        msgspec.convert({**record, "id": 0}, DnsRecord)
        for record in change.value
        if record.get("type") != _KEPT
    ]
    wanted = {_key(fields): fields for fields in _normalize(zone, desired)}
    missing, surplus = dict(wanted), []
    live = list(change.cloud.dns_records(zone))
    for record, fields in zip(live, _normalize(zone, live), strict=True):
        if fields["type"] == _KEPT:
            continue
        # Of two equal ones the second is left over: a lost answer's and that of the repetition.
        if missing.pop(_key(fields), None) is None:
            surplus.append((record.id, fields))
    # What this attempt wrote may not be listed yet, where it had to begin again.
    written: list[str] = change.state.get_output("written", [])
    missing = {key: fields for key, fields in missing.items() if key not in written}
    if missing and (wait := wait_for_listing(change.state, list_lag_ends_at(change.state), of="a record")):
        return wait
    by_name = defaultdict(list)
    for record_id, fields in surplus:
        by_name[fields["type"], fields["name"]].append(record_id)
    replaced: dict[str, int] = {}
    for key, fields in missing.items():
        if same_name := by_name[fields["type"], fields["name"]]:
            replaced[key] = same_name.pop(0)
    # Deleted before others are written: a CNAME stands beside no other record of its name.
    for record_id in [each for left in by_name.values() for each in left]:
        with suppress(ProviderNotFound):
            change.cloud.delete_dns_record(zone, record_id)
    for key, fields in missing.items():
        change.cloud.write_dns_record(zone, fields, record_id=replaced.get(key))
        written = [*written, key]
        change.state.put_output("written", written)
    return None


def _normalize(zone: str, records: list[DnsRecord]) -> list[dict[str, Any]]:
    """Return the records as the inventory maps them, in their order."""
    mapped: list[dict[str, Any]] = _MAP(DomainRecord(name=zone), records).records
    return mapped


def _key(fields: dict[str, Any]) -> str:
    return msgspec.json.encode(fields, order="sorted").decode()
