"""Sagas that delete what nothing uses, whose workers die; and the truths about how each resource ends."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction

from arcadia_cloud.kernel.models import Alert
from inventory.models import Resource, ResourceEvent
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.engine.failpoints import Failpoint
from provisioning.models import SagaRun
from provisioning.states import ENDED
from tests.provisioning.crashes import Crashes
from tests.provisioning.sagas import start
from tests.provisioning.workflows.cloud import Cloud
from tests.provisioning.workflows.conftest import CRASH_SPEED
from tests.provisioning.workflows.crash_cases import CANCELLED, FAILING, FORWARD, Case, Run, patience_of
from tests.provisioning.workflows.crash_truths import list_repeated

DELETE_VOLUME, RELEASE_IP, DELETE_SNAPSHOT = CLEAN_UPS = (
    "delete_volume",
    "release_reserved_ip",
    "delete_snapshot",
)


@dataclass(frozen=True, slots=True)
class Unused:
    """A kind that a saga deletes: its input, its list at the provider, and the load that makes many."""

    kind: str
    input: str
    path: str
    load: str


KINDS: Final[Mapping[str, Unused]] = {
    DELETE_VOLUME: Unused("volume", "volume_id", "/v2/volumes", "volumes"),
    RELEASE_IP: Unused("reserved_ip", "address", "/v2/reserved_ips", "reserved_ips"),
    DELETE_SNAPSHOT: Unused("snapshot", "snapshot_id", "/v2/snapshots", "snapshots"),
}


class CleanUps:
    """Runs cases side by side, each on a resource of its own, on whatever workers there are."""

    def __init__(self, cloud: Cloud, crashes: Crashes, failing: Callable[[str], str]) -> None:
        self.cloud = cloud
        self.crashes = crashes
        self.failing = failing
        self._spare: dict[str, Iterator[Resource]] = {}

    def load(self, kind: str, count: int) -> None:
        """Have the provider make so many resources that this kind of saga deletes."""
        load = {KINDS[kind].load: count}
        self.cloud.simulator.reset(
            fleet="default", seed=1, droplets=0, today=None, speed=CRASH_SPEED, load=load
        )
        self._spare.clear()

    def run(self, cases: Sequence[Case], *, faults: Sequence[Mapping[str, Any]] = ()) -> list[Run]:
        """The cases' sagas, ended all of them; `faults` are the provider's meanwhile."""
        for kind in {case.kind for case in cases} - set(self._spare):
            self._spare[kind] = self._find_spare(kind)
        for fault in faults:
            self.cloud.simulator.fault(**fault)
        runs = [self._start(case) for case in cases]
        deadline = time.monotonic() + patience_of(cases)
        while live := SagaRun.objects.filter(pk__in=[run.saga.pk for run in runs]).exclude(status__in=ENDED):
            stuck = [f"{saga} {saga.status}: {saga.wait_reason}" for saga in live]
            assert time.monotonic() < deadline, "\n".join(stuck)
            time.sleep(0.2)
        self.cloud.simulator.control("DELETE", "faults")
        for run in runs:
            run.saga.refresh_from_db()
        return runs

    def _find_spare(self, kind: str) -> Iterator[Resource]:
        sync_inventory(mode=RunMode.FULL, actor="a test", kinds=[KINDS[kind].kind])
        rows = Resource.objects.live().filter(kind=KINDS[kind].kind).order_by("-pk")
        held = {"droplet_ids", "droplet_id"}
        return iter([row for row in rows if not any(row.attrs.get(name) for name in held)])

    def _start(self, case: Case) -> Run:
        resource = next(self._spare[case.kind])
        kind = self.failing(case.kind) if case.way == FAILING else case.kind
        with transaction.atomic():
            saga = start(kind, **{KINDS[case.kind].input: resource.provider_id})
            self.crashes.plan(saga.pk, case.deeds(len(saga.step_modules)))
        return Run(case, saga, resource.provider_id, None)


@dataclass(slots=True)
class Ended:
    """The end of a case's resource and of its saga."""

    status: str
    is_there: bool
    deletions: int
    tombstones: int
    failures: int
    alerts: int
    deeds: list[str] = field(default_factory=list)


def judge_clean_ups(runs: Sequence[Run], ups: CleanUps, *, either_way: bool = False) -> list[str]:
    """A line for each untruth, kept with its run too; none when each is deleted once, or not at all.

    `either_way`: whether it completed or was rolled back is unknown.
    """
    for run in runs:
        found = _look_at(run, ups, either_way=either_way)
        wanted = _expected(run, found, either_way=either_way)
        run.wrong = [] if found == wanted else [f"{found}, not {wanted}"]
        run.wrong += list_repeated(run, ups.crashes)
    return [f"saga {run.saga.pk} ({run.case}): {each}" for run in runs for each in run.wrong]


def _look_at(run: Run, ups: CleanUps, *, either_way: bool) -> Ended:
    spec, cloud = KINDS[run.case.kind], ups.cloud
    path = f"{spec.path}/{run.name}"
    row = Resource.objects.get(kind=spec.kind, provider_id=run.name)
    events = ResourceEvent.objects.filter(resource=row, event_type="deleted", source=f"saga:{run.saga.pk}")
    assert (row.deleted_at is not None) == events.exists()
    return Ended(
        status=run.saga.status,
        is_there=cloud.api.ask("GET", path).status_code == 200,
        # Of this very path: an address may begin as another one does.
        deletions=sum(
            each["path"] == path and (each["status"] or 500) < 400
            for each in cloud.simulator.requests(method="DELETE", path=path)
        ),
        tombstones=events.count(),
        failures=run.saga.compensation_failures,
        alerts=Alert.objects.filter(
            code="saga_compensation_failed", subject=f"saga:{run.saga.pk}", resolved_at=None
        ).count(),
        deeds=[] if either_way else ups.crashes.done(run.saga.pk),
    )


def _expected(run: Run, found: Ended, *, either_way: bool) -> Ended:
    """Return how it must have ended; one that turned back after the deletion reports it."""
    point = run.case.point
    deeds = run.case.deeds(len(run.saga.step_modules))
    deletions = None
    if either_way:
        status, is_there = found.status, found.is_there
        # One whose answer was lost, or spoiled, isn't counted among those that succeeded.
        deletions = 0 if is_there else min(found.deletions, 1)
    else:
        # Cancelled before its only step has had its effect: nothing is deleted.
        is_kept = run.case.way == CANCELLED and point is not None and point.boundary == Failpoint.BEFORE_STEP
        too_late = {Failpoint.AFTER_COMMIT, Failpoint.ENDED}
        is_too_late = (
            run.case.way == CANCELLED
            and point is not None
            and not point.is_back
            and point.boundary in too_late
        )
        is_done = run.case.way == FORWARD or is_too_late
        status, is_there = ("completed" if is_done else "rolled_back"), is_kept
    is_lost = status != "completed" and not is_there
    return Ended(
        status=status,
        is_there=is_there and status != "completed",
        # What a lost answer deleted is found gone: the second request deletes nothing.
        deletions=int(not is_there) if deletions is None else deletions,
        tombstones=int(not is_there),
        failures=int(is_lost),
        alerts=int(is_lost),
        deeds=[] if either_way else [deed for each in deeds.values() for deed in each],
    )
