"""The events of a resource's history that an app above inventory finds out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from arcadia_cloud.kernel.sql import execute, load

_RECORD_DRIFT_DETECTED: Final = load(__package__, "record_drift_detected.sql")


class DriftEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a resource that isn't as desired. `source` names the row that has it, as `drift:12`."""

    resource_id: int
    field: str
    expected: Any
    actual: Any
    source: str


def record_drift_detected(differences: Sequence[DriftEvent], *, at: datetime, actor: str) -> None:
    """Write one `drift_detected` event for each of them. One statement, in the caller's transaction."""
    if differences:
        parameters = {"differences": msgspec.json.encode(differences).decode(), "at": at, "actor": actor}
        execute(_RECORD_DRIFT_DETECTED, parameters)
