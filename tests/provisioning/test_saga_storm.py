"""Sagas while workers are killed, PostgreSQL restarts and Valkey forgets: all end, nothing is done twice."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from arcadia_cloud.embedded.postgres import Postgres
from arcadia_cloud.embedded.valkey import Valkey
from arcadia_cloud.kernel.database import retry_while_database_is_down
from arcadia_cloud.kernel.queue.nudge import publish_now
from provisioning.models import SagaRun
from tests.kernel.brokers import use_broker
from tests.processes import Workers
from tests.provisioning import storm_workflow
from tests.provisioning.sagas import start, sweeping_often
from tests.provisioning.storm_counts import count
from tests.provisioning.weather import Weather, upheave, use_database

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]
EVERYDAY, MATRIX = 50, 1000
# What happens when so many of the sagas have ended.
UPHEAVALS = ((0.1, "restart"), (0.2, "flush"), (0.45, "restart"), (0.6, "flush"))


@pytest.fixture
def own_database(own_postgres: Postgres, transactional_db: None) -> Iterator[Postgres]:
    """The test's own PostgreSQL, migrated, which everything here talks to for the test."""
    with use_database(own_postgres.url):
        call_command("migrate", verbosity=0)
        yield own_postgres


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
    assert weather.deaths >= (3 if whole else 1)
    assert upheavals == []


def offer_again() -> None:
    """Offer workers what others hold just now."""
    for saga_id in retry_while_database_is_down(
        lambda: list(SagaRun.objects.filter(status="running").values_list("pk")[:4])
    ):
        publish_now("provisioning.advance_saga", queue="provisioning", saga_id=saga_id[0])
