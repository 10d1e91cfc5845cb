"""Fixtures for every test: real servers and processes, each bounded in time and ended with its test."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from arcadia_cloud.digitalocean.account_check import account_checks
from arcadia_cloud.embedded.child_processes import RECORD, stop_leftovers
from arcadia_cloud.embedded.postgres import Postgres
from arcadia_cloud.embedded.valkey import Valkey
from arcadia_cloud.kernel.queue.nudge import breaker
from simulator.finance import app as simulated_finance
from simulator.server import serve
from simulator.simulation import DEFAULT_TOKEN
from tests.chromium import CHROMIUM, MISSING
from tests.emptying import close_session, empty_tables, may_empty_tables
from tests.gate import TEMPLATE_VARIABLE
from tests.processes import Workers
from tests.simulated import AS_IT_STARTS, Simulated, SimulatedFinance

FIGURES = "figures"
SLOW_TO_COLLECT = {"test_schemathesis_matrix.py"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--matrix", action="store_true", help="run the whole matrix of faults, not each kill point once"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave to `--matrix` what takes long to collect already."""
    is_left = collection_path.name in SLOW_TO_COLLECT and not config.getoption("--matrix")
    return True if is_left else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the browser tests where there is no browser."""
    if CHROMIUM is None:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=MISSING))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report what tests found out: `figures`."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                for text in (value for name, value in report.user_properties if name == FIGURES):
                    terminalreporter.write_line(f"\n{text}")


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Has a text reported at the end of the run, whether the test passes or not."""

    def tell(text: str) -> None:
        record_property(FIGURES, text)

    return tell


@pytest.fixture(autouse=True)
def _unknown_tokens() -> None:
    """No test's token has passed the account check in the test before."""
    account_checks.forget()


def pytest_configure() -> None:
    django_settings.PASSWORD_HASHERS = ["tests.hashers.QuickHasher"]
    # Each test client loads the middleware, and would look through all static files to be ready for them.
    django_settings.WHITENOISE_AUTOREFRESH = True


def pytest_collection_finish() -> None:
    """Leave what the collection made out of every later search for garbage: it is there to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """A test database is a copy of the one that the gate has migrated, if there is one."""
    if template := os.environ.get(TEMPLATE_VARIABLE):
        connection.settings_dict["TEST"]["TEMPLATE"] = template


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Test databases may be emptied between tests, the append-only history too.

    A commit doesn't wait for the disk: what a PostgreSQL keeps that is killed is tried on `own_postgres`.
    """
    with pytest.MonkeyPatch.context() as patch:
        with django_db_blocker.unblock():
            with connection.cursor() as cursor:
                name = connection.ops.quote_name(connection.settings_dict["NAME"])
                cursor.execute(f"ALTER DATABASE {name} SET arcadia.rewrite_history = 'allowed in tests'")
                cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
            if has_own_way := may_empty_tables():
                patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
            connection.close()
        yield
        if has_own_way:
            with django_db_blocker.unblock():
                close_session()


@pytest.fixture(scope="session")
def valkey_client() -> Iterator[redis.Redis]:
    """This worker's own Valkey database."""
    with redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=5) as client:
        yield client


@pytest.fixture(autouse=True)
def _empty_valkey(valkey_client: redis.Redis) -> None:
    """Queues and rate budgets of one test don't reach the next."""
    valkey_client.flushdb()


@pytest.fixture
def patient_broker(settings: Settings) -> Iterator[None]:
    """For tests of what is sent: a broker that a busy machine keeps waiting isn't away.

    The half second that a request waits for it would be over, the nudge lost and the next two seconds' too.
    """
    settings.ARCADIA_NUDGE_TIMEOUT_SECONDS = 30
    breaker.reset()
    yield
    breaker.reset()


@pytest.fixture(scope="session")
def _simulator_url() -> Iterator[str]:
    with serve() as url:
        yield url


@pytest.fixture
def simulator(_simulator_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Simulated:
    """A simulated DigitalOcean with its default fleet and no faults, which the client here talks to."""
    simulated = Simulated(_simulator_url, DEFAULT_TOKEN)
    simulated.reset(**AS_IT_STARTS)
    settings.DO_API_URL = simulated.url
    monkeypatch.setenv("DO_API_URL", simulated.url)  # for processes that the test starts
    monkeypatch.setenv("DO_API_TOKEN", simulated.token)
    return simulated


@pytest.fixture(scope="session")
def _finance_url() -> Iterator[str]:
    with simulated_finance.serve() as url:
        yield url


@pytest.fixture
def finance(_finance_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> SimulatedFinance:
    """A simulated finance service without rows and faults, which invoices are pushed to here."""
    simulated = SimulatedFinance(_finance_url)
    simulated.reset()
    settings.SKYAI_FINANCE_URL = simulated.url
    settings.SKYAI_FINANCE_JWT_SECRET = simulated_finance.DEFAULT_SECRET
    monkeypatch.setenv("SKYAI_FINANCE_URL", simulated.url)  # for processes that the test starts
    monkeypatch.setenv("SKYAI_FINANCE_JWT_SECRET", simulated_finance.DEFAULT_SECRET)
    return simulated


@pytest.fixture
def state_folder() -> Iterator[Path]:
    """An empty folder with a path short enough for a socket; what was started on it ends with the test."""
    folder = Path(tempfile.mkdtemp(prefix="arcadia-"))
    yield folder
    for record in folder.rglob(RECORD):
        stop_leftovers(record.parent)
    shutil.rmtree(folder)


@pytest.fixture
def own_postgres(state_folder: Path) -> Iterator[Postgres]:
    """A PostgreSQL that the test may stop, kill and start again; its database `arcadia` is empty."""
    server = Postgres(state_folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def own_valkey(state_folder: Path) -> Iterator[Valkey]:
    """A Valkey that the test may stop, kill and start again on the same address."""
    server = Valkey(state_folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def worker(tmp_path: Path, transactional_db: None) -> Iterator[Workers]:
    """Starts real Celery workers: `worker("provisioning")`. They see what the test commits."""
    workers = Workers(tmp_path)
    try:
        yield workers
    finally:
        workers.end()
