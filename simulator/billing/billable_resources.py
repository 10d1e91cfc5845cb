"""What an account has, as it is billed: looked at anew for each question about money."""

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
_BALANCER_CENTS: Final = 1200
_IDLE_IP_CENTS: Final = 500
_APP_CENTS: Final = 500
_REGISTRY_CENTS: Final = 500
_VOLUME_CENTS_PER_GB: Final = 10
_SNAPSHOT_CENTS_PER_GB: Final = 6
_BACKUP_PERCENT: Final = 30  # of the droplet's price, daily


class BillableResources:
    """Everything that was ever billed. Droplets come and go; what else the fleet has stays as it began."""

    def __init__(self, account: Account, *, seed: int) -> None:
        self._account = account
        self._closed = make_past_resources(seed, account.team)
        self._list_others = _list_others(account)
        self._droplets: dict[int, BillableResource] = {}
        self._refresh(first=True)

    def all(self) -> list[BillableResource]:
        """What there was and is, by now."""
        self._refresh(first=False)
        return [*self._closed, *self._droplets.values(), *self._list_others]

    def droplets(self) -> dict[str, tuple[str, str]]:
        """By name, the id and project of each that is there."""
        return {
            billed.description.rpartition(" (")[0]: (billed.resource_id, billed.project)
            for billed in self._droplets.values()
        }

    def _refresh(self, *, first: bool) -> None:
        """A droplet that isn't what it was, is billed as another one from now on."""
        now = self._account.clock.now()
        held = {
            droplet.id: droplet
            for droplet in self._account.droplets.iter_stored()
            if self._account.droplets.find_stored(droplet.id) is not None and "k8s" not in droplet.tags
        }
        for droplet_id in [each for each in self._droplets if each not in held]:
            self._closed.append(self._droplets.pop(droplet_id).end_at(now))
        for droplet_id, droplet in held.items():
            known, present = self._droplets.get(droplet_id), _droplet(self._account, droplet)
            if known is None:
                self._droplets[droplet_id] = present
            elif known.description != present.description and not first:
                self._closed.append(known.end_at(now))
                self._droplets[droplet_id] = _from(present, now)


def _from(billed: BillableResource, at: datetime) -> BillableResource:
    return BillableResource(
        billed.product, billed.description, billed.monthly_cents, at, project=billed.project,
        resource_id=billed.resource_id,
    )  # fmt: skip


def _cents(dollars: Any) -> int:
    return int((Decimal(str(dollars)) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def _project_of(account: Account, urn: str) -> str:
    project = account.projects.get(account.projects.holder(urn))
    return project.name if project is not None else ""


def _droplet(account: Account, droplet: Droplet) -> BillableResource:
    return BillableResource(
        "Droplets",
        f"{droplet.name} ({droplet.size})",
        _cents(SIZES[droplet.size]["price_monthly"]),
        droplet.created_at,
        project=_project_of(account, droplet.urn),
        resource_id=str(droplet.id),
    )


def _list_others(account: Account) -> list[BillableResource]:
    """What the fleet has besides droplets. DigitalOcean tells the names of addresses and backups, not ids."""
    return [
        *(_volume(account, body) for body in _list_collection(account, "volume")),
        *(_snapshot(body) for body in _list_collection(account, "volume_snapshot")),
        *(_snapshot(body) for body in account.images.values() if body["type"] == "snapshot"),
        *(_backup(account, droplet) for droplet in account.droplets.iter_stored() if droplet.backup_policy),
        *(_balancer(account, body) for body in _list_collection(account, "load_balancer")),
        *(
            _address(account, body)
            for body in _list_collection(account, "reserved_ip")
            if body["droplet"] is None
        ),
        *(_database(account, body) for body in _list_collection(account, "database")),
        *(_cluster(account, body) for body in _list_collection(account, "kubernetes_cluster")),
        *(_app(account, body) for body in _list_collection(account, "app")),
        *(_registry(body) for body in _list_collection(account, "registry")),
    ]


def _list_collection(account: Account, shelf: str) -> list[Json]:
    return list(account.collections[shelf].values())


def _parse_created_at(body: Json) -> datetime:
    return datetime.fromisoformat(f"{str(body['created_at'])[:19]}+00:00")


def _volume(account: Account, body: Json) -> BillableResource:
    return BillableResource(
        "Volumes",
        f"{body['name']} ({body['region']}) {body['size_gigabytes']}GB",
        body["size_gigabytes"] * _VOLUME_CENTS_PER_GB,
        _parse_created_at(body),
        project=_project_of(account, f"do:volume:{body['id']}"),
        resource_uuid=str(body["id"]),
    )


def _snapshot(body: Json) -> BillableResource:
    """Of a volume by its uuid, of a droplet by its number."""
    key = str(body["id"])
    return BillableResource(
        "Snapshots",
        f"{body['name']} ({body['size_gigabytes']} GB)",
        max(1, _cents(Decimal(str(body["size_gigabytes"])) * _SNAPSHOT_CENTS_PER_GB) // 100),
        _parse_created_at(body),
        resource_id=key if key.isdecimal() else "",
        resource_uuid="" if key.isdecimal() else key,
    )


def _backup(account: Account, droplet: Droplet) -> BillableResource:
    billed = _droplet(account, droplet)
    cents = billed.monthly_cents * _BACKUP_PERCENT // 100
    return BillableResource("Backups", billed.description, cents, billed.started_at, project=billed.project)


def _balancer(account: Account, body: Json) -> BillableResource:
    return BillableResource(
        "Load Balancers",
        f"{body['name']} ({body['size']})",
        _BALANCER_CENTS,
        _parse_created_at(body),
        project=_project_of(account, f"do:loadbalancer:{body['id']}"),
        resource_uuid=str(body["id"]),
    )


def _address(account: Account, body: Json) -> BillableResource:
    opened = account.projects.default.created_at
    return BillableResource(
        "Floating IPs", f"Unused Floating IP - {body['ip']}", _IDLE_IP_CENTS, midnight(opened.date())
    )


def _database(account: Account, body: Json) -> BillableResource:
    return BillableResource(
        "Database Clusters",
        f"{body['name']} ({body['size']})",
        _DATABASE_CENTS[body["size"]] * int(body["num_nodes"]),
        _parse_created_at(body),
        group=str(body["name"]),
        project=_project_of(account, f"do:dbaas:{body['id']}"),
        category="paas",
        resource_uuid=str(body["id"]),
    )


def _cluster(account: Account, body: Json) -> BillableResource:
    nodes = sum(int(pool["count"]) for pool in body["node_pools"])
    return BillableResource(
        "Kubernetes Clusters",
        f"{nodes} nodes - 4 GB / 2 vCPU / 80 GB SSD",
        nodes * _NODE_CENTS,
        _parse_created_at(body),
        group=str(body["name"]),
        project=_project_of(account, f"do:kubernetes:{body['id']}"),
        resource_uuid=str(body["id"]),
    )


def _app(account: Account, body: Json) -> BillableResource:
    return BillableResource(
        "App Platform",
        f"{body['spec']['name']} (basic-xxs)",
        _APP_CENTS,
        _parse_created_at(body),
        project=_project_of(account, f"do:app:{body['id']}"),
        category="paas",
        resource_uuid=str(body["id"]),
    )


def _registry(body: Json) -> BillableResource:
    tier = body["subscription"]["tier"]["name"]
    return BillableResource(
        "Container Registry",
        f"{body['name']} ({tier})",
        _REGISTRY_CENTS,
        _parse_created_at(body),
        category="paas",
    )
