"""A saga in hand: claimed by one statement, and known only as far as walking it needs."""

import os
import socket
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec
from django.conf import settings

from arcadia_cloud.kernel.database import DatabaseClock
from provisioning import registry
from provisioning.contract import Step
from provisioning.statements import one_row, statement
from provisioning.states import Direction, StepStatus

MOST_RECOVERIES = 20
_CLAIM = statement("claim.sql")
_FACTS = 13  # columns of the answer that tell of the saga; then come the clock, the entry, the row's status


@dataclass(frozen=True, slots=True)
class StepAttempt:
    """A step's function as it is entered: `failures` errors so far, its deadline since `started_at`.

    `first_began_at` is when `execute` was first entered; a compensation has a `started_at` of its own.
    """

    attempt: int
    failures: int
    started_at: datetime
    began_at: datetime
    last_began_at: datetime | None
    first_began_at: datetime


@dataclass(slots=True)
class ClaimedSaga:
    """A saga whose lease we hold. `entry` is None where the step it stands at was not entered.

    `found` is how the step's row stood before the claim, None where it had none.
    """

    saga_id: int
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
    clock: DatabaseClock
    entry: StepAttempt | None
    found: StepStatus | None

    @property
    def step_name(self) -> str:
        return self.steps[self.step_idx]

    @property
    def step(self) -> Step | None:
        """The step it stands at; None where this build has none of that name."""
        return registry.step_named(self.step_name)


def claim(saga_id: int | None) -> ClaimedSaga | None:
    """Take the saga if it is due and nobody walks it; None otherwise, and while everything is paused.

    `saga_id` None: take the one that has been due the longest.
    """
    token = uuid.uuid4()
    row = one_row(
        _CLAIM,
        {
            "saga_id": saga_id,
            "token": token,
            "holder": f"{socket.gethostname()}:{os.getpid()}",
            "lease_seconds": settings.ARCADIA_SAGA_LEASE_SECONDS,
            "known": registry.step_names(),
            "pure": registry.pure_steps(),
            "most_recoveries": MOST_RECOVERIES,
        },
    )
    if row is None:
        return None
    facts, now, entry, found = row[:_FACTS], row[_FACTS], row[_FACTS + 1 : -2], row[-2]
    was_entered = entry[0] is not None
    return _held(token, facts, DatabaseClock(now), StepAttempt(*entry) if was_entered else None, found)


def _held(
    token: uuid.UUID,
    facts: Sequence[Any],
    clock: DatabaseClock,
    entry: StepAttempt | None,
    found: str | None,
) -> ClaimedSaga:
    saga_id, kind, direction, steps, inputs, context, step_idx, cancel_requested, *more = facts
    error, recoveries, requested_by, tenant_id, deployment_id = more
    return ClaimedSaga(
        saga_id=saga_id,
        token=token,
        kind=kind,
        direction=Direction(direction),
        steps=steps,
        inputs=MappingProxyType(msgspec.json.decode(inputs)),
        context=msgspec.json.decode(context),
        step_idx=step_idx,
        cancel_requested=cancel_requested,
        error=msgspec.json.decode(error) if error else None,
        recoveries=recoveries,
        requested_by=requested_by,
        tenant_id=tenant_id,
        deployment_id=deployment_id,
        clock=clock,
        entry=entry,
        found=StepStatus(found) if found else None,
    )
