from collections.abc import Iterator

import pytest

from simulator.server import serve
from simulator.simulation import Simulation
from tests.simulator.api import Api


@pytest.fixture
def api() -> Iterator[Api]:
    """Serve a new simulation of the fleet `droplets`; yields a client with the default token."""
    with serve(Simulation(fleet="droplets")) as url, Api(url) as api:
        yield api
