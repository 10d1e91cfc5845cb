"""The contract of steps and workflows: their types, state and results. Knows no provider, no database.

A step's `execute` may run more than once: a worker can die after its effect and before its commit. So it
finds before it creates, and its `compensate` accepts that there is nothing to undo.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from arcadia_cloud.kernel.money import Money

# The end of an input's pattern: Python's `$` alone also stands before a last newline.
END: Final = r"$(?!\n)"
# Between a step's name and the part of the saga that it works on: `shut_down_droplet@4711`.
PART: Final = "@"
PARTS: Final = "parts"  # in the context: the inputs of each part of the saga


def split_step(name: str) -> tuple[str, str]:
    """Return a step's own name, and the part of the saga that it works on; "" where it works on all of it."""
    own, _, part = name.partition(PART)
    return own, part


class RetryableError(Exception):
    """The step may work later: it is tried again with back-off, while its retries and its deadline last.

    `after_seconds` is the least pause, where the other side named one.
    """

    def __init__(self, message: str, *, after_seconds: float = 0) -> None:
        self.after_seconds = after_seconds
        super().__init__(message)


class FinalError(Exception):
    """The step can't succeed; the saga is compensated. Any other exception means the same."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do yet: the worker is freed and the step is entered again after `seconds`.

    `reason` is shown to the operator.
    """

    seconds: float
    reason: str = ""


class StepState(Protocol):
    """The saga as a step sees it, and the context that it adds to.

    `attempt` counts from 1: a crash or a retryable error begins another, a wait doesn't. `began_at` is when
    the step was entered for this run of its function, after a wait too; `last_began_at` is when it was last
    entered in the attempt before (None in the first): whatever that attempt sent, it sent after this, so
    waiting a while from there is waiting long enough. To a compensation, `last_began_at` is when `execute`
    was last entered. `first_began_at` is when `execute` was first entered at all. These, and `now()`, are on
    the database's clock. `nonce` is the saga's secret part of every mark: its number may repeat in another
    database. `is_compensating`: `compensate` was called, not `execute`.
    """

    saga_id: int
    nonce: str
    step_idx: int
    attempt: int
    began_at: datetime
    last_began_at: datetime | None
    first_began_at: datetime
    inputs: Mapping[str, Any]
    tenant_id: str | None
    deployment_id: int | None
    requested_by: str
    is_compensating: bool

    def get_output(self, name: str, default: Any = None) -> Any:
        """Return the output of this or an earlier step under `name`."""

    def put_output(self, name: str, value: Any) -> None:
        """Store a JSON value; committed however the step ends, unless its worker dies."""

    def now(self) -> datetime:
        """Return the database's time, UTC."""

    def extend_lease_for(self, seconds: float) -> None:
        """Renew the lease for a write to the outside that can take `seconds`: call it before.

        Raises LeaseLost when another worker may hold the saga by now: nothing may be sent then.
        """


Execute: TypeAlias = Callable[[StepState], Wait | None]
Compensate: TypeAlias = Callable[[StepState], Wait | None]


@dataclass(frozen=True, slots=True)
class Step:
    """One step, known by `name` in every workflow that has it.

    `retries` counts the retryable errors that are borne, with pauses that double from `backoff_seconds` up
    to a minute; `compensation_retries` those of its compensation, None: as many. A compensation that fails
    leaves something to be put right by hand, so what passes is worth a longer wait there. `deadline_seconds`
    is counted from the step's first beginning, waits and retries included; past it the step fails. It holds
    for the compensation too, from its own beginning, unless that has `compensation_deadline_seconds`.
    `compensate_on_failure`: when it fails, its own compensation runs too. A step that was waiting, or whose
    worker died, when the compensation started is compensated in any case.

    `inherits` names outputs that a retry takes over from a saga whose compensation was incomplete, under
    `inherited`: what the first run found is what things are put back to.

    `is_pure` promises that neither function changes anything but what it puts into the context. Then it may
    be done again at no risk, and its row needn't be on the disk before the next step begins: a database that
    crashes forgets the last pure steps at most, and they are done again. What comes after is on the disk with
    all before it.
    """

    name: str
    execute: Execute
    compensate: Compensate | None = None
    retries: int = 0
    compensation_retries: int | None = None
    backoff_seconds: float = 1.0
    deadline_seconds: float | None = None
    compensation_deadline_seconds: float | None = None
    compensate_on_failure: bool = False
    is_pure: bool = False
    inherits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ownership:
    """The tenant and the deployment of a saga, which the tenant sees. Both None: the operator's own."""

    tenant_id: str | None = None
    deployment_id: int | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that a saga creates, changes or destroys.

    `kind` is inventory's name of it, or `project`, `dns_record`, `deployment`, `subscription`.
    """

    kind: str
    name: str
    detail: str = ""

    def __str__(self) -> str:
        text = f"{self.kind.replace('_', ' ')} {self.name}"
        return f"{text}: {self.detail}" if self.detail else text


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of a saga that completes, as far as they are known before it starts.

    `powered_off` has a line for each droplet that is off meanwhile, or afterwards. `price_change` is that of
    the provider's list price for a month; None: not known, or not wholly, and `price_note` has the reason.
    `counted_creates` are those that the caps on creates count.
    """

    creates: Sequence[Effect] = ()
    changes: Sequence[Effect] = ()
    destroys: Sequence[Effect] = ()
    powered_off: Sequence[str] = ()
    price_change: Money | None = None
    price_note: str = ""
    counted_creates: int = 0


@dataclass(frozen=True, slots=True)
class SizeOrder:
    """A size that a saga asks the provider for, in a region or a group of regions; `field` is the input's."""

    size: str
    region: str
    field: str = "size"


class Inputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The inputs of a workflow, and its rules: the fields and their `msgspec.Meta` are the API's schema.

    Workflows on the same thing share their rules by a common base, as DropletInputs.
    """

    def steps(self) -> Sequence[str]:
        """Return the names of the steps. Decided once, at the start."""
        raise NotImplementedError

    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the parts of the saga that steps such as `shut_down_droplet@4711` work on, by name.

        Each has inputs that such a step finds above the saga's own, and a context of its own: what a step
        puts there, the steps of the same part find, and before what others put. Resolved as the steps are.
        """
        return {}

    def initial_context(self) -> Mapping[str, Any]:
        """Return what the saga's steps find in the context from the beginning. Resolved as the steps are."""
        return {}

    def subjects(self) -> Sequence[str]:
        """Name what the saga works on, as `droplet:4711`: at most one live saga holds each."""
        return ()

    def owner(self) -> Ownership:
        """Return the tenant and the deployment that the saga belongs to."""
        return Ownership()

    def check(self) -> None:
        """Raise InvalidInput or Conflict for inputs that can't be started, before anything is written.

        May read the database, never the provider.
        """

    def effects(self) -> Effects:
        """Return the saga's effects, for its plan and for the account's limits. Reads what `check` may."""
        return Effects()

    def size_orders(self) -> Sequence[SizeOrder]:
        """Return the sizes that must be on sale, or the saga isn't started."""
        return ()


@dataclass(frozen=True, slots=True)
class Workflow:
    """A kind of saga that can be started. One older than `deadline_seconds` raises an alert."""

    kind: str
    inputs: type[Inputs]
    title: str = ""
    deadline_seconds: float = 3600
