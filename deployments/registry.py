"""The hooks that apps above fill in, from their `AppConfig.ready()`: guards, sagas, counts of resources.

They get ids, never rows, and run inside the transaction that holds the deployment's lock: a guard only reads
and raises, and a saga's start only writes rows.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias, TypeVar


@dataclass(frozen=True, slots=True)
class TransitionOrder:
    """A move of a deployment that was found to be in the lifecycle, and allowed to its actor.

    `automatic`: by a billing action, and not by a person.
    """

    deployment_id: int
    present: str
    to: str
    reason: str
    actor: str
    at: datetime
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class AddonOrder:
    """An add-on that is about to be attached to a deployment's subscription."""

    deployment_id: int
    code: str
    resource_kind: str
    actor: str
    at: datetime


TransitionGuard: TypeAlias = Callable[[TransitionOrder], None]
AddonGuard: TypeAlias = Callable[[AddonOrder], None]
# Returns the id of the saga that makes the move, None where there is nothing to do for one.
TransitionSaga: TypeAlias = Callable[[TransitionOrder], int | None]
HookT = TypeVar("HookT")
ResourceCounter: TypeAlias = Callable[[Collection[int]], Mapping[int, int]]

_transition_guards: Final[dict[str, TransitionGuard]] = {}
_addon_guards: Final[dict[str, AddonGuard]] = {}
_transition_sagas: Final[dict[str, TransitionSaga]] = {}
_resource_counters: Final[dict[str, ResourceCounter]] = {}


def register_transition_guard(name: str, guard: TransitionGuard) -> None:
    """Add a guard that raises a DomainError where a deployment may not make a move, as being unpaused."""
    _register(_transition_guards, name, guard)


def register_addon_guard(name: str, guard: AddonGuard) -> None:
    """Add a guard that raises a DomainError where an add-on may not be attached."""
    _register(_addon_guards, name, guard)


def register_transition_saga(name: str, start: TransitionSaga) -> None:
    """Add what starts the saga of a move that stops or starts machines; without one the move is immediate.

    The saga moves the deployment itself when it completes: `services.complete_transition`.
    """
    _register(_transition_sagas, name, start)


def register_resource_counter(name: str, count: ResourceCounter) -> None:
    """Add what counts the live resources of deployments, in one query for all of them."""
    _register(_resource_counters, name, count)


def check_transition(order: TransitionOrder) -> None:
    """Ask every guard. Raises the first refusal."""
    for guard in _transition_guards.values():
        guard(order)


def check_addon(order: AddonOrder) -> None:
    """Ask every guard. Raises the first refusal."""
    for guard in _addon_guards.values():
        guard(order)


def start_transition_saga(order: TransitionOrder) -> int | None:
    """Return the id of the saga that was started for the move; None where the move is immediate."""
    for start in _transition_sagas.values():
        saga_id = start(order)
        # The first that takes it has it: two sagas would stop the same machines.
        if saga_id is not None:
            return saga_id
    return None


def count_resources(deployment_ids: Collection[int]) -> Mapping[int, int]:
    """Return the number of live resources by deployment; one that has none may be absent."""
    counts: dict[int, int] = {}
    for count in _resource_counters.values():
        for deployment_id, number in count(deployment_ids).items():
            counts[deployment_id] = counts.get(deployment_id, 0) + number
    return counts


def _register(hooks: dict[str, HookT], name: str, hook: HookT) -> None:
    if hooks.setdefault(name, hook) != hook:
        raise ValueError(f"the hook {name!r} is registered twice")
