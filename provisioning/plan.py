"""The plan of a saga: what a start would do, and what would hold it, without starting anything."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from arcadia_cloud.kernel.errors import Conflict
from arcadia_cloud.kernel.states import IllegalTransition
from provisioning import registry
from provisioning.contract import Effects
from provisioning.create_caps import find_full_cap
from provisioning.errors import SubjectBusy
from provisioning.models import SagaSubject
from provisioning.pause import pause_state
from provisioning.provider_offer import present_offer
from provisioning.start import check_inputs, parse_inputs


class BrakeOutcome(StrEnum):
    """The outcome of a start that a brake holds: it is refused, or the saga is started and waits."""

    REFUSED = "refused"
    WAITS = "waits"


@dataclass(frozen=True, slots=True)
class Brake:
    """One reason why the saga wouldn't begin at once. `code` is that of the refusal."""

    code: str
    outcome: BrakeOutcome
    message: str


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step to come, and the first line of its description."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to what a start would do. `unchecked` is what couldn't be checked; "" when all was.

    `offer_read_at` is when DigitalOcean last answered for its sizes and limits; None: not within a day.
    """

    kind: str
    title: str
    steps: Sequence[PlannedStep]
    subjects: Sequence[str]
    tenant_id: str | None
    deployment_id: int | None
    effects: Effects
    brakes: Sequence[Brake]
    unchecked: str
    offer_read_at: datetime | None

    @property
    def is_startable(self) -> bool:
        """Whether a start would be taken now, be it to wait."""
        return all(brake.outcome != BrakeOutcome.REFUSED for brake in self.brakes)


def plan_saga(*, kind: str, inputs: Mapping[str, Any]) -> Plan:
    """Return what `start_saga` would do with the same, and write nothing.

    Raises InvalidInput as the start would; what would refuse it for the present state is a brake of the plan.
    """
    workflow, parsed, _ = parse_inputs(kind, inputs)
    brakes: list[Brake] = []
    unchecked = ""
    try:
        unchecked = check_inputs(parsed)
    except (Conflict, IllegalTransition) as refusal:
        brakes.append(Brake(refusal.code, BrakeOutcome.REFUSED, refusal.detail))
    # Past a refusal too: the operator sees what is held up.
    owner, effects, subjects = parsed.owner(), parsed.effects(), sorted(set(parsed.subjects()))
    taken = SagaSubject.objects.filter(subject__in=subjects).order_by("subject")
    busy = (
        Brake(SubjectBusy.code, BrakeOutcome.REFUSED, f"saga {each.saga_id} is working on {each.subject}")
        for each in taken
    )
    # A check may have found the same saga in the way.
    brakes += [brake for brake in busy if brake not in brakes]
    creates = effects.counted_creates
    if creates and (full := find_full_cap(owner.tenant_id, creates=creates)) is not None:
        brakes.append(Brake("creates_capped", BrakeOutcome.WAITS, full[1]))
    pause = pause_state()
    if pause.paused:
        why = f": {pause.reason}" if pause.reason else ""
        brakes.append(
            Brake("paused", BrakeOutcome.WAITS, f"provisioning is paused by {pause.changed_by}{why}")
        )
    offer = present_offer()
    return Plan(
        kind=kind,
        title=workflow.title or kind.replace("_", " "),
        steps=[PlannedStep(name, _describe(name)) for name in parsed.steps()],
        subjects=subjects,
        tenant_id=owner.tenant_id,
        deployment_id=owner.deployment_id,
        effects=effects,
        brakes=brakes,
        unchecked=unchecked,
        offer_read_at=None if offer is None else offer.read_at,
    )


def _describe(name: str) -> str:
    step = registry.step_named(name)
    # Its first sentence: the rest says what it stores, which is for whoever writes the next step.
    return re.split(r"(?<=\.)\s", (step.execute.__doc__ or "").strip(), maxsplit=1)[0] if step else ""
