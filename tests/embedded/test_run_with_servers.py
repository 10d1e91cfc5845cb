import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from arcadia_cloud.embedded.state import PROJECT
from tests.embedded.command import FOREIGN, Place

MODULE = "arcadia_cloud.embedded.run_with_servers"

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("stack")]
LOOK = """
import json, os, psycopg, redis
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    row = connection.execute("SELECT current_database(), current_setting('fsync')").fetchone()
pong = redis.Redis.from_url(os.environ["REDIS_URL"]).ping()
print(json.dumps([*row, pong, os.environ["ARCADIA_STATE_DIR"]]))
raise SystemExit(3)
"""


def executed(folder: Path, *command: str, **extra: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "arcadia_cloud.embedded.run_with_servers",
            "--state",
            str(folder),
            "--",
            *command,
        ],
        cwd=PROJECT,
        env={**environment, **extra},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Under nohup the tests have it ignored, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509
    )


@pytest.mark.parametrize("name", ["plain", "with a blank & a %", "long-" * 30])
def test_a_command_gets_servers_and_its_status_is_passed_on(state_folder: Path, name: str) -> None:
    folder = state_folder / name
    process = executed(folder, sys.executable, "-c", LOOK)
    output, told = process.communicate(timeout=60)
    assert process.returncode == 3, told
    assert json.loads(output) == ["arcadia", "on", True, str(folder)]
    assert Place(folder, 0).processes() == []


def test_two_commands_on_one_folder_have_servers_of_their_own(state_folder: Path) -> None:
    folder = state_folder / "test"
    first = executed(folder, "sleep", "60")
    while not (folder / "valkey" / "valkey.conf").exists():
        assert first.poll() is None
        time.sleep(0.05)
    second = executed(folder, sys.executable, "-c", LOOK)
    output, told = second.communicate(timeout=60)
    assert second.returncode == 3, told
    assert json.loads(output)[3] == f"{folder}.2"
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=30)
    assert first.returncode == 128 + signal.SIGTERM
    assert Place(folder, 0).processes() == []


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGHUP])
def test_one_that_is_ended_while_its_servers_come_up_leaves_none(
    state_folder: Path, end: signal.Signals
) -> None:
    folder = state_folder / "test"
    process = executed(folder, "sleep", "60")
    while not (folder / "valkey" / "valkey.conf").exists():
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(end)
    process.communicate(timeout=30)
    assert process.returncode == 128 + end
    assert Place(folder, 0).processes() == []


def test_what_a_killed_one_left_is_ended_by_the_next(state_folder: Path) -> None:
    folder = state_folder / "test"
    killed = executed(folder, "sleep", "1")
    while not (folder / "valkey" / "valkey.conf").exists():
        time.sleep(0.05)
    killed.kill()
    killed.communicate(timeout=10)
    left = Place(folder, 0).processes()
    assert any(process.name() == "postgres" for process in left)
    process = executed(folder, sys.executable, "-c", LOOK)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 3, told
    assert "ended postgres, left behind" in told
    assert not [
        process for process in left if psutil.pid_exists(process.pid) and process.name() == "postgres"
    ]


def test_a_missing_command_is_reported(state_folder: Path) -> None:
    process = executed(state_folder, "no-such-command")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 127
    assert "no-such-command can't be run" in told
    assert "Traceback" not in told


def test_no_server_starts_in_production(state_folder: Path) -> None:
    process = executed(state_folder, "true", ARCADIA_ENV="production")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "ARCADIA_ENV is production" in told
    assert not (state_folder / "postgres").exists()
