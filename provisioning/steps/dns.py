"""The name of a droplet in a DNS zone.

The name must be free when the saga begins. So whatever record of that name points to the droplet's address
later was made by the saga, whether it got the answer or not, and may be removed by it.
"""

import contextlib
from typing import Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from arcadia_cloud.digitalocean.records import DnsRecord
from provisioning.contract import FinalError, Step, StepState, Wait
from provisioning.steps.cloud import COMPENSATION_RETRIES, RETRIES, with_cloud
from provisioning.steps.idempotent_create import list_lag_ends_at, wait_for_listing

_ADDRESSES: Final = frozenset({"A", "AAAA", "CNAME"})


@with_cloud
def require_free_name(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Raise FinalError where the name points somewhere already, or there is no such zone."""
    zone, name = state.inputs["domain"], state.inputs["record_name"]
    taken = [record for record in cloud.dns_records(zone, name=name) if record.type in _ADDRESSES]
    if taken:
        raise FinalError(f"{name} in {zone} points to {taken[0].data} already ({taken[0].type})")
    return None


@with_cloud
def add_dns_record(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Point the name to the droplet's public address. Stores `dns_record_id`."""
    if state.get_output("droplet_ip") is None:
        raise FinalError(f"droplet {state.get_output('droplet_id')} has no public IPv4 address")
    own = _find_own(state, cloud)
    if not own:
        if wait := wait_for_listing(state, list_lag_ends_at(state), of="the record"):
            return wait
        own = [
            cloud.create_dns_record(
                state.inputs["domain"],
                type="A",
                name=state.inputs["record_name"],
                data=state.get_output("droplet_ip"),
                ttl=state.inputs.get("record_ttl"),
            )
        ]
    # A lost answer's record and this one: both point to our droplet, so either may go.
    for twin in own[1:]:
        _delete(state, cloud, twin.id)
    state.put_output("dns_record_id", own[0].id)
    return None


@with_cloud
def remove_dns_record(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Remove the record that the saga made, and no other."""
    known = state.get_output("dns_record_id")
    found = {record.id for record in _find_own(state, cloud)} | ({known} if known is not None else set())
    for record_id in sorted(found):
        _delete(state, cloud, record_id)
    return None if known is not None else wait_for_listing(state, list_lag_ends_at(state), of="a record")


def _find_own(state: StepState, cloud: DigitalOcean) -> list[DnsRecord]:
    zone, name, address = state.inputs["domain"], state.inputs["record_name"], state.get_output("droplet_ip")
    try:
        records = list(cloud.dns_records(zone, name=name, type="A"))
    except ProviderNotFound:  # the zone is gone, and its records with it
        return []
    return sorted((record for record in records if record.data == address), key=lambda record: record.id)


def _delete(state: StepState, cloud: DigitalOcean, record_id: int) -> None:
    with contextlib.suppress(ProviderNotFound):
        cloud.delete_dns_record(state.inputs["domain"], record_id)


STEPS = (
    Step("require_free_name", require_free_name, retries=RETRIES),
    Step(
        "add_dns_record",
        add_dns_record,
        compensate=remove_dns_record,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        compensate_on_failure=True,
    ),
)
