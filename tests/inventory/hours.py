"""Hours of few calls: each has a token of its own at the simulator, with limits of its own."""

from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Protocol

import pytest

from arcadia_cloud.digitalocean.rate_limit import budget
from arcadia_cloud.digitalocean.rate_limit.local_windows import Limits
from simulator.simulation import DEFAULT_TEAM
from tests.simulated import Simulated


class BeginHour(Protocol):
    """Begin an hour of so many calls; the log of requests is empty then."""

    def __call__(self, calls: int) -> None: ...


@pytest.fixture
def begin_hour(simulator: Simulated, monkeypatch: pytest.MonkeyPatch) -> Iterator[BeginHour]:
    """Hours follow on each other at once, and their minutes are too short to wait for."""
    numbers = count(1)

    def begin(calls: int) -> None:
        token = f"dop_v1_{next(numbers):064x}"
        simulator.control("POST", "tokens", token=token, team=DEFAULT_TEAM)
        simulator.control("POST", "limits", enabled=True, per_hour=calls, per_minute=1_000_000)
        simulator.control("DELETE", "requests")
        monkeypatch.setattr(budget, "Limits", partial(Limits, calls=calls, burst_seconds=0.001))
        monkeypatch.setenv("DO_API_TOKEN", token)

    yield begin
    simulator.control("POST", "limits", enabled=False, per_hour=5000, per_minute=250)
