"""Faults, which are armed over HTTP, each for the requests that match it.

`POST /_control/faults` takes {"kind", "count", "probability", "method", "path", "after", "token", ...}:
`count` responses are affected (0: until it is disarmed), `path` is a regular expression found in the path,
`after` matching requests pass first, `probability` is drawn from the seed. By kind, with the further fields
and their defaults:

before the endpoint:
    rate_limited     429; retry_after (1; null: no such header), reset_in (seconds, 60)
    server_error     status (500), html (false); after_change (false): the change is made, its response lost
    latency          seconds (1)
    drop_before      the connection closes; reset (false): by RST instead of FIN
    forbidden        403
    missing          404, as of a resource that exists and can't be read yet
    pending_event    422; message ("Droplet already has a pending event.")
after the endpoint:
    drop_after       the connection closes without a response; reset (false)
    truncated        the response's first half; cut: "body" (default; a valid response of broken JSON) or
                     "connection" (closed before the announced length)
in lists:
    list_lag         droplets created within `seconds` (5, virtual) are missing; detail (false): by id too
    deleted_linger   droplets deleted within `seconds` (5, virtual) are still there; detail (false): by id too
    repeat_item      a page has its first item once more at its end
    shifted_pages    pages after the first begin `by` (1) items early, so that items repeat and a full last
                     page leaves some out; a negative number skips items
    wrong_total      meta.total is `by` (1) too high
    empty_list       nothing, total 0, as for a token without the scope
in an invoice's CSV; `line` is its number, from 1:
    lost_line        a line is missing; line (1)
    doubled_line     a line is there twice; line (1)
    missing_cent     a line's amount is a cent too low; line (1)
    html_answer      a page of HTML instead, with status 200
in a droplet's metrics:
    missing_samples  those from `hour` (0, UTC) on for `hours` (6) of every day are missing
in actions, at their start:
    errored_action   type ("": any): it ends errored, and a droplet it was to create is gone
    slow_actions     factor (10)
    ignored_shutdown a shutdown completes, but the guest ignored it: the droplet goes on running
    vanishing        a droplet is deleted right after its 202
    service_down     an assignment to a project is a 200 with this status per item; status ("service_down")
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from simulator.catalog import Json
from simulator.errors import bad_request, pending_event

DEFAULTS: Final[Mapping[str, Json]] = {
    "rate_limited": {"retry_after": 1, "reset_in": 60},
    "server_error": {"status": 500, "html": False, "after_change": False},
    "latency": {"seconds": 1},
    "drop_before": {"reset": False},
    "forbidden": {},
    "missing": {},
    "pending_event": {"message": pending_event().message},
    "drop_after": {"reset": False},
    "truncated": {"cut": "body"},
    "list_lag": {"seconds": 5, "detail": False},
    "deleted_linger": {"seconds": 5, "detail": False},
    "repeat_item": {},
    "shifted_pages": {"by": 1},
    "wrong_total": {"by": 1},
    "empty_list": {},
    "lost_line": {"line": 1},
    "doubled_line": {"line": 1},
    "missing_cent": {"line": 1},
    "html_answer": {},
    "missing_samples": {"hour": 0, "hours": 6},
    "errored_action": {"type": ""},
    "slow_actions": {"factor": 10},
    "ignored_shutdown": {},
    "vanishing": {},
    "service_down": {"status": "service_down"},
}
_COMMON_FIELDS: Final = frozenset({"kind", "count", "probability", "method", "path", "after", "token"})


@dataclass(slots=True)
class Fault:
    """One armed fault: the requests that it matches, and the settings of its kind."""

    id: int
    kind: str
    count: int  # responses left to affect; 0 at the start: no end
    probability: float
    method: str
    path: re.Pattern[str]
    after: int
    token: str
    settings: Json
    applied: int = 0
    endless: bool = field(init=False)

    def __post_init__(self) -> None:
        self.endless = self.count == 0

    def render(self) -> Json:
        return {
            "id": self.id,
            "kind": self.kind,
            "count": None if self.endless else self.count,
            "applied": self.applied,
            "method": self.method,
            "path": self.path.pattern,
            **self.settings,
        }


class Faults:
    """The armed faults, oldest first. `kinds` are all kinds, with the defaults of their settings."""

    def __init__(self, seed: int, kinds: Mapping[str, Json] = DEFAULTS) -> None:
        self._kinds = kinds
        self._random = random.Random(seed)
        self._armed: dict[int, Fault] = {}
        self._last_id = 0

    def __len__(self) -> int:
        return len(self._armed)

    def list_all(self) -> list[Fault]:
        return list(self._armed.values())

    def arm(self, payload: Json) -> Fault:
        """Arm the fault of a request's body. Raises ApiError (400) on unknown kinds and fields."""
        kind = str(payload.get("kind"))
        if kind not in self._kinds:
            raise bad_request(f"kind is one of {', '.join(self._kinds)}")
        unknown = payload.keys() - _COMMON_FIELDS - self._kinds[kind].keys()
        if unknown:
            raise bad_request(f"{kind} has no {', '.join(sorted(unknown))}")
        self._last_id += 1
        try:
            fault = Fault(
                id=self._last_id,
                kind=kind,
                count=int(payload.get("count", 1)),
                probability=float(payload.get("probability", 1)),
                method=str(payload.get("method", "")).upper(),
                path=re.compile(str(payload.get("path", ""))),
                after=int(payload.get("after", 0)),
                token=str(payload.get("token", "")),
                settings={name: payload.get(name, default) for name, default in self._kinds[kind].items()},
            )
        except (TypeError, ValueError, re.error) as error:
            raise bad_request(str(error)) from error
        self._armed[fault.id] = fault
        return fault

    def disarm(self, fault_id: int | None = None) -> None:
        """Disarm one fault, or all."""
        if fault_id is None:
            self._armed.clear()
        else:
            self._armed.pop(fault_id, None)

    def take(self, kind: str, *, method: str, path: str, token: str, **wanted: object) -> Json | None:
        """Return the settings of the oldest fault that affects the request and count it; None if none does.

        `wanted` are settings that the fault must have; an empty one of the fault's matches anything.
        """
        for fault in self._armed.values():
            if (
                fault.kind != kind
                or fault.method not in {"", method}
                or fault.token not in {"", token}
                or fault.path.search(path) is None
                or any(fault.settings[name] not in {"", value} for name, value in wanted.items())
            ):
                continue
            # Counted down by matching requests alone, and before chance: `after` names one certain request.
            if fault.after > 0:
                fault.after -= 1
                continue
            if self._random.random() >= fault.probability:
                continue
            fault.applied += 1
            if not fault.endless:
                fault.count -= 1
                if fault.count == 0:
                    del self._armed[fault.id]
            return fault.settings
        return None
