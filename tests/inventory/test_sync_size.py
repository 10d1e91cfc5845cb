"""A fleet of 20,000 droplets, of 100,000 in the matrix: time, memory, and nothing new the second time."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from inventory.models import Resource, ResourceEvent, SyncRun
from simulator.simulation import DEFAULT_TOKEN
from tests.inventory.conftest import PROJECT
from tests.processes import test_database_url as database_url

EVERYDAY, MATRIX = 20_000, 100_000
PER_PAGE = 200
# By fleet: what a sync that held the whole of it in memory would go over.
MOST_GROWTH_MB = {EVERYDAY: 60, MATRIX: 150}
pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

# Tells the most memory that the process had when it was set up, and at its end, in kilobytes. Not by
# getrusage: its maximum goes back to before the exec, to the test runner's own memory.
_MEASURED = """
import re
import sys
import django
django.setup()
from pathlib import Path
from django.core.management import call_command
from django.db import connection
import inventory.management.commands.sync_inventory
connection.ensure_connection()
def peak():
    return re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]
started = peak()
call_command("sync_inventory", *sys.argv[1:])
print("memory", started, peak())
"""


@pytest.fixture
def droplets(request: pytest.FixtureRequest) -> int:
    """The size of the fleet."""
    return MATRIX if request.config.getoption("--matrix") else EVERYDAY


@pytest.fixture
def large_simulator(droplets: int) -> Iterator[str]:
    """In a process of its own: this one's interpreter holds other tests' memory."""
    command = [sys.executable, "-m", "simulator", "--port", "0", "--fleet", "droplets"]
    command += ["--droplets", str(droplets)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
            process.wait(10)


def growth_mb(url: str, *arguments: str, **variables: str) -> float:
    """Sync in a process of its own; by how much its memory grew over its start-up at most.

    `arguments` are the command's; `variables` are laid over the environment.
    """
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "arcadia_cloud.settings",
        "DO_API_URL": url,
        "DO_API_TOKEN": DEFAULT_TOKEN,
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *arguments],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    reported = re.search(r"^memory (\d+) (\d+)$", done.stdout, re.MULTILINE)
    assert reported is not None
    return (int(reported[2]) - int(reported[1])) / 1024


def test_a_large_fleet_is_synced_in_bounded_memory(
    droplets: int, large_simulator: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = []
    for turn in ("first", "second"):
        began = time.monotonic()
        growth = growth_mb(large_simulator)
        lines.append(f"{turn} sync: {time.monotonic() - began:.1f} s, {growth:.0f} MB over start-up")
        assert growth < MOST_GROWTH_MB[droplets], lines
    with capsys.disabled():
        print("\n" + "\n".join(lines))  # noqa: T201 - the figures are wanted
    seen = droplets + 13
    assert Resource.objects.live().count() == ResourceEvent.objects.count() == seen
    assert ResourceEvent.objects.filter(event_type="discovered").count() == seen
    runs = SyncRun.objects.filter(kind="droplet").order_by("pk")
    assert [(run.outcome, run.seen, run.discovered, run.updated) for run in runs] == [
        ("complete", seen, seen, 0),
        ("complete", seen, 0, 0),
    ]
    calls = -(-seen // PER_PAGE) + 1  # the account's, too
    assert [run.api_calls for run in runs] == [calls, calls]
