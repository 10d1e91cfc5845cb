"""What a step is handed: the saga's facts to read, the context to read and add to."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from provisioning.engine.claim import ClaimedSaga, StepAttempt
from provisioning.engine.lease import renew

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class EngineStepState:
    """Implements the contract's StepState over a saga in hand."""

    def __init__(self, held: ClaimedSaga, entry: StepAttempt, *, is_compensating: bool) -> None:
        self._held = held
        self.outputs: dict[str, Any] = {}
        self.saga_id = held.saga_id
        self.step_idx = held.step_idx
        self.attempt = entry.attempt
        self.began_at = entry.began_at
        self.last_began_at = entry.last_began_at
        self.first_began_at = entry.first_began_at
        self.inputs: Mapping[str, Any] = held.inputs
        self.tenant_id = held.tenant_id
        self.deployment_id = held.deployment_id
        self.requested_by = held.requested_by
        self.is_compensating = is_compensating

    def get_output(self, name: str, default: Any = None) -> Any:
        return self._held.context.get(name, default)

    def put_output(self, name: str, value: Any) -> None:
        kept = as_stored_json({name: value})
        self.outputs |= kept
        self._held.context |= kept

    def now(self) -> datetime:
        return self._held.clock.now()

    def extend_lease_for(self, seconds: float) -> None:
        renew(self._held.saga_id, self._held.token, seconds=seconds)


def as_stored_json(values: dict[str, Any]) -> dict[str, Any]:
    """The values as they will be read back from the database. Raises TypeError or ValueError for others.

    PostgreSQL's jsonb takes neither a NUL character nor half a surrogate pair.
    """
    text = json.dumps(values, ensure_ascii=False, allow_nan=False)
    text.encode()
    if _NUL.search(text):
        raise ValueError("a NUL character can't be kept")
    kept: dict[str, Any] = json.loads(text)
    return kept
