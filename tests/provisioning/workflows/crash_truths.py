"""The truths about a saga whose worker died: at the provider, in the inventory and in its ledger."""

from collections.abc import Sequence
from typing import Any

from inventory.models import Resource
from provisioning.engine.failpoints import Failpoint
from provisioning.models import Provisioned
from provisioning.registry import step_named
from tests.provisioning.crashes import Crashes, Point
from tests.provisioning.workflows.cloud import Cloud
from tests.provisioning.workflows.crash_cases import CANCELLED, DESIRED, FORWARD, SECONDS, Case, Run

BIG = "s-4vcpu-8gb"
REVERT = "revert_drift"


def judge(runs: Sequence[Run], cloud: Cloud, crashes: Crashes, *, either_way: bool = False) -> list[str]:
    """A line for each untruth, kept with its run too; none when every saga ended as it would have.

    Then its effects are there once, or gone, and nothing else has changed. `either_way`: whether it completed
    or was rolled back, and in how many attempts, is unknown.
    """
    now = cloud.everything()
    for run in runs:
        status = run.saga.status if either_way else _status(run.case, len(run.saga.step_modules))
        run.wrong = _wrong_outside(run, now, status) + list_repeated(run, crashes)
        if run.case.kind == REVERT and run.droplet_id is not None:
            tags = DESIRED["tags"] if status == "completed" else []
            run.wrong += _compared("tags", cloud.droplet(run.droplet_id)["tags"], tags)
        if not either_way:
            run.wrong += _compared("deeds", crashes.done(run.saga.pk), _deeds(run)) + _ledger(run, status)
    wrong = [f"saga {run.saga.pk} ({run.case}): {each}" for run in runs for each in run.wrong]
    return wrong + _compared("what no saga has to do with", now, cloud.before)


def _wrong_outside(run: Run, now: dict[str, Any], status: str) -> list[str]:
    return [
        *_compared("status", run.saga.status, status),
        # What waits for a worker to be started anew takes as long as the machine does.
        *([f"took {run.seconds:.0f} s"] if run.seconds > SECONDS and run.case.victim == "child" else []),
        *_compared("failed undos", run.saga.compensation_failures, 0),
        *_compared("provider", _own(run, now), _own_expected(run, status)),
        *_compared("inventory", _known(run), _known_expected(run, status)),
    ]


def _compared(what: str, found: Any, expected: Any) -> list[str]:
    return [] if found == expected else [f"{what}: {found!r}, not {expected!r}"]


def _status(case: Case, steps: int) -> str:
    """One that is cancelled after its last step's commit is completed: too late."""
    if case.way == FORWARD:
        return "completed"
    if case.way == CANCELLED and case.point is not None and not case.point.is_back:
        last = (Failpoint.AFTER_COMMIT, steps - 1)
        if case.point.boundary == Failpoint.ENDED or (case.point.boundary, case.point.step_idx) == last:
            return "completed"
    return "rolled_back"


def _deeds(run: Run) -> list[str]:
    return [deed for deeds in run.case.deeds(len(run.saga.step_modules)).values() for deed in deeds]


def _own(run: Run, now: dict[str, Any]) -> Any:
    """Take what the provider has of this case alone out of `now`."""
    mark = f"{run.name}-saga-{run.saga.pk}-"
    snapshots = {name for name in now["snapshots"] if name.startswith(mark)}
    now["snapshots"] = now["snapshots"] - snapshots
    droplets = {key: each for key, each in now["droplets"].items() if each[0] == run.name}
    records = {key: each for key, each in now["records"].items() if each[0] == run.name}
    if run.droplet_id is None:
        for key in droplets:
            del now["droplets"][key]
        for key in records:
            del now["records"][key]
        members = now["projects"].pop(run.name, None)
        return len(snapshots), list(droplets.values()), [bool(data) for _, data in records.values()], members
    now["droplets"][run.droplet_id] = (run.name, "s-2vcpu-4gb", "active", 80)
    return len(snapshots), list(droplets.values())


def _own_expected(run: Run, status: str) -> Any:
    if run.droplet_id is not None:
        size = BIG if status == "completed" else "s-2vcpu-4gb"
        snapshots = int(status == "completed" and run.case.kind != REVERT)
        return snapshots, [(run.name, size, "active", 80)]
    if status != "completed":
        return 0, [], [], None
    droplet_id = run.saga.context.get("droplet_id")
    return 0, [(run.name, "s-1vcpu-1gb", "active", 25)], [True], {f"do:droplet:{droplet_id}"}


def _known(run: Run) -> Any:
    """The inventory's live rows of the case, and what is desired of them by this saga."""
    rows = Resource.objects.live().filter(kind="droplet", name=run.name)
    desired = Provisioned.objects.filter(saga=run.saga)
    return (
        [(row.attrs["size_slug"], row.status) for row in rows],
        [each.spec["size_slug"] for each in desired],
    )


def _known_expected(run: Run, status: str) -> Any:
    size = "s-1vcpu-1gb" if run.droplet_id is None else BIG
    if status == "completed":
        return [(size, "active")], ([] if run.case.kind == REVERT else [size])
    return ([] if run.droplet_id is None else [("s-2vcpu-4gb", "active")]), []


def _ledger(run: Run, status: str) -> list[str]:
    rows = list(run.saga.steps.order_by("step_idx"))
    names = [row.name for row in rows]
    wrong = _compared("names", names, run.saga.step_modules[: len(names)])
    if status == "completed":
        wrong += _compared("ledger", [row.status for row in rows], ["completed"] * len(run.saga.step_modules))
        wrong += _compared("error", run.saga.error, None)
    else:
        reason = "cancelled" if run.case.way == CANCELLED else "step_failed:fail"
        wrong += _compared("reason", (run.saga.error or {}).get("reason"), reason)
        wrong += _compared("ledger", [row.status for row in rows], _undone(names))
    if run.case.victim == "child":
        attempts = {row.step_idx: row.attempts for row in rows}
        undos = {row.step_idx: row.compensation_attempts for row in rows if row.compensation_attempts}
        wrong += _compared("attempts", (attempts, undos), _attempts(run, names, status))
        wrong += _compared("recoveries", run.saga.recoveries, _recoveries(run, names, status))
    return wrong


def _undone(names: Sequence[str]) -> list[str]:
    """The row at which a saga turned back failed, unless it was undone itself; those before it completed."""
    done = ["compensated" if _has_undo(name) else "completed" for name in names]
    return done if _has_undo(names[-1]) else [*done[:-1], "failed"]


def _has_undo(name: str) -> bool:
    step = step_named(name)
    return step is not None and step.compensate is not None


def _attempts(run: Run, names: Sequence[str], status: str) -> tuple[dict[int, int], dict[int, int]]:
    """One each, and another one for what was entered when the worker died."""
    attempts = dict.fromkeys(range(len(names)), 1)
    undos = {} if status == "completed" else {idx: 1 for idx, name in enumerate(names) if _has_undo(name)}
    interrupted = _interrupted(run.case.point, names, status)
    if interrupted is not None and run.case.point is not None:
        if run.case.point.is_back:
            undos[interrupted] += 1
        elif run.case.way != CANCELLED:
            attempts[interrupted] += 1
    return attempts, undos


def _interrupted(point: Point | None, names: Sequence[str], status: str) -> int | None:
    """The index of the step, or of the undo, that was entered when the worker died; None: it was let go."""
    if point is None:
        return None
    boundary, idx = point.boundary, point.step_idx
    if boundary in {Failpoint.WAITING, Failpoint.ENDED}:
        return None
    if boundary == Failpoint.AFTER_COMMIT:
        return idx + 1 if idx + 1 < len(names) or status != "completed" else None
    if boundary in {Failpoint.COMPENSATION_STARTED, Failpoint.AFTER_COMPENSATION_COMMIT}:
        below = idx + 1 if boundary == Failpoint.COMPENSATION_STARTED else idx
        return max((each for each in range(min(below, len(names))) if _has_undo(names[each])), default=None)
    return idx


def _recoveries(run: Run, names: Sequence[str], status: str) -> int:
    late = run.case.way == CANCELLED and (run.case.point is None or run.case.point.is_back)
    return int(late) + (_interrupted(run.case.point, names, status) is not None)


def list_repeated(run: Run, crashes: Crashes) -> list[str]:
    """Steps, and undos, that were entered after they had been committed."""
    ends = {
        Failpoint.AFTER_COMMIT: Failpoint.BEFORE_STEP,
        Failpoint.AFTER_COMPENSATION_COMMIT: Failpoint.BEFORE_COMPENSATION,
    }
    over: set[tuple[Failpoint, int]] = set()
    wrong = []
    for point in (each.point for each in crashes.passed(run.saga.pk)):
        if (point.boundary, point.step_idx) in over:
            wrong.append(f"done, and then entered again: {point.key}")
        if point.boundary in ends:
            over.add((ends[point.boundary], point.step_idx))
    return wrong
