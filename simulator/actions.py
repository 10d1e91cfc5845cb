"""Actions: started by a request, finished once their virtual seconds have passed."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.catalog import REGIONS, Json
from simulator.clock import Clock, format_time


@dataclass(slots=True)
class Action:
    """One action; `finish` is called when it ends, with True if it succeeded."""

    id: int
    type: str
    resource_id: int
    resource_type: str
    region: str
    started_at: datetime
    due: float  # virtual seconds
    fails: bool
    finish: Callable[[bool], None] | None
    status: str = "in-progress"
    completed_at: datetime | None = None

    def render(self) -> Json:
        return {
            "id": self.id,
            "status": self.status,
            "type": self.type,
            "started_at": format_time(self.started_at),
            "completed_at": None if self.completed_at is None else format_time(self.completed_at),
            "resource_id": self.resource_id,
            "resource_type": self.resource_type,
            "region": REGIONS[self.region],
            "region_slug": self.region,
        }


class ActionStore:
    def __init__(self, first_id: int, clock: Clock) -> None:
        self._clock = clock
        self._by_id: dict[int, Action] = {}
        self._running: list[tuple[float, int]] = []
        self._next_id = first_id

    def start(
        self,
        kind: str,
        *,
        resource_id: int,
        resource_type: str,
        region: str,
        seconds: float,
        fails: bool = False,
        finish: Callable[[bool], None],
    ) -> Action:
        """Start an action that ends in so many virtual seconds, errored if it `fails`."""
        self._next_id += 1
        action = Action(
            id=self._next_id,
            type=kind,
            resource_id=resource_id,
            resource_type=resource_type,
            region=region,
            started_at=self._clock.now(),
            due=self._clock.virtual() + seconds,
            fails=fails,
            finish=finish,
        )
        self._by_id[action.id] = action
        heapq.heappush(self._running, (action.due, action.id))
        return action

    def finish_due(self) -> None:
        """End the actions that are due, in the order in which they are."""
        now, virtual = self._clock.now(), self._clock.virtual()
        while self._running and self._running[0][0] <= virtual:
            due, action_id = heapq.heappop(self._running)
            action = self._by_id[action_id]
            action.status = "errored" if action.fails else "completed"
            # It ended some time before this look: by virtual seconds, divided by the speed to get real ones.
            ended_at = now - timedelta(seconds=(virtual - due) / self._clock.speed)
            action.completed_at = max(ended_at, action.started_at)
            # Called once and dropped, since it refers to a droplet that may be deleted by now.
            finish, action.finish = action.finish, None
            if finish is not None:
                finish(not action.fails)

    def get(self, action_id: int) -> Action | None:
        return self._by_id.get(action_id)

    def list_newest_first(self, *, resource_id: int | None = None, resource_type: str = "") -> list[Action]:
        found = (
            action
            for action in self._by_id.values()
            if resource_id is None
            or (action.resource_id == resource_id and action.resource_type == resource_type)
        )
        return sorted(found, key=lambda action: -action.id)

    def count(self, status: str) -> int:
        return sum(action.status == status for action in self._by_id.values())
