"""The name of a droplet in a DNS zone. Names are compared as DNS does: capitals make no difference.

The name must be free when the saga begins, and again once the record is made. So whatever record of that
name points to the droplet's address was made by the saga, whether it got the answer or not, and may be
removed by it.
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
    """Refuse a name that points somewhere already, or whose zone isn't ours. Raises FinalError."""
    _refuse_taken(state, _addresses_of_name(state, cloud))
    return None


@with_cloud
def add_dns_record(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Point the name to the droplet's public address. Stores `dns_record_id`.

    Raises FinalError where the name was taken since it was found free.
    """
    address = state.get_output("droplet_ip")
    if address is None:
        raise FinalError(f"droplet {state.get_output('droplet_id')} has no public IPv4 address")
    present = _addresses_of_name(state, cloud)
    own = [record for record in present if _is_own(state, record)]
    _refuse_taken(state, [record for record in present if record not in own])
    if not own:
        if wait := wait_for_listing(state, list_lag_ends_at(state), of="the record"):
            return wait
        own = [
            cloud.create_dns_record(
                _zone_of(state),
                type="A",
                name=_name_of(state),
                data=address,
                ttl=state.inputs.get("record_ttl"),
            )
        ]
        state.put_output("dns_record_id", own[0].id)
        # Between the look and the create another may have taken the name. Of two who look again, one goes.
        present = _addresses_of_name(state, cloud)
        _refuse_taken(state, [record for record in present if not _is_own(state, record)])
    # A lost answer's record and this one: both point to our droplet, so either may go.
    for twin in own[1:]:
        _delete(state, cloud, twin.id)
    state.put_output("dns_record_id", own[0].id)
    return None


@with_cloud
def remove_dns_record(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Remove the record that the saga made, and no other."""
    known = state.get_output("dns_record_id")
    try:
        own = {record.id for record in _addresses_of_name(state, cloud) if _is_own(state, record)}
    except ProviderNotFound:  # the zone is gone, and its records with it
        return None
    for record_id in sorted(own | ({known} if known is not None else set())):
        _delete(state, cloud, record_id)
    return None if known is not None else wait_for_listing(state, list_lag_ends_at(state), of="a record")


def _addresses_of_name(state: StepState, cloud: DigitalOcean) -> list[DnsRecord]:
    """Return the zone's records that point the name somewhere. Raises ProviderNotFound without such a zone.

    Of the whole zone: its filter by name may be sensitive to capitals.
    """
    found = (
        record
        for record in cloud.dns_records(_zone_of(state))
        if record.type in _ADDRESSES and record.name.lower().rstrip(".") == _name_of(state)
    )
    return sorted(found, key=lambda record: record.id)


def _is_own(state: StepState, record: DnsRecord) -> bool:
    return record.type == "A" and record.data == state.get_output("droplet_ip")


def _refuse_taken(state: StepState, records: list[DnsRecord]) -> None:
    if records:
        raise FinalError(
            f"{_name_of(state)} in {_zone_of(state)} points to {records[0].data} already ({records[0].type})"
        )


def _zone_of(state: StepState) -> str:
    return str(state.inputs["domain"]).lower()


def _name_of(state: StepState) -> str:
    return str(state.inputs["record_name"]).lower()


def _delete(state: StepState, cloud: DigitalOcean, record_id: int) -> None:
    # Gone already: a first try whose answer was lost, or somebody else.
    with contextlib.suppress(ProviderNotFound):
        cloud.delete_dns_record(_zone_of(state), record_id)


STEPS: Final = (
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
