"""The claim of a saga by one statement, and what advancing it needs to know."""

import os
import socket
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec
from django.conf import settings

from arcadia_cloud.kernel.database import DatabaseClock
from arcadia_cloud.kernel.sql import fetch_one, load
from provisioning import registry
from provisioning.contract import Step
from provisioning.engine.failpoints import Failpoint, reached
from provisioning.states import Direction, StepStatus

MOST_RECOVERIES: Final = 20
_CLAIM: Final = load(__package__, "claim.sql")


@dataclass(frozen=True, slots=True)
class StepAttempt:
    """One entry into a step's function: `failures` errors so far, its deadline since `started_at`.

    `first_began_at` is when `execute` was first entered; a compensation has a `started_at` of its own.
    """

    number: int
    failures: int
    started_at: datetime
    began_at: datetime
    last_began_at: datetime | None
    first_began_at: datetime


@dataclass(slots=True)
class ClaimedSaga:
    """A saga whose lease this process holds. `attempt` is None where its present step was not entered.

    `begun_at` is when it was created, or began to hold its subjects. `status_before` is the status of that
    step's row before the claim, None where it had none.
    """

    saga_id: int
    nonce: str
    token: uuid.UUID
    kind: str
    direction: Direction
    steps: Sequence[str]
    inputs: Mapping[str, Any]
    context: dict[str, Any]
    step_idx: int
    cancel_requested: bool
    error: dict[str, Any] | None
    recoveries: int
    requested_by: str
    tenant_id: str | None
    deployment_id: int | None
    begun_at: datetime
    clock: DatabaseClock
    attempt: StepAttempt | None
    status_before: StepStatus | None

    @property
    def step_name(self) -> str:
        return self.steps[self.step_idx]

    @property
    def step(self) -> Step | None:
        """The present step; None where this build has none of that name."""
        return registry.step_named(self.step_name)

    def reach(self, failpoint: Failpoint) -> None:
        """Pass a failpoint at the present step."""
        reached(failpoint, self.saga_id, self.step_idx, self.step_name)


@dataclass(frozen=True, slots=True)
class _ClaimRow:
    """The row of claim.sql; `attempt` and what follows are None where no step was entered."""

    saga_id: int
    nonce: str
    kind: str
    direction: str
    steps: list[str]
    inputs: str
    context: str
    step_idx: int
    cancel_requested: bool
    error: str | None
    recoveries: int
    requested_by: str
    tenant_id: str | None
    deployment_id: int | None
    begun_at: datetime
    now: datetime
    attempt: int | None
    failures: int
    started_at: datetime
    began_at: datetime
    last_began_at: datetime | None
    first_began_at: datetime
    status_before: str | None


def claim(saga_id: int | None) -> ClaimedSaga | None:
    """Take the saga if it is due and no worker holds it; None otherwise, and while everything is paused.

    `saga_id` None: take the one that has been due the longest.
    """
    # A token for each claim, not for each process: what lost its lease can't write with a later one.
    token = uuid.uuid4()
    parameters = {
        "saga_id": saga_id,
        "token": token,
        "holder": f"{socket.gethostname()}:{os.getpid()}",
        "lease_seconds": settings.ARCADIA_SAGA_LEASE_SECONDS,
        "known": registry.step_names(),
        "pure": registry.pure_steps(),
        "most_recoveries": MOST_RECOVERIES,
    }
    row = fetch_one(_CLAIM, parameters, into=_ClaimRow, prepared=True)
    if row is None:
        return None
    attempt = None
    if row.attempt is not None:
        attempt = StepAttempt(
            row.attempt, row.failures, row.started_at, row.began_at, row.last_began_at, row.first_began_at
        )
    return ClaimedSaga(
        saga_id=row.saga_id,
        nonce=row.nonce,
        token=token,
        kind=row.kind,
        direction=Direction(row.direction),
        steps=row.steps,
        # Read-only: changed inputs would be changed for the next steps in this process alone.
        inputs=MappingProxyType(msgspec.json.decode(row.inputs)),
        context=msgspec.json.decode(row.context),
        step_idx=row.step_idx,
        cancel_requested=row.cancel_requested,
        error=msgspec.json.decode(row.error) if row.error else None,
        recoveries=row.recoveries,
        requested_by=row.requested_by,
        tenant_id=row.tenant_id,
        deployment_id=row.deployment_id,
        begun_at=row.begun_at,
        # The clock rides along with the claim: a reading of its own would be one more round trip per saga.
        clock=DatabaseClock(row.now),
        attempt=attempt,
        status_before=StepStatus(row.status_before) if row.status_before else None,
    )
