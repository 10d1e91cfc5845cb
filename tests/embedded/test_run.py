import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from arcadia_cloud.embedded.state import PROJECT
from arcadia_cloud.main_job.seeds.demo import TENANTS
from inventory.kinds import registry
from inventory.values import RunMode
from tests.embedded.command import Place, running
from tests.simulated import Simulated

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("stack"), pytest.mark.timeout(900)]


@pytest.fixture
def place(state_folder: Path) -> Place:
    return Place.free(state_folder)


@pytest.fixture(scope="module")
def stack_place() -> Iterator[Place]:
    """One for all whole stacks of this module, one after the other: its database is migrated once."""
    folder = Path(tempfile.mkdtemp(prefix="arcadia-"))
    yield Place.free(folder)
    shutil.rmtree(folder)


def test_behind_a_proxy_a_second_run_refuses_a_single_job_joins_and_ctrl_c_leaves_nothing(
    stack_place: Place,
) -> None:
    """The proxy to the internet is dead: it isn't asked for what runs here."""
    place = stack_place
    dead = "http://127.0.0.1:9"
    with running(place, http_proxy=dead, HTTP_PROXY=dead, NO_PROXY="intranet.example") as stack:
        with urllib.request.urlopen(f"http://127.0.0.1:{place.port}/admin/login/", timeout=10) as page:
            assert page.status == 200
        second = place.run()
        assert second.returncode == 1
        assert f"a bin/run is up already at http://127.0.0.1:{place.port}" in second.stderr
        assert str(stack.process.pid) in second.stderr
        first_stage, told = cut_off_after_a_stage(place, http_proxy=dead, HTTP_PROXY=dead)
        assert (first_stage["stage"], first_stage["status"]) == ("sync project", "ok")
        assert "using the stack that is up" in told
        assert stack.end(signal.SIGINT) == 0
        assert place.processes() == []
        assert "stopped; nothing is left running" in stack.read_output()


def cut_off_after_a_stage(place: Place, **extra: str) -> tuple[dict[str, Any], str]:
    """The first line of a job, which Ctrl-C ends there, and its messages."""
    job = subprocess.Popen(
        ["sh", "bin/run", "--once", "--json"],  # noqa: S607 - the system's shell
        cwd=PROJECT,
        env=place.environment(**extra),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert job.stdout
    line = job.stdout.readline()
    job.send_signal(signal.SIGINT)
    _, told = job.communicate(timeout=60)
    return json.loads(line), told


def test_after_kill_9_the_next_run_recovers_and_a_dead_web_server_stops_it_all(
    stack_place: Place,
) -> None:
    place = stack_place
    with running(place) as killed:
        os.kill(killed.process.pid, signal.SIGKILL)
        killed.process.wait(timeout=10)
        assert len(place.processes()) >= 6  # PostgreSQL, Valkey, simulator, web, workers, beat live on
        with running(place) as stack:
            assert "ended postgres, left behind by a run that was killed" in stack.read_output()
            assert "ended beat, left behind by a run that was killed" in stack.read_output()
            stack.child("arcadia_cloud beat").kill()
            deadline = time.monotonic() + 30
            while "beat ended by itself" not in stack.read_output() and time.monotonic() < deadline:
                time.sleep(0.2)
            assert "beat ended by itself" in stack.read_output()
            assert str(place.folder / "logs" / "beat.log") in stack.read_output()
            assert stack.process.poll() is None
            stack.child("gunicorn").kill()
            assert stack.process.wait(timeout=60) == 1
            assert "web ended by itself" in stack.read_output()
            assert place.processes() == []


def test_one_job_prints_a_json_object_per_stage_and_nothing_else(place: Place) -> None:
    job = place.run("--once", "--json")
    assert job.returncode == 0, job.stderr
    lines = [json.loads(line) for line in job.stdout.splitlines()]
    full = [str(entry.kind) for entry in registry.specs_of_mode(RunMode.FULL)]
    slow = [str(entry.kind) for entry in registry.specs_of_mode(RunMode.SLOW)]
    kinds = ("project", *full, "project", *slow)
    syncs = [f"sync {kind}" for kind in kinds]
    quotes = [f"quote {tenant}/{slug}" for tenant, slugs in TENANTS.items() for slug in slugs]
    reads = ["balance and invoices", "provider prices", "reported costs"]
    costs = ["daily costs", "cost anomalies"]
    last = ["margin", "money audit"]
    later = [*reads, "push to finance", "drift", "meter", *costs, *sorted(quotes), *last]
    stages = [line["stage"] for line in lines]
    quoted = slice(-len(quotes) - len(last), -len(last))
    assert [*stages[: quoted.start], *sorted(stages[quoted]), *stages[quoted.stop :]] == [*syncs, *later]
    for line in lines:
        assert set(line) == {"stage", "status", "counts", "seconds", "error"}
        assert line["status"] == "ok"
    counts = {line["stage"]: line["counts"] for line in lines}
    assert (counts["money audit"]["red"], counts["money audit"]["yellow"]) == (0, 0)
    assert counts["sync droplet"]["seen"] == 15
    # The demo's seed has seen projects and droplets before, to adopt some.
    new = [stage for stage in syncs if stage not in {"sync project", "sync droplet"}]
    assert min(counts[stage]["discovered"] for stage in new) > 0
    billed = counts["balance and invoices"]
    assert billed["ingested"] == billed["new invoices"] + 1, "the running month's preview is no new invoice"
    assert billed["matched"] + billed["unmatched"] + billed["tax"] == billed["lines"]
    assert min(billed[name] for name in ("matched", "unmatched", "tax")) > 0
    assert counts["push to finance"] == {"created": billed["new invoices"]}
    assert counts["meter"]["days"] == 10
    assert counts["meter"]["records"] > 0
    assert counts["provider prices"]["begun"] > 30
    assert counts["reported costs"]["days"] > 365
    assert counts["daily costs"]["days"] > 2 * 365, "fourteen months at first"
    assert min(counts[quote]["AUD cents"] for quote in quotes) >= 2000, "the base fee of the cheapest plan"
    assert place.processes() == []


def test_on_a_given_database_and_broker_a_stage_that_fails_is_named_and_no_server_starts(
    place: Place, simulator: Simulated
) -> None:
    given = {"DATABASE_URL": os.environ["DATABASE_URL"], "REDIS_URL": os.environ["REDIS_URL"]}
    stranger = {"DO_API_URL": simulator.url, "DO_API_TOKEN": "dop_v1_" + "f" * 64}
    began = datetime.now(UTC)
    job = place.run("--once", "--json", **given, **stranger)
    assert job.returncode == 1
    lines = [json.loads(line) for line in job.stdout.splitlines()]
    failed = [line for line in lines if line["status"] == "failed"]
    passed = {line["stage"].partition(" acme")[0] for line in lines if line["status"] == "ok"}
    assert all("401" in line["error"] for line in failed)
    assert failed[-1]["stage"] == "reported costs"
    assert passed >= {"push to finance", "drift", "meter", "daily costs"}, (
        "what needs no token of the provider's"
    )
    assert re.search("failed: .*sync droplet", job.stderr)
    assert not (place.folder / "postgres").exists()
    assert not (place.folder / "valkey").exists()
    with psycopg.connect(given["DATABASE_URL"]) as connection:
        runs = connection.execute("SELECT kind FROM sync_runs WHERE started_at >= %s", [began]).fetchall()
    assert ("droplet",) in runs, "the given database has the runs"


def test_production_is_refused_and_nothing_starts(place: Place) -> None:
    refused = place.run(ARCADIA_ENV="production")
    assert refused.returncode == 1
    assert "ARCADIA_ENV is production" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert list(place.folder.iterdir()) == []


def test_production_names_every_missing_variable_at_once() -> None:
    environment = {"PATH": os.environ["PATH"], "ARCADIA_ENV": "production"}
    refused = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode != 0
    for name in (
        "SECRET_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "ARCADIA_JWT_SECRET",
        "ARCADIA_JWT_ISSUER",
        "ARCADIA_JWT_AUDIENCE",
        "ALLOWED_HOSTS",
        "DO_API_TOKEN",
    ):
        assert name in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_port_that_is_taken_is_named(place: Place) -> None:
    with socket.create_server(("127.0.0.1", place.port)):
        refused = place.run()
    assert refused.returncode == 1
    assert f"port {place.port} can't be used" in refused.stderr
    assert place.processes() == []


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ARCADIA_PORT": "many"}, "ARCADIA_PORT is 'many'"),
        ({"DO_API_URL": "http://127.0.0.1:9"}, "DO_API_URL is set but no DO_API_TOKEN"),
        ({"SPACES_ENDPOINT_URL": "http://127.0.0.1:9"}, "SPACES_ENDPOINT_URL is set but no SPACES_KEY"),
        (
            {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/x"},
            "DATABASE_URL names a PostgreSQL that can't be",
        ),
        ({"DATABASE_URL_FILE": "/nowhere"}, "DATABASE_URL_FILE names /nowhere, which can't be read"),
    ],
)
def test_a_wrong_variable_is_reported(place: Place, variables: dict[str, str], words: str) -> None:
    refused = place.run(**variables)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


def test_ctrl_c_while_it_comes_up_leaves_nothing(place: Place) -> None:
    starting = subprocess.Popen(
        ["sh", "bin/run"],  # noqa: S607 - the system's shell
        cwd=PROJECT,
        env=place.environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert starting.stderr
    for line in starting.stderr:
        if "migrations" in line:
            break
    starting.send_signal(signal.SIGINT)
    assert starting.wait(timeout=60) == 0
    assert starting.stderr.read().endswith("stopped\n")
    assert place.processes() == []
