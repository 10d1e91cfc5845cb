"""The resources of an account as billed, compared with the account at each request about billing."""

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from simulator.account import Account
from simulator.billing.past_resources import make_past_resources
from simulator.billing.rating import BillableResource, midnight
from simulator.catalog import SIZES, Json
from simulator.droplet import Droplet

_DATABASE_CENTS: Final = {"db-s-1vcpu-1gb": 1500, "db-s-2vcpu-4gb": 6000}
_NODE_CENTS: Final = 2400
_LOAD_BALANCER_CENTS: Final = 1200
_UNUSED_IP_CENTS: Final = 500
_APP_CENTS: Final = 500
_REGISTRY_CENTS: Final = 500
_VOLUME_CENTS_PER_GB: Final = 10
_SNAPSHOT_CENTS_PER_GB: Final = 6
_BACKUP_PERCENT: Final = 30  # of the droplet's price, daily


class BillableResources:
    """All resources that were ever billed. Droplets change; other resources stay as they began."""

    def __init__(self, account: Account, *, seed: int) -> None:
        self._account = account
        self._ended = make_past_resources(seed, account.team)
        self._others = _list_others(account)
        self._droplets: dict[int, BillableResource] = {}
        self._refresh()

    def list_all(self) -> list[BillableResource]:
        """Return all resources that exist now or did before."""
        self._refresh()
        return [*self._ended, *self._droplets.values(), *self._others]

    def find_droplets(self) -> dict[str, tuple[str, str]]:
        """Return the id and project of each existing droplet, by name."""
        return {
            resource.description.rpartition(" (")[0]: (resource.resource_id, resource.project)
            for resource in self._droplets.values()
        }

    def _refresh(self) -> None:
        """Bill each droplet that was renamed or resized as another resource from now on."""
        now = self._account.clock.now()
        # Without synthetic droplets, which are in no regular invoice, and workers, which their cluster bills.
        stored = {
            droplet.id: droplet
            for droplet in self._account.droplets.iter_stored()
            if self._account.droplets.find_stored(droplet.id) is not None and "k8s" not in droplet.tags
        }
        for droplet_id in [each for each in self._droplets if each not in stored]:
            self._ended.append(self._droplets.pop(droplet_id).end_at(now))
        for droplet_id, droplet in stored.items():
            known, present = self._droplets.get(droplet_id), _bill_droplet(self._account, droplet)
            if known is None:
                self._droplets[droplet_id] = present
            elif known.description != present.description:
                self._ended.append(known.end_at(now))
                self._droplets[droplet_id] = replace(present, started_at=now)


def _cents(dollars: Any) -> int:
    return int((Decimal(str(dollars)) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def _find_project_name(account: Account, urn: str) -> str:
    project = account.projects.get(account.projects.find_project_id(urn))
    return project.name if project is not None else ""


def _bill_droplet(account: Account, droplet: Droplet) -> BillableResource:
    return BillableResource(
        "Droplets",
        f"{droplet.name} ({droplet.size})",
        _cents(SIZES[droplet.size]["price_monthly"]),
        droplet.created_at,
        project=_find_project_name(account, droplet.urn),
        resource_id=str(droplet.id),
    )


def _list_others(account: Account) -> list[BillableResource]:
    """Return the fleet's resources besides droplets; invoices have no ids of addresses and backups."""
    return [
        *(_bill_volume(account, body) for body in _list_collection(account, "volume")),
        *(_bill_snapshot(body) for body in _list_collection(account, "volume_snapshot")),
        *(_bill_snapshot(body) for body in account.images.values() if body["type"] == "snapshot"),
        *(
            _bill_backup(account, droplet)
            for droplet in account.droplets.iter_stored()
            if droplet.backup_policy
        ),
        *(_bill_load_balancer(account, body) for body in _list_collection(account, "load_balancer")),
        # An address is free for as long as a droplet has it.
        *(
            _bill_reserved_ip(account, body)
            for body in _list_collection(account, "reserved_ip")
            if body["droplet"] is None
        ),
        *(_bill_database(account, body) for body in _list_collection(account, "database")),
        *(_bill_cluster(account, body) for body in _list_collection(account, "kubernetes_cluster")),
        *(_bill_app(account, body) for body in _list_collection(account, "app")),
        *(_bill_registry(body) for body in _list_collection(account, "registry")),
    ]


def _list_collection(account: Account, name: str) -> list[Json]:
    return list(account.collections[name].values())


def _parse_created_at(body: Json) -> datetime:
    # Cut to the second: some kinds have nanoseconds, which `fromisoformat` refuses.
    return datetime.fromisoformat(f"{str(body['created_at'])[:19]}+00:00")


def _bill_volume(account: Account, body: Json) -> BillableResource:
    return BillableResource(
        "Volumes",
        f"{body['name']} ({body['region']}) {body['size_gigabytes']}GB",
        body["size_gigabytes"] * _VOLUME_CENTS_PER_GB,
        _parse_created_at(body),
        project=_find_project_name(account, f"do:volume:{body['id']}"),
        resource_uuid=str(body["id"]),
    )


def _bill_snapshot(body: Json) -> BillableResource:
    """Bill a snapshot of a volume by its uuid, of a droplet by its number."""
    key = str(body["id"])
    return BillableResource(
        "Snapshots",
        f"{body['name']} ({body['size_gigabytes']} GB)",
        # A cent at least: a snapshot of nothing would be a line of nothing.
        max(1, _cents(Decimal(str(body["size_gigabytes"])) * _SNAPSHOT_CENTS_PER_GB) // 100),
        _parse_created_at(body),
        resource_id=key if key.isdecimal() else "",
        resource_uuid="" if key.isdecimal() else key,
    )


def _bill_backup(account: Account, droplet: Droplet) -> BillableResource:
    billed = _bill_droplet(account, droplet)
    cents = billed.monthly_cents * _BACKUP_PERCENT // 100
    return BillableResource("Backups", billed.description, cents, billed.started_at, project=billed.project)


def _bill_load_balancer(account: Account, body: Json) -> BillableResource:
    return BillableResource(
        "Load Balancers",
        f"{body['name']} ({body['size']})",
        _LOAD_BALANCER_CENTS,
        _parse_created_at(body),
        project=_find_project_name(account, f"do:loadbalancer:{body['id']}"),
        resource_uuid=str(body["id"]),
    )


def _bill_reserved_ip(account: Account, body: Json) -> BillableResource:
    opened = account.projects.default.created_at
    return BillableResource(
        "Floating IPs", f"Unused Floating IP - {body['ip']}", _UNUSED_IP_CENTS, midnight(opened.date())
    )


def _bill_database(account: Account, body: Json) -> BillableResource:
    return BillableResource(
        "Database Clusters",
        f"{body['name']} ({body['size']})",
        _DATABASE_CENTS[body["size"]] * int(body["num_nodes"]),
        _parse_created_at(body),
        group=str(body["name"]),
        project=_find_project_name(account, f"do:dbaas:{body['id']}"),
        category="paas",
        resource_uuid=str(body["id"]),
    )


def _bill_cluster(account: Account, body: Json) -> BillableResource:
    # All pools in one line, as DigitalOcean bills a cluster, in place of its workers' own lines.
    nodes = sum(int(pool["count"]) for pool in body["node_pools"])
    return BillableResource(
        "Kubernetes Clusters",
        f"{nodes} nodes - 4 GB / 2 vCPU / 80 GB SSD",
        nodes * _NODE_CENTS,
        _parse_created_at(body),
        group=str(body["name"]),
        project=_find_project_name(account, f"do:kubernetes:{body['id']}"),
        resource_uuid=str(body["id"]),
    )


def _bill_app(account: Account, body: Json) -> BillableResource:
    return BillableResource(
        "App Platform",
        f"{body['spec']['name']} (basic-xxs)",
        _APP_CENTS,
        _parse_created_at(body),
        project=_find_project_name(account, f"do:app:{body['id']}"),
        category="paas",
        resource_uuid=str(body["id"]),
    )


def _bill_registry(body: Json) -> BillableResource:
    tier = body["subscription"]["tier"]["name"]
    return BillableResource(
        "Container Registry",
        f"{body['name']} ({tier})",
        _REGISTRY_CENTS,
        _parse_created_at(body),
        category="paas",
    )
