"""The clean-up of leftovers: what a selection saves, and a saga for each that may go."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from arcadia_cloud.kernel.errors import DomainError
from billing.costs.leftovers import Leftover, list_leftovers
from provisioning.queries import plan_saga
from provisioning.services import start_saga

NO_LONGER = "it is no leftover any more"
NO_SAGA = "no saga deletes it; see its own page"


@dataclass(frozen=True, slots=True)
class CleanUpOutcome:
    """The outcome of a clean-up for one selected resource.

    `refusal` is "" where its saga may start, or was started.
    """

    resource_id: int
    name: str
    leftover: Leftover | None
    refusal: str
    saga_id: int | None = None


def plan_clean_up(resources: Sequence[int], *, at: datetime) -> list[CleanUpOutcome]:
    """Return what would become of each of these resources, dearest first, and start nothing."""
    found = list_leftovers(at=at, resources=resources, limit=len(resources))
    outcomes = [CleanUpOutcome(each.resource_id, each.name, each, _refusal_of(each)) for each in found]
    return outcomes + _list_gone(resources, found)


def start_clean_up(resources: Sequence[int], *, actor: str, key: str, at: datetime) -> list[CleanUpOutcome]:
    """Start a saga for each resource that is a leftover still; a refusal holds up none of the others.

    `key` is the page's: sent twice, the second starts nothing.
    """
    found = list_leftovers(at=at, resources=resources, limit=len(resources))
    outcomes = []
    for leftover in found:
        saga_id, refusal = None, NO_SAGA
        if clean_up := leftover.clean_up:
            # Its own transaction each: what is refused here takes nothing of the others back.
            try:
                saga = start_saga(
                    kind=clean_up.workflow,
                    inputs=clean_up.inputs,
                    actor=actor,
                    idempotency_key=f"{key}:{leftover.resource_id}",
                )
                saga_id, refusal = saga.pk, ""
            except DomainError as error:
                refusal = error.detail
        outcomes.append(CleanUpOutcome(leftover.resource_id, leftover.name, leftover, refusal, saga_id))
    return outcomes + _list_gone(resources, found)


def _refusal_of(leftover: Leftover) -> str:
    """Return why its saga wouldn't start now; "" where it would."""
    if (clean_up := leftover.clean_up) is None:
        return NO_SAGA
    try:
        plan = plan_saga(kind=clean_up.workflow, inputs=clean_up.inputs)
    except DomainError as error:
        return error.detail
    return "" if plan.is_startable else "; ".join(brake.message for brake in plan.brakes)


def _list_gone(resources: Iterable[int], found: Iterable[Leftover]) -> list[CleanUpOutcome]:
    left = {each.resource_id for each in found}
    return [CleanUpOutcome(pk, f"resource {pk}", None, NO_LONGER) for pk in resources if pk not in left]
