"""Sagas while workers are killed, PostgreSQL restarts and Valkey forgets: all end, nothing is done twice."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.core.management import call_command
from django.db import connection

from arcadia_cloud.embedded.child_processes import ChildProcess
from arcadia_cloud.embedded.postgres import Postgres
from arcadia_cloud.embedded.valkey import Valkey
from arcadia_cloud.environment import Environment
from arcadia_cloud.kernel.database import retry_while_database_is_down
from arcadia_cloud.kernel.queue.nudge import publish_now
from provisioning.models import SagaRun
from tests.kernel.brokers import use_broker
from tests.processes import Workers
from tests.provisioning import storm_workflow
from tests.provisioning.sagas import start, sweeping_often
from tests.provisioning.storm_counts import count

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]
KILL_EVERY_SECONDS = 3.0
EVERYDAY, MATRIX = 200, 1000
# What happens when so many of the sagas have ended.
UPHEAVALS = ((0.1, "restart"), (0.2, "flush"), (0.45, "restart"), (0.6, "flush"))


@pytest.fixture
def own_database(own_postgres: Postgres, transactional_db: None) -> Iterator[Postgres]:
    """The test's own PostgreSQL, migrated, which everything here talks to for the test."""
    mine = Environment({"URL": own_postgres.url}).database("URL")
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(mine)
    try:
        call_command("migrate", verbosity=0)
        yield own_postgres
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(before)


class Weather:
    """Two workers, of which one is killed every few seconds and started anew, until it is over."""

    def __init__(self, start: Callable[[], ChildProcess]) -> None:
        self._start = start
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._blow, name="weather")
        self.deaths = 0
        self.error: BaseException | None = None

    def __enter__(self) -> "Weather":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _blow(self) -> None:
        try:
            workers = [self._start(), self._start()]
            while not self._over.wait(KILL_EVERY_SECONDS):
                os.killpg(workers[0].process.pid, signal.SIGKILL)
                workers[0].process.wait(10)
                self.deaths += 1
                workers = [workers[1], self._start()]
        except BaseException as error:
            self.error = error
            raise


def test_in_a_storm_every_saga_ends_and_no_committed_step_runs_again(
    own_database: Postgres,
    own_valkey: Valkey,
    worker: Workers,
    tmp_path: Path,
    patient_broker: None,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    figures: Callable[[str], None],
) -> None:
    whole = request.config.getoption("--matrix")
    use_broker(monkeypatch, own_valkey.url)
    folder = tmp_path / "effects"
    folder.mkdir()
    own = {
        "DATABASE_URL": own_database.url,
        "REDIS_URL": own_valkey.url,
        "ARCADIA_SAGA_LEASE_SECONDS": "2",
        storm_workflow.VARIABLE: str(folder),
    }
    began = time.monotonic()
    sagas = [
        start("effects", folder=str(folder), seconds=0.05, then_fail=number % 5 == 0).pk
        for number in range(MATRIX if whole else EVERYDAY)
    ]
    upheavals = list(UPHEAVALS if whole else UPHEAVALS[:2])
    with (
        Weather(
            lambda: worker("provisioning", environment=own, options=(*storm_workflow.OPTIONS, "2"))
        ) as weather,
        sweeping_often(),
    ):
        while (live := retry_while_database_is_down(SagaRun.objects.live().count)) > 0:
            assert weather.error is None
            assert time.monotonic() - began < 800, f"{live} sagas have not ended"
            if upheavals and 1 - live / len(sagas) >= upheavals[0][0]:
                upheave(upheavals.pop(0)[1], own_database, own_valkey)
            offer_again()
            time.sleep(0.1)
    counts = count(folder, sagas)
    counts.told |= {
        "workers killed": weather.deaths,
        "restarts of PostgreSQL, and as many of an empty Valkey": 2 if whole else 1,
        "seconds": round(time.monotonic() - began),
    }
    figures(f"storm\n{counts}")
    assert counts.wrong == []
    assert weather.deaths >= 3
    assert upheavals == []


def offer_again() -> None:
    """Offer workers what others hold just now."""
    for saga_id in retry_while_database_is_down(
        lambda: list(SagaRun.objects.filter(status="running").values_list("pk")[:4])
    ):
        publish_now("provisioning.advance_saga", queue="provisioning", saga_id=saga_id[0])


def upheave(what: str, postgres: Postgres, valkey: Valkey) -> None:
    """Restart PostgreSQL, or have Valkey forget everything."""
    if what == "restart":
        postgres.stop()
        postgres.start()
    else:
        with redis.Redis.from_url(valkey.url) as client:
            client.flushall()
