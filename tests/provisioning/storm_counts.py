"""The counts of a storm, from its journal and the sagas' rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.models import SagaRun, SagaStepResult
from tests.provisioning.storm_workflow import EFFECTS, JOURNAL


@dataclass(slots=True)
class Counts:
    """The counts of events, and a line for each that must not have happened."""

    told: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(f"{what:52} {count:7,}" for what, count in self.told.items())


def count(folder: Path, saga_ids: Sequence[int]) -> Counts:
    """Compare the journal with the ledger and the effects. Every saga must have ended."""
    counts = Counts()
    sagas = SagaRun.objects.filter(pk__in=saga_ids)
    statuses = Counter(sagas.values_list("status", flat=True))
    counts.told |= {"sagas": len(saga_ids)} | {f"  {name}": number for name, number in statuses.items()}
    counts.wrong += [f"{saga} failed: {saga.error}" for saga in sagas if saga.compensation_failures]
    _count_entries(folder, counts, {saga.pk: saga.recoveries for saga in sagas})
    _compare_effects(folder, counts, {saga.pk: saga.status for saga in sagas})
    return counts


def _count_entries(folder: Path, counts: Counts, recoveries: dict[int, int]) -> None:
    """An effect is begun again only where the saga was taken over, in another attempt, before its commit."""
    begun: dict[tuple[int, int, str], list[int]] = {}
    committed: set[tuple[int, int, str]] = set()
    again: Counter[int] = Counter()
    ended = 0
    for line in (folder / JOURNAL).read_text().splitlines():
        saga, idx, way, what, attempt = line.split()
        effect = (int(saga), int(idx), way)
        if what == "committed":
            committed.add(effect)
        elif what == "ended":
            ended += 1
        else:
            if effect in committed:
                counts.wrong.append(f"begun after its commit: {effect}")
            again[int(saga)] += effect in begun
            begun.setdefault(effect, []).append(int(attempt))
    counts.wrong += [
        f"one attempt twice, or backwards: {effect} {attempts}"
        for effect, attempts in begun.items()
        if attempts != sorted(set(attempts))
    ]
    counts.wrong += [
        f"saga {saga} began {times} effects again, and was taken over {recoveries[saga]} times"
        for saga, times in again.items()
        if times > recoveries[saga]
    ]
    _compare_attempts(counts, begun)
    attempts = Counter(len(times) for times in begun.values())
    counts.told |= {
        "effects, there and back": len(begun),
        "  begun once": attempts[1],
        "  begun again, since a worker died before the commit": len(begun) - attempts[1],
        "  begun more than twice": sum(number for times, number in attempts.items() if times > 2),
        "  begun and cut short": sum(map(len, begun.values())) - ended,
        "begun again after their commit": sum("after its commit" in line for line in counts.wrong),
        "sagas taken over": sum(1 for number in recoveries.values() if number),
        "times that one was taken over": sum(recoveries.values()),
        "  the most of one saga": max(recoveries.values()),
    }


def _compare_attempts(counts: Counts, begun: dict[tuple[int, int, str], list[int]]) -> None:
    """The ledger counts no fewer attempts than were made; a worker may die between entering and beginning."""
    rows = {
        (row.saga_id, row.step_idx): row
        for row in SagaStepResult.objects.filter(saga__in={saga for saga, _, _ in begun})
    }
    for (saga, idx, way), attempts in begun.items():
        row = rows[saga, idx]
        told = row.attempts if way == "do" else row.compensation_attempts
        if told < max(attempts):
            counts.wrong.append(
                f"saga {saga} step {idx}: the ledger says {told} attempts, there were {attempts}"
            )


def _compare_effects(folder: Path, counts: Counts, statuses: dict[int, str]) -> None:
    """A completed saga's effects are all there, a rolled-back one's are gone, and the ledger agrees."""
    there = Counter(int(path.name.partition("-")[0]) for path in folder.glob("*-*"))
    for saga, status in statuses.items():
        if there[saga] != (len(EFFECTS) if status == "completed" else 0):
            counts.wrong.append(f"saga {saga} is {status}, and {there[saga]} of its effects are there")
    counts.told["effects that are there at the end"] = sum(there.values())
    rows = SagaStepResult.objects.filter(saga__in=statuses).exclude(name="fail")
    told = Counter(rows.values_list("saga__status", "status"))
    if set(told) > {("completed", "completed"), ("rolled_back", "compensated")}:
        counts.wrong.append(f"the ledger says {dict(told)}")
