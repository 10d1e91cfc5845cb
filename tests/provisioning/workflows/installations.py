"""Complete installations on one DigitalOcean account: each has a database, a broker, workers and a token."""

import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Self

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import call_command
from kombu import Connection

from arcadia_cloud.embedded.child_processes import ChildProcess
from arcadia_cloud.embedded.postgres import Postgres
from arcadia_cloud.embedded.valkey import Valkey
from arcadia_cloud.kernel.queue.broker import PUBLISH_ERRORS
from arcadia_cloud.kernel.queue.nudge import breaker
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.states import SAGA_LIFECYCLE, STEP_LIFECYCLE
from tests.kernel.brokers import use_broker
from tests.kernel.lifecycles import forbid_illegal_moves
from tests.processes import Workers
from tests.provisioning.weather import Weather, use_database
from tests.provisioning.workflows.cloud import Cloud
from tests.simulated import Simulated

TEAM = "arcadia"
ENVIRONMENT = {
    "ARCADIA_SAGA_LEASE_SECONDS": "2",
    "DO_TIMEOUT_SECONDS": "3",  # a lease is that long after a write
    "ARCADIA_SAGA_POLL_SECONDS": "1",
    "ARCADIA_SAGA_TAG_LAG_SECONDS": "1",
    "ARCADIA_CREATES_PER_HOUR": "100000",
}
_SWEEP_EVERY_SECONDS = 0.5


class Installation:
    """One installation, whose servers are in a folder of its own. `name` is a hexadecimal digit."""

    def __init__(self, name: str, folder: Path, simulator: Simulated) -> None:
        self.name = name
        self.postgres = Postgres(folder / name)
        self.valkey = Valkey(folder / name)
        self.token = "dop_v1_" + name * 64
        self._simulator = simulator
        self._workers = Workers(folder / name)

    def __enter__(self) -> Self:
        self._simulator.control("POST", "tokens", token=self.token, team=TEAM)
        self.postgres.start()
        self.valkey.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._workers.end()
        self.postgres.kill()
        self.valkey.kill()

    @contextmanager
    def inside(self) -> Iterator[None]:
        """For the block, this process is one of the installation's."""
        with pytest.MonkeyPatch.context() as patch, use_database(self.postgres.url):
            use_broker(patch, self.valkey.url)
            patch.setattr(settings, "REDIS_URL", self.valkey.url)
            patch.setenv("DO_API_TOKEN", self.token)
            breaker.reset()
            yield

    def set_up(self) -> None:
        """Migrate, and read the account for the first time."""
        with self.inside():
            call_command("migrate", verbosity=0)
            for table, lifecycle in (("saga_runs", SAGA_LIFECYCLE), ("saga_step_results", STEP_LIFECYCLE)):
                forbid_illegal_moves(table, lifecycle.field, lifecycle.moves)
            self.sync()

    def sync(self) -> None:
        """Read the account's droplets and snapshots, in this process."""
        sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["droplet", "snapshot"])

    def copy_database(self, other: "Installation") -> None:
        """Give an installation that is not up yet this one's database, as a restored backup would."""
        self.postgres.stop()
        other.postgres.folder.mkdir(parents=True, exist_ok=True)
        # With its owner: PostgreSQL refuses data that isn't its user's.
        copy = [shutil.which("cp") or "cp", "-a", str(self.postgres.data), str(other.postgres.data)]
        subprocess.run(copy, check=True)
        self.postgres.start()

    def start_worker(self) -> ChildProcess:
        """Start a worker that takes this installation's sagas."""
        environment = ENVIRONMENT | {
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "DO_API_URL": self._simulator.url,
            "DO_API_TOKEN": self.token,
        }
        return self._workers("provisioning", environment=environment, options=("--concurrency", "2"))

    def publish_sweep(self) -> None:
        """Publish a sweep; a broker that is away hears of the next one."""
        with suppress(*PUBLISH_ERRORS), Connection(self.valkey.url) as connection:
            producer = current_app.amqp.Producer(connection, auto_declare=False)
            current_app.send_task("provisioning.sweep", queue="provisioning", producer=producer, retry=False)


class Pair:
    """Two installations, and the account that both work on, seen by a third token."""

    def __init__(self, folder: Path, simulator: Simulated, cloud: Cloud) -> None:
        self.cloud = cloud
        self.simulator = simulator
        self.original = Installation("a", folder, simulator)
        self.copy = Installation("b", folder, simulator)

    @property
    def both(self) -> Sequence[Installation]:
        return (self.original, self.copy)

    def of_token(self, ending: str) -> Installation | None:
        """Return the installation whose token ends so, as the simulator's log has it; None: another's."""
        return next((each for each in self.both if each.token.endswith(ending)), None)

    @contextmanager
    def at_work(
        self, *, kill_every_seconds: float = 5.0, most_deaths: int | None = None
    ) -> Iterator[list[Weather]]:
        """For the block, both sweep often and have a worker that is killed again and again, or so often."""
        over = threading.Event()

        def tick() -> None:
            while not over.wait(_SWEEP_EVERY_SECONDS):
                for each in self.both:
                    each.publish_sweep()

        ticking = threading.Thread(target=tick, name="two beats")
        ticking.start()
        try:
            with ExitStack() as stack:
                yield [
                    stack.enter_context(
                        Weather(
                            each.start_worker,
                            workers=1,
                            every_seconds=kill_every_seconds,
                            most_deaths=most_deaths,
                        )
                    )
                    for each in self.both
                ]
        finally:
            over.set()
            ticking.join()
