"""The truths about two installations on one account: each made its own, and neither touched the other's."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from arcadia_cloud.kernel.models import Alert
from inventory.models import Resource
from provisioning.models import Provisioned
from provisioning.orphans import ORPHAN, report_orphans
from provisioning.saga_marks import find_maker
from provisioning.states import ENDED
from tests.provisioning.workflows.crash_cases import FORWARD
from tests.provisioning.workflows.installation_orders import BIG, SHARED, SMALL, Machines, Order
from tests.provisioning.workflows.installations import Installation, Pair
from tests.simulator.api import Json

Orders = Mapping[str, Sequence[Order]]
# What a write is about, by its path; creates name theirs in the log's `made`.
_ABOUT: Final = (
    (re.compile(r"/v2/droplets/(\d+)(?:/actions)?"), "droplet"),
    (re.compile(r"/v2/domains/[^/]+/records/(\d+)"), "record"),
    (re.compile(r"/v2/projects/([0-9a-f-]{36})"), "project"),
    (re.compile(r"/v2/snapshots/(\d+)"), "snapshot"),
)
_CREATES: Final = {
    "/v2/droplets": "droplet",
    "/v2/projects": "project",
    "/v2/domains/acme-wiki.example/records": "record",
}
_OFF_AT_FIRST: Final = "power_on_droplet"


class Account:
    """The account's history while both were at work: what each write was about, and who made what."""

    def __init__(self, pair: Pair, machines: Machines) -> None:
        self._pair = pair
        self._shared = {f"droplet {each}" for each in machines.shared}
        self.makers = {
            f"droplet {each}": name for name, droplet_ids in machines.own.items() for each in droplet_ids
        }
        self.snapshot_names: dict[str, str] = {}
        self._entries: list[Json] = []
        self._read = 0

    def collect(self) -> None:
        """Read on in the simulator's log, which forgets, and note the snapshots that are there."""
        # The snapshots first: one that is deleted afterwards is known by then.
        found = self._pair.cloud.all("/v2/snapshots", "snapshots")
        self.snapshot_names |= {each["id"]: each["name"] for each in found}
        for entry in self._pair.simulator.requests(since=str(self._read)):
            self._read = entry["number"]
            maker = self._pair.of_token(entry["token"])
            if entry["method"] == "GET" or maker is None:
                continue
            self._entries.append(entry)
            for made in entry["made"] if entry["path"] in _CREATES else ():
                self.makers[f"{_CREATES[entry['path']]} {made}"] = maker.name

    def writes_of(self, installation: Installation) -> list[Json]:
        return [each for each in self._entries if installation.token.endswith(each["token"])]

    def touched(self, makers_of_nonces: Mapping[str, str]) -> list[str]:
        """Return a line for each write of one installation on what the other made."""
        wrong = []
        for installation in self._pair.both:
            for entry in self.writes_of(installation):
                for what in self._about(entry):
                    maker = self.makers.get(what)
                    if what.startswith("snapshot"):
                        nonce = self.snapshot_names.get(what.removeprefix("snapshot "), "").rpartition("-")[2]
                        maker = makers_of_nonces.get(nonce, installation.name)  # one that was never seen
                    is_for_both = what in self._shared and entry["path"].endswith("/actions")
                    if maker != installation.name and not is_for_both:
                        wrong.append(
                            f"{installation.name}: {entry['method']} {entry['path']}: {what} is {maker}'s"
                        )
        return wrong

    def _about(self, entry: Json) -> list[str]:
        if entry["path"] in _CREATES:
            return []
        if entry["path"].endswith("/resources"):
            return [f"droplet {urn.rpartition(':')[2]}" for urn in entry["made"]]
        found = [(kind, match[1]) for path, kind in _ABOUT if (match := path.fullmatch(entry["path"]))]
        return [f"{kind} {key}" for kind, key in found] or [f"a path of no saga: {entry['path']}"]


@dataclass(slots=True)
class Left:
    """The rest of the account: all that no saga has accounted for yet."""

    droplets: dict[int, Json]
    records: dict[int, Json]
    snapshots: set[str]
    projects: set[str]

    def take(self, order: Order) -> tuple[list[Json], list[Json], int]:
        """Take out what has the saga's mark: droplets, the records that point there, snapshots."""
        saga = order.saga
        droplets = [each for each in self.droplets.values() if _is_of(each, order)]
        # By the address too: a record of which the saga doesn't know is left by it all the same.
        address = saga.context.get("droplet_ip")
        records = [
            each
            for each in self.records.values()
            if order.droplet_id is None and address is not None and each["data"] == address
        ]
        snapshots = {
            name for name in self.snapshots if re.search(rf"-saga-{saga.pk}-\d+-{saga.nonce}$", name)
        }
        for droplet in droplets:
            del self.droplets[droplet["id"]]
        for record in records:
            del self.records[record["id"]]
        self.snapshots -= snapshots
        if saga.status == "completed":
            self.projects.discard(order.inputs.get("project", ""))
        return droplets, records, len(snapshots)


def judge(pair: Pair, account: Account, orders: Orders) -> list[str]:
    """Return a line for each untruth; every saga is in `orders`, none runs any more."""
    account.collect()
    droplets = {each["id"]: each for each in pair.cloud.all("/v2/droplets", "droplets")}
    records = {each["id"]: each for each in pair.cloud.records()}
    left = Left(dict(droplets), records, pair.cloud.snapshots(), set(pair.cloud.projects()) - {SHARED})
    makers = {order.saga.nonce: name for name, own in orders.items() for order in own}
    wrong, destroyed = account.touched(makers), set()
    for name, own in orders.items():
        for order in own:
            marked, named, snapshots = left.take(order)
            found = _wrong_saga(order) + _made_elsewhere(account, marked, name)
            if order.droplet_id is None:
                found += _wrong_made(order, marked, named)
            else:
                found += _wrong_changed(order, droplets.get(order.droplet_id), snapshots)
                destroyed |= {order.droplet_id} - droplets.keys()
            wrong += [f"{name}: {order}: {each}" for each in found]
    before = pair.cloud.before
    wrong += _differences("droplets", set(left.droplets), set(before["droplets"]) - destroyed)
    wrong += _differences("records", set(left.records), set(before["records"]))
    wrong += _differences("projects", left.projects, set(before["projects"]))
    wrong += _differences("snapshots", left.snapshots, before["snapshots"])
    for installation in pair.both:
        wrong += _wrong_known(installation, droplets, orders)
    return wrong


def _made_elsewhere(account: Account, droplets: Sequence[Json], name: str) -> list[str]:
    makers = {each["id"]: account.makers.get(f"droplet {each['id']}") for each in droplets}
    return [f"{key} has its mark, and {maker} made it" for key, maker in makers.items() if maker != name]


def _is_of(droplet: Json, order: Order) -> bool:
    makers = [maker for maker in map(find_maker, droplet["tags"]) if maker is not None]
    return any((maker.saga_id, maker.nonce) == (order.saga.pk, order.saga.nonce) for maker in makers)


def _wrong_saga(order: Order) -> list[str]:
    wrong = []
    if order.saga.status not in ENDED or order.saga.status == "failed":
        wrong.append(f"it is {order.saga.status}")
    # A faithless day is survived: what is to complete does, unless both wanted the same name in DNS.
    if order.way == FORWARD and not order.is_contested and order.saga.status != "completed":
        wrong.append(f"it is {order.saga.status}: {order.saga.error}")
    if order.saga.compensation_failures and order.kind != "destroy_droplet":
        wrong.append(f"{order.saga.compensation_failures} undos failed")
    return wrong


def _wrong_made(order: Order, marked: Sequence[Json], records: Sequence[Json]) -> list[str]:
    """A completed one has one droplet, and one record that points there; a rolled-back one has neither."""
    if order.saga.status != "completed":
        return [f"it left droplet {each['id']}" for each in marked]
    ids = [each["id"] for each in marked]
    if ids != [order.saga.context["droplet_id"]]:
        return [f"its droplets are {ids}, and it knows {order.saga.context['droplet_id']}"]
    shown = (
        marked[0]["name"],
        marked[0]["size_slug"],
        marked[0]["status"],
        [each["data"] for each in records],
    )
    wanted = (order.inputs["name"], "s-1vcpu-1gb", "active", [order.saga.context["droplet_ip"]])
    return [f"it is {shown}, not {wanted}"] if shown != wanted else []


def _wrong_changed(order: Order, droplet: Json | None, snapshots: int) -> list[str]:
    """The droplet that it worked on is as it ordered, or as it was."""
    is_done = order.saga.status == "completed"
    if order.kind == "destroy_droplet" and (is_done or order.saga.compensation_failures):
        return [] if (droplet, snapshots) == (None, 1) else [f"left: {droplet}, {snapshots} snapshots"]
    if droplet is None:
        return [f"droplet {order.droplet_id} is gone"]
    size = BIG if is_done and order.kind == "resize_droplet" else SMALL
    is_off = (order.kind == "power_off_droplet") if is_done else (order.kind == _OFF_AT_FIRST)
    with_snapshot = is_done and order.kind in {"resize_droplet", "snapshot_droplet"}
    shown = (droplet["size_slug"], droplet["status"], snapshots)
    wanted = (size, "off" if is_off else "active", int(with_snapshot))
    return [f"it is {shown}, not {wanted}"] if shown != wanted else []


def _differences(what: str, found: set[Any], expected: set[Any]) -> list[str]:
    return [f"{what}: {each} is left over" for each in sorted(found - expected)] + [
        f"{what}: {each} is missing" for each in sorted(expected - found)
    ]


def _wrong_known(installation: Installation, droplets: Mapping[int, Json], orders: Orders) -> list[str]:
    """Its inventory has all of the account; what the other's sagas made is reported, without a bad advice."""
    wrong = []
    with installation.inside():
        installation.sync()
        known = set(Resource.objects.live().filter(kind="droplet").values_list("provider_id", flat=True))
        # What the other has destroyed takes three strikes to be known as gone.
        wrong += [
            f"{installation.name} doesn't know droplet {each}" for each in {*map(str, droplets)} - known
        ]
        own = {saga.pk for saga in (order.saga for order in orders[installation.name])}
        desired = Provisioned.objects.filter(saga__in=own).values_list("resource__provider_id", flat=True)
        others = {
            str(order.saga.context.get("droplet_id", order.droplet_id))
            for name, theirs in orders.items()
            if name != installation.name
            for order in theirs
        }
        wrong += [f"{installation.name} desires the other's droplet {each}" for each in {*desired} & others]
        report_orphans()
        alerts = dict(Alert.objects.filter(code=ORPHAN, resolved_at=None).values_list("subject", "message"))
        strange = {
            f"droplet:{droplet['id']}"
            for droplet in droplets.values()
            for name, theirs in orders.items()
            if name != installation.name and any(_is_of(droplet, order) for order in theirs)
        }
        wrong += _differences(f"{installation.name}'s orphans", set(alerts), strange)
        wrong += [
            f"{installation.name} advises to remove: {message}"
            for message in alerts.values()
            if "Another installation" not in message
        ]
    return wrong
