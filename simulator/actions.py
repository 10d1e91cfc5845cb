"""Actions: started by a request, finished once their virtual seconds have passed.

A droplet that is there from the start has the action that created it: those of a fleet are stored, those of
synthetic droplets are computed, as the droplets are.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from simulator.catalog import REGIONS, Json
from simulator.clock import Clock, format_time
from simulator.droplet import Droplet
from simulator.synthetic_droplets import SyntheticDroplets

CREATE_SECONDS: Final = 30
# Ids ascend as DigitalOcean's do: a fleet's come before the synthetic ones, both before any started later.
_FIRST_FLEET_ID: Final = 1_800_000_000
_FIRST_SYNTHETIC_ID: Final = 1_900_000_000
_FIRST_STARTED_ID: Final = 2_100_000_001


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


def _make_creation(action_id: int, droplet: Droplet) -> Action:
    """Return the completed action that created a droplet before the simulation began."""
    return Action(
        id=action_id,
        type="create",
        resource_id=droplet.id,
        resource_type="droplet",
        region=droplet.region,
        started_at=droplet.created_at,
        due=0.0,
        fails=False,
        finish=None,
        status="completed",
        completed_at=droplet.created_at + timedelta(seconds=CREATE_SECONDS),
    )


class ActionStore:
    """The actions of an account. They outlive their droplets."""

    def __init__(self, clock: Clock, synthetic: SyntheticDroplets) -> None:
        self._clock = clock
        self._synthetic = synthetic
        self._fleet: dict[int, Action] = {}
        self._started: dict[int, Action] = {}
        self._running: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._started) + self._synthetic.count + len(self._fleet)

    def add_creation(self, droplet: Droplet) -> None:
        """Add the completed action that created a fleet's droplet."""
        action = _make_creation(_FIRST_FLEET_ID + len(self._fleet), droplet)
        self._fleet[action.id] = action

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
        action = Action(
            id=_FIRST_STARTED_ID + len(self._started),
            type=kind,
            resource_id=resource_id,
            resource_type=resource_type,
            region=region,
            started_at=self._clock.now(),
            due=self._clock.virtual() + seconds,
            fails=fails,
            finish=finish,
        )
        self._started[action.id] = action
        heapq.heappush(self._running, (action.due, action.id))
        return action

    def finish_due(self) -> None:
        """End the actions that are due, in the order in which they are."""
        now, virtual = self._clock.now(), self._clock.virtual()
        # A heap by due time: each request looks at what is due and at one more.
        while self._running and self._running[0][0] <= virtual:
            due, action_id = heapq.heappop(self._running)
            action = self._started[action_id]
            action.status = "errored" if action.fails else "completed"
            # It ended some time before this look: by virtual seconds, divided by the speed to get real ones.
            ended_at = now - timedelta(seconds=(virtual - due) / self._clock.speed)
            action.completed_at = max(ended_at, action.started_at)
            # Called once and dropped, since it refers to a droplet that may be deleted by now.
            finish, action.finish = action.finish, None
            if finish is not None:
                finish(not action.fails)

    def get(self, action_id: int) -> Action | None:
        stored = self._started.get(action_id) or self._fleet.get(action_id)
        index = action_id - _FIRST_SYNTHETIC_ID
        if stored is None and 0 <= index < self._synthetic.count:
            return self._make_synthetic_creation(index)
        return stored

    def slice(self, start: int, stop: int) -> list[Action]:
        """Return the actions number `start` to `stop`, exclusive, newest first."""
        started, fleet = list(reversed(self._started.values())), list(reversed(self._fleet.values()))
        found = started[start:stop]
        # Of the synthetic droplets' actions, between the two, only those of this page are computed.
        first, last = max(0, start - len(started)), min(stop - len(started), self._synthetic.count)
        found += (self._make_synthetic_creation(self._synthetic.count - 1 - n) for n in range(first, last))
        fleet_start = len(started) + self._synthetic.count
        return [*found, *fleet[max(0, start - fleet_start) : max(0, stop - fleet_start)]]

    def list_of_droplet(self, droplet_id: int) -> list[Action]:
        """Return the actions of an existing droplet, newest first."""
        stored = (*reversed(self._started.values()), *reversed(self._fleet.values()))
        found = [action for action in stored if action.resource_id == droplet_id]
        index = self._synthetic.find_index(droplet_id)
        return found if index is None else [*found, self._make_synthetic_creation(index)]

    def count_in_progress(self) -> int:
        return len(self._running)

    def _make_synthetic_creation(self, index: int) -> Action:
        return _make_creation(_FIRST_SYNTHETIC_ID + index, self._synthetic.make_droplet(index))
