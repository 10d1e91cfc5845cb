import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulator.api import Api

ROOT = Path(__file__).parents[2]


def started(*options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "simulator", "--port", "0", *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_command_announces_its_address_and_stops_on_a_signal(ending: signal.Signals) -> None:
    with started("--fleet", "reference", "--today", "2025-03-01") as process:
        try:
            assert process.stdout is not None
            words, _, url = process.stdout.readline().strip().rpartition(" ")
            assert words == "simulator listening on"
            with Api(url) as api:
                assert len(api.names()) == 5
                assert api.get("/_control/state")["now"].startswith("2025-03-01T12:00:")
            process.send_signal(ending)
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()


def test_the_command_refuses_what_cannot_be_in_words() -> None:
    with started("--droplets", "100001") as process:
        assert process.communicate(timeout=20)[1] == "simulator: between 0 and 100000 droplets, not 100001\n"
        assert process.returncode == 1


def test_the_simulator_stands_alone() -> None:
    probe = (
        "import sys, simulator.__main__, simulator.server\n"
        "alien = {'django', 'arcadia_cloud', 'inventory', 'celery'} & set(sys.modules)\n"
        "sys.exit(f'imports {alien}' if alien else 0)"
    )
    environment = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
