"""The removal of a deployment's names and machines: the names can be put back, the machines can't.

Stores `dns_removed`, the records as they were, before the first of them is removed. The progress is
stored with every call: a write is sent soon after the step was entered, so a long list takes several entries.
"""

import contextlib
from typing import Any, Final

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderNotFound
from deployments.states import DeploymentState
from inventory.models import Resource
from inventory.values import PROVIDER, Kind
from provisioning.contract import PARTS, FinalError, Step, StepState, Wait
from provisioning.models import Provisioned
from provisioning.steps.cloud import ACTION_DEADLINE_SECONDS, COMPENSATION_RETRIES, RETRIES, with_cloud
from provisioning.steps.droplets.checks import wait_while_busy
from provisioning.steps.droplets.delete import remove_droplet
from provisioning.steps.idempotent_create import list_lag_ends_at, wait_for_listing
from provisioning.steps.inventory import observe_droplet_now, record_removal
from provisioning.steps.transitions import cancel_deployment, find_deployment


def _droplet_ids(state: StepState) -> list[int]:
    return [part["droplet_id"] for part in state.get_output(PARTS, {}).values()]


@with_cloud
def remove_dns_records(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Remove the records that point to the deployment's droplets, in whichever zone of ours they are."""
    removed = state.get_output("dns_removed")
    if removed is None:
        state.put_output("dns_removed", _find_records(state, cloud))
        # Committed before the first is removed: a worker that dies in between must not forget it.
        return Wait(0, "the deployment's DNS records are noted")
    done = state.get_output("dns_removed_until", 0)
    for number, record in enumerate(removed[done:], start=done + 1):
        # Gone already: a first try whose answer was lost, or somebody else.
        with contextlib.suppress(ProviderNotFound):
            cloud.delete_dns_record(record["zone"], record["id"])
        state.put_output("dns_removed_until", number)
    return None


@with_cloud
def restore_dns_records(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Write the records again that are missing, of droplets that are still there."""
    addresses = state.get_output("dns_live_addresses")
    if addresses is None:
        state.put_output("dns_live_addresses", sorted(_addresses_of_live(state, cloud)))
        return Wait(0, "the addresses of what is left are noted")
    zones: dict[str, set[tuple[str, str]]] = {}  # the names and data of each zone, read once an entry
    removed, done = state.get_output("dns_removed", []), state.get_output("dns_restored_until", 0)
    for number, record in enumerate(removed[done:], start=done + 1):
        zone = record["zone"]
        if zone not in zones:
            zones[zone] = {(each.name, each.data) for each in cloud.dns_records(zone)}
        # Looked up by its name and data: a record that is written again has another id.
        if record["data"] in addresses and (record["name"], record["data"]) not in zones[zone]:
            if wait := wait_for_listing(state, list_lag_ends_at(state), of="the record"):
                return wait
            cloud.create_dns_record(
                zone, type=record["type"], name=record["name"], data=record["data"], ttl=record["ttl"]
            )
        state.put_output("dns_restored_until", number)
    return None


def _find_records(state: StepState, cloud: DigitalOcean) -> list[dict[str, Any]]:
    addresses = _addresses_of_live(state, cloud)
    zones = Resource.objects.live().filter(provider=PROVIDER, kind=Kind.DNS_ZONE).order_by("pk")
    found = []
    for zone, records in zones.values_list("provider_id", "attrs__records"):
        # The inventory tells which zones to read; what they hold now, the provider does.
        if not any(record.get("data") in addresses for record in records or ()):
            continue
        found += [
            {
                "zone": zone,
                "id": each.id,
                "type": each.type,
                "name": each.name,
                "data": each.data,
                "ttl": each.ttl,
            }
            for each in cloud.dns_records(zone)
            if each.data in addresses
        ]
    return found


def _addresses_of_live(state: StepState, cloud: DigitalOcean) -> set[str]:
    addresses = set()
    for droplet_id in _droplet_ids(state):
        # One that an earlier run destroyed has no address any more.
        with contextlib.suppress(ProviderNotFound):
            networks = cloud.droplet(droplet_id).networks
            addresses |= {each.ip_address for each in (*networks.v4, *networks.v6) if each.type == "public"}
    return addresses


@with_cloud
def destroy_deployment(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Destroy the deployment's droplets, and delete their desired states. One that is gone is as good."""
    done = state.get_output("destroyed_until", 0)
    for number, droplet_id in enumerate(_droplet_ids(state)[done:], start=done + 1):
        droplet = observe_droplet_now(state, cloud, droplet_id)
        if droplet is not None:
            if busy := wait_while_busy(droplet):
                return busy
            remove_droplet(state, cloud, droplet)
        state.put_output("destroyed_until", number)
    # After the last: drift of a droplet that is still there would go unseen otherwise.
    Provisioned.objects.filter(
        resource__provider=PROVIDER,
        resource__kind=Kind.DROPLET,
        resource__provider_id__in=[str(droplet_id) for droplet_id in _droplet_ids(state)],
    ).delete()
    return None


@with_cloud
def cancel_what_is_destroyed(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Find out whether any droplet is gone: that has no way back, and may not be billed any more.

    Then the deployment is cancelled with its subscription, and FinalError raised, so that an operator sees
    what is left. A droplet that was just destroyed may be answered for some time.
    """
    gone = []
    for droplet_id in _droplet_ids(state):
        try:
            cloud.droplet(droplet_id)
        except ProviderNotFound:
            record_removal(state, Kind.DROPLET, str(droplet_id))
            gone.append(str(droplet_id))
    if not gone:
        return wait_for_listing(state, list_lag_ends_at(state), of="the droplets go")
    # Before the error is raised: a compensation that fails is recorded, and not entered again.
    cancel_deployment(state)
    deployment = find_deployment(state)
    left = "" if deployment.state == DeploymentState.ARCHIVED else "; offboard it again"
    raise FinalError(
        f"of deployment {deployment}, droplet {', '.join(gone)} is destroyed and its last snapshot kept; "
        f"the deployment is cancelled{left}"
    )


STEPS: Final = (
    Step(
        "remove_dns_records",
        remove_dns_records,
        compensate=restore_dns_records,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        compensate_on_failure=True,
    ),
    Step(
        "destroy_deployment",
        destroy_deployment,
        compensate=cancel_what_is_destroyed,
        retries=RETRIES,
        compensation_retries=COMPENSATION_RETRIES,
        deadline_seconds=ACTION_DEADLINE_SECONDS,
        compensate_on_failure=True,
    ),
)
