"""The state that a step is called with: the saga's facts to read, the context to read and add to."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from provisioning.contract import PART, PARTS, split_step
from provisioning.engine.claim import ClaimedSaga, StepAttempt
from provisioning.engine.lease import renew_lease
from provisioning.stored_json import as_stored_json


class EngineStepState:
    """The contract's StepState over a claimed saga, or over the part of it that the step works on."""

    def __init__(self, claimed: ClaimedSaga, attempt: StepAttempt, *, is_compensating: bool) -> None:
        self._claimed = claimed
        self.outputs: dict[str, Any] = {}
        self.saga_id = claimed.saga_id
        self.nonce = claimed.nonce
        self.step_idx = claimed.step_idx
        self.attempt = attempt.number
        self.began_at = attempt.began_at
        self.last_began_at = attempt.last_began_at
        self.first_began_at = attempt.first_began_at
        self._part = split_step(claimed.step_name)[1]
        self.inputs: Mapping[str, Any] = claimed.inputs
        if self._part:
            self.inputs = MappingProxyType({**claimed.inputs, **claimed.context[PARTS][self._part]})
        self.tenant_id = claimed.tenant_id
        self.deployment_id = claimed.deployment_id
        self.requested_by = claimed.requested_by
        self.is_compensating = is_compensating

    def get_output(self, name: str, default: Any = None) -> Any:
        # The part's own first: what all parts share stands without a part's name.
        context = self._claimed.context
        return context.get(self._key(name), context.get(name, default))

    def put_output(self, name: str, value: Any) -> None:
        stored = as_stored_json({self._key(name): value})
        self.outputs |= stored
        self._claimed.context |= stored

    def now(self) -> datetime:
        return self._claimed.clock.now()

    def extend_lease_for(self, seconds: float) -> None:
        renew_lease(self._claimed.saga_id, self._claimed.token, seconds=seconds)

    def _key(self, name: str) -> str:
        return f"{name}{PART}{self._part}" if self._part else name
