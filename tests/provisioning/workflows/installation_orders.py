"""The sagas that two installations run side by side: alike to the letter, but for each one's own machines."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from arcadia_cloud.kernel.database import retry_while_database_is_down
from provisioning.errors import WrongState
from provisioning.models import SagaRun
from provisioning.services import cancel_saga
from provisioning.states import ENDED
from tests.provisioning.sagas import start
from tests.provisioning.workflows.cloud import ZONE
from tests.provisioning.workflows.crash_cases import CANCELLED, FAILING, FORWARD
from tests.provisioning.workflows.installations import Installation, Pair

SMALL, BIG = "s-2vcpu-4gb", "s-4vcpu-8gb"
SHARED = "shared"  # a project that sagas of both find or make; one that is rolled back may leave it to others
_OWN_MACHINES = 7  # of each installation, in each round
_OFF = 6  # the index of the one that is off


@dataclass(slots=True)
class Order:
    """A saga that is wanted in one installation. `droplet_id` None: it makes its droplet."""

    kind: str
    inputs: dict[str, Any]
    way: str = FORWARD
    droplet_id: int | None = None
    is_contested: bool = False  # the other installation wants the same name in DNS
    saga: SagaRun = field(init=False)

    @property
    def has_much_to_undo(self) -> bool:
        """Whether what it makes or changes first has been begun: then it may be cancelled."""
        return self.saga.current_step_idx >= (3 if self.droplet_id is None else 1)

    def __str__(self) -> str:
        return f"{self.kind}, {self.way}, saga {self.saga.pk}"


@dataclass(slots=True)
class Machines:
    """Droplets from before the sagas: each installation's own ones, and those that both take snapshots of."""

    own: Mapping[str, list[int]]
    shared: list[int]


def make_machines(pair: Pair, rounds: int) -> Machines:
    """Make the droplets, with the same names for both installations."""

    def make(count: int) -> list[int]:
        wish = {"name": "machine", "size": SMALL, "count": count}
        return [each["id"] for each in pair.simulator.control("POST", "droplets", **wish)["droplets"]]

    own = {each.name: make(_OWN_MACHINES * rounds) for each in pair.both}
    for ids in own.values():
        for droplet_id in ids[_OFF::_OWN_MACHINES]:
            pair.simulator.control("PATCH", f"droplets/{droplet_id}", status="off")
    return Machines(own, make(rounds))


def orders_of(installation: Installation, machines: Machines, rounds: int) -> Iterator[Order]:
    """Yield what the installation is asked for, in the order in which it is asked."""
    for number in range(rounds):
        own = machines.own[installation.name][number * _OWN_MACHINES :][:_OWN_MACHINES]
        shared = machines.shared[number]
        for which, way, project, record in (
            ("web", FORWARD, SHARED, f"web-{number}-{installation.name}"),
            ("app", FAILING, SHARED, f"app-{number}-{installation.name}"),
            ("job", CANCELLED, f"job-{number}-{installation.name}", f"job-{number}-{installation.name}"),
            ("www", FORWARD, f"www-{number}-{installation.name}", f"www-{number}"),
        ):
            inputs = {
                "name": f"{which}-{number}",
                "region": "fra1",
                "size": "s-1vcpu-1gb",
                "image": "ubuntu-24-04-x64",
                "project": project,
                "domain": ZONE,
                "record_name": record,
            }
            yield Order("provision_droplet", inputs, way, is_contested=which == "www")
        resize = {"size": BIG, "snapshot": True}
        for kind, way, droplet_id, options in (
            ("resize_droplet", FORWARD, own[0], resize),
            ("resize_droplet", FAILING, own[1], resize),
            ("snapshot_droplet", FORWARD, shared, {}),
            ("snapshot_droplet", FAILING, own[2], {}),
            ("destroy_droplet", FORWARD, own[3], {}),
            ("destroy_droplet", CANCELLED, own[4], {}),
            ("power_off_droplet", FORWARD, own[5], {}),
            ("power_on_droplet", FORWARD, own[_OFF], {}),
        ):
            yield Order(kind, {"droplet_id": droplet_id, **options}, way, droplet_id)


def start_orders(
    installation: Installation, orders: Iterable[Order], failing: Callable[[str], str]
) -> list[Order]:
    """Start their sagas in the installation; `failing` makes a kind that fails at its end."""
    with installation.inside():
        for order in (started := list(orders)):
            kind = failing(order.kind) if order.way == FAILING else order.kind
            order.saga = start(kind, **order.inputs)
    return started


def count_live(installation: Installation, orders: Sequence[Order]) -> int:
    """Read the sagas as they are now, and cancel those that are to be; return how many live."""
    with installation.inside():
        rows = retry_while_database_is_down(
            lambda: SagaRun.objects.in_bulk([order.saga.pk for order in orders])
        )
        for order in orders:
            order.saga = rows[order.saga.pk]
            if order.way == CANCELLED and order.saga.status not in ENDED and order.has_much_to_undo:
                with suppress(WrongState):  # it has just ended
                    cancel_saga(saga_id=order.saga.pk, actor="a test")
    return sum(order.saga.status not in ENDED for order in orders)
