"""Sagas whose workers die, each at its point, many side by side."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction

from inventory.models import Resource
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.engine.failpoints import Failpoint
from provisioning.models import SagaRun
from provisioning.services import record_provisioned
from provisioning.states import ENDED
from tests.provisioning.crashes import Crashes, Point
from tests.provisioning.sagas import start
from tests.provisioning.workflows.cloud import ORDER, Cloud

KINDS: Final = ("provision_droplet", "resize_droplet", "revert_drift")
FORWARD, CANCELLED, FAILING = WAYS = ("forward", "cancelled", "failing later")
SECONDS: Final = 120
RESTART_SECONDS: Final = 45  # of a whole worker, during which no saga moves; a busy machine takes that long
# Steps whose first call notes what was, and whose second writes.
NOTES_FIRST: Final = {"revert_drift": frozenset({1})}
DESIRED: Final = {"size_slug": "s-4vcpu-8gb", "tags": ["role:right"]}  # of what a revert puts back
_MOST_AT_ONCE: Final = 24


@dataclass(frozen=True, slots=True)
class Case:
    """A worker, or the child of it that holds the saga, dies once at `point`; None: none does."""

    kind: str
    way: str
    point: Point | None
    victim: str = "child"

    def __str__(self) -> str:
        where = "nobody dies" if self.point is None else f"{self.victim} killed {self.point.key}"
        return f"{self.kind}, {self.way}, {where}"

    def deeds(self, steps: int) -> dict[Point, list[str]]:
        """Return the plan for a saga of so many steps.

        One that is cancelled to be killed on its way back is cancelled as late as can be: its last step's
        effect is there, and its worker dies before it is committed.
        """
        deeds: dict[Point, list[str]] = {}
        cancels_first = self.way == CANCELLED and (self.point is None or self.point.is_back)
        if cancels_first:
            deeds[Point(Failpoint.AFTER_EFFECT, steps - 1)] = ["cancel", "kill child"]
        if self.point is not None:
            cancels_now = self.way == CANCELLED and not cancels_first
            deeds[self.point] = [*(["cancel"] if cancels_now else []), f"kill {self.victim}"]
        return deeds


def patience_of(cases: Sequence[Case]) -> int:
    """Return the seconds after which sagas of these cases are stuck: every worker's death halts them all."""
    return SECONDS + RESTART_SECONDS * sum(case.victim == "worker" for case in cases)


@dataclass(slots=True)
class Run:
    """A case's saga. `name` is the case's own; `droplet_id` is what it changes, None: it makes one."""

    case: Case
    saga: SagaRun
    name: str
    droplet_id: int | None
    wrong: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """From its start to its end."""
        assert self.saga.finished_at is not None
        return (self.saga.finished_at - self.saga.created_at).total_seconds()


class Batch:
    """Runs cases side by side on whatever workers there are. `failing` makes a kind that fails at its end."""

    def __init__(self, cloud: Cloud, crashes: Crashes, failing: Callable[[str], str]) -> None:
        self.cloud = cloud
        self.crashes = crashes
        self.failing = failing
        self._made = 0
        self._patience = SECONDS

    def run(self, cases: Sequence[Case], *, faults: Sequence[Mapping[str, Any]] = ()) -> list[Run]:
        """The cases' sagas, ended all of them; fails when one takes longer than two minutes.

        `faults` are the provider's meanwhile. Deaths of whole workers are allowed their time besides.
        """
        self._patience = patience_of(cases)
        spare = self._droplets_to_resize([case for case in cases if case.kind != "provision_droplet"])
        for fault in faults:
            self.cloud.simulator.fault(**fault)
        runs: list[Run] = []
        for case in cases:
            self._wait_until_fewer_live(_MOST_AT_ONCE, runs)
            runs.append(self._start(case, spare))
        self._wait_until_fewer_live(1, runs)
        self.cloud.simulator.control("DELETE", "faults")
        for run in runs:
            run.saga.refresh_from_db()
        return runs

    def _droplets_to_resize(self, cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
        made: list[dict[str, Any]] = []
        if cases:
            wish = {"name": f"resized-{self._made}", "size": "s-2vcpu-4gb", "count": len(cases)}
            made = self.cloud.simulator.control("POST", "droplets", **wish)["droplets"]
            sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["droplet"])
        self.cloud.before = self.cloud.everything()
        return iter(made)

    def _start(self, case: Case, spare: Iterator[dict[str, Any]]) -> Run:
        """The plan of its crash is there before any worker knows of the saga."""
        self._made += 1
        kind = self.failing(case.kind) if case.way == FAILING else case.kind
        if case.kind == "provision_droplet":
            name, droplet_id = f"made-{self._made}", None
            inputs: dict[str, Any] = ORDER | {"name": name, "project": name, "record_name": name}
        else:
            droplet = next(spare)
            name, droplet_id = droplet["name"], droplet["id"]
            inputs = {"droplet_id": droplet_id, "size": "s-4vcpu-8gb", "snapshot": True}
        if case.kind == "revert_drift":
            row = Resource.objects.get(kind="droplet", provider_id=str(droplet_id))
            record_provisioned(resource_pk=row.pk, spec=DESIRED, saga_id=None)
            inputs = {"resource_id": row.pk, "fields": list(DESIRED)}
        with transaction.atomic():
            saga = start(kind, **inputs)
            self.crashes.plan(saga.pk, case.deeds(len(saga.step_modules)))
        return Run(case, saga, name, droplet_id)

    def _wait_until_fewer_live(self, count: int, runs: Sequence[Run]) -> None:
        cases = {run.saga.pk: run.case for run in runs}
        deadline = time.monotonic() + self._patience
        while True:
            live = SagaRun.objects.filter(pk__in=cases).exclude(status__in=ENDED)
            if len(live) < count:
                return
            stuck = "\n".join(f"{saga} {saga.status} ({cases[saga.pk]}): {saga.wait_reason}" for saga in live)
            assert time.monotonic() < deadline, f"not ended:\n{stuck}"
            time.sleep(0.2)


def points_of(batch: Batch, kind: str) -> dict[str, list[Point]]:
    """Every boundary of every step that a saga of this kind passes, by its way; a saga each finds out."""
    runs = batch.run([Case(kind, way, None) for way in WAYS])
    assert {run.case.way: run.saga.status for run in runs} == {
        FORWARD: "completed",
        CANCELLED: "rolled_back",
        FAILING: "rolled_back",
    }
    noting = NOTES_FIRST.get(kind, frozenset())
    passed = {
        run.case.way: [
            point
            for point in (each.point for each in batch.crashes.passed(run.saga.pk))
            if point.nth == 1 or (point.nth == 2 and point.step_idx in noting)
        ]
        for run in runs
    }
    back = [point for point in passed[CANCELLED] if point.is_back]
    return passed | {CANCELLED: [*passed[FORWARD], *back]}
