import os
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from arcadia_cloud.embedded.child_processes import RECORD, record_process, stop_leftovers
from arcadia_cloud.embedded.errors import ChildError, EmbeddedError, FolderInUseError
from arcadia_cloud.embedded.folder_lock import is_locked, lock_folder
from arcadia_cloud.embedded.postgres import SOCKET_NAME, Postgres
from arcadia_cloud.embedded.servers import run_servers
from arcadia_cloud.embedded.simulator import run_simulator
from arcadia_cloud.embedded.state import read_running_stack, remove_stack_file, write_stack_file
from arcadia_cloud.embedded.valkey import Valkey
from tests.processes import hanging

pytestmark = pytest.mark.processes


def test_a_killed_postgres_keeps_what_was_committed(own_postgres: Postgres) -> None:
    with psycopg.connect(own_postgres.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    own_postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(own_postgres.url)
    own_postgres.start()
    with psycopg.connect(own_postgres.url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_a_lock_file_with_another_programs_pid_is_ignored(own_postgres: Postgres) -> None:
    own_postgres.kill()
    for path in (own_postgres.data / "postmaster.pid", own_postgres.data / f"{SOCKET_NAME}.lock"):
        first, _, rest = path.read_text().partition("\n")
        assert first.isdigit()
        path.write_text(f"{os.getppid()}\n{rest}")  # not our own: the server passes over its parent
    own_postgres.start()
    psycopg.connect(own_postgres.url).close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as somebody else")
def test_data_of_an_unknown_user_are_refused(state_folder: Path) -> None:
    (state_folder / "postgres").mkdir()
    os.chown(state_folder / "postgres", 54_321, 54_321)
    with pytest.raises(ChildError, match="belongs to user 54321, whom this machine doesn't know"):
        Postgres(state_folder).start()


def test_a_hanging_postgres_answers_nothing_until_it_goes_on(own_postgres: Postgres) -> None:
    assert own_postgres.child
    with hanging(own_postgres.child), pytest.raises(psycopg.OperationalError):
        psycopg.connect(own_postgres.url, connect_timeout=2)
    psycopg.connect(own_postgres.url, connect_timeout=10).close()


def test_a_valkey_comes_back_empty_on_the_same_address(own_valkey: Valkey) -> None:
    client = redis.Redis.from_url(own_valkey.url, socket_timeout=2)
    client.set("key", "value")
    own_valkey.kill()
    with pytest.raises(redis.ConnectionError):
        client.ping()
    own_valkey.start()
    assert client.get("key") is None


def test_valkey_refuses_who_has_no_password(own_valkey: Valkey) -> None:
    stranger = redis.Redis(port=own_valkey.port, socket_timeout=2)
    with pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_a_folder_has_one_holder_whose_details_others_read(state_folder: Path) -> None:
    assert not is_locked(state_folder)
    with lock_folder(state_folder, {"url": "http://here"}):
        assert is_locked(state_folder)
        with pytest.raises(FolderInUseError) as refusal, lock_folder(state_folder):
            pass
        assert refusal.value.holder == {"pid": str(os.getpid()), "url": "http://here"}
    assert not is_locked(state_folder)


def test_the_addresses_of_a_stack_count_only_while_its_owner_lives(state_folder: Path) -> None:
    write_stack_file(state_folder, {"DATABASE_URL": "postgresql://here"})
    assert (state_folder / "stack.json").stat().st_mode & 0o777 == 0o600
    assert read_running_stack(state_folder) == {}
    with lock_folder(state_folder):
        assert read_running_stack(state_folder) == {"DATABASE_URL": "postgresql://here"}
        remove_stack_file(state_folder)
        assert read_running_stack(state_folder) == {}


def test_a_recorded_pid_that_another_process_has_now_is_left_alone(state_folder: Path) -> None:
    record_process(state_folder, "web", os.getppid())
    line = (state_folder / RECORD).read_text()
    created = psutil.Process(os.getppid()).create_time()
    (state_folder / RECORD).write_text(line.replace(str(created), str(created - 60)) + '{"name": "cut sh')
    assert stop_leftovers(state_folder) == []
    assert not (state_folder / RECORD).exists()


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("DATABASE_URL", "mysql://arcadia:hunter2@db.internal/arcadia"),
        ("DATABASE_URL", "hunter2"),
        ("REDIS_URL", "redis://:hunter2/3@redis.internal/0"),
    ],
)
def test_an_address_that_is_none_is_named_and_not_quoted(
    state_folder: Path, variable: str, address: str
) -> None:
    environment = {"DATABASE_URL": os.environ["DATABASE_URL"], variable: address}
    with pytest.raises(EmbeddedError) as refusal, run_servers(state_folder, environment, lambda _line: None):
        pass
    assert f"{variable} must be" in str(refusal.value)
    assert "hunter2" not in repr(refusal.value)


def test_options_of_the_simulator_that_no_shell_could_read_are_named(state_folder: Path) -> None:
    environment = {"ARCADIA_SIMULATOR_OPTIONS": "--droplets '5"}
    with (
        pytest.raises(EmbeddedError, match="ARCADIA_SIMULATOR_OPTIONS"),
        run_simulator(state_folder, environment),
    ):
        pass


def test_a_state_folder_that_is_a_file_has_no_stack(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert read_running_stack(tmp_path / "file") == {}
