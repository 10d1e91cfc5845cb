"""The log of production: one JSON object a line, and ids that join a request, its saga and its task."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings

from arcadia_cloud.embedded.child_processes import ChildProcess, start_child, stop_children
from arcadia_cloud.embedded.stack import commands
from arcadia_cloud.embedded.valkey import free_port
from tests.access import bearer, token_of
from tests.processes import Workers, wait_for
from tests.processes import test_database_url as database_url

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
WAIT_SECONDS = 60


@pytest.fixture
def production() -> Mapping[str, str]:
    """Production's settings, with this test's servers and tokens."""
    return {
        "ARCADIA_ENV": "production",
        "ARCADIA_SSL_REDIRECT": "false",
        "SECRET_KEY": "aZ3-" * 20 + "unlike-anything",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": database_url(),
        "ARCADIA_JWT_SECRET": settings.ARCADIA_JWT_SECRET,
        "ARCADIA_JWT_ISSUER": settings.ARCADIA_JWT_ISSUER,
        "ARCADIA_JWT_AUDIENCE": settings.ARCADIA_JWT_AUDIENCE,
    }


@pytest.fixture
def web(production: Mapping[str, str], tmp_path: Path) -> Iterator[tuple[str, ChildProcess]]:
    port = free_port()
    command = commands(port)["web"]
    child = start_child("web", command, folder=tmp_path, environment={**os.environ, **production})
    try:
        wait_for(child, "Booting worker")
        yield f"http://127.0.0.1:{port}", child
    finally:
        stop_children([child], within_seconds=15)


def lines_of(child: ChildProcess) -> list[dict[str, Any]]:
    """The lines of our loggers; Celery greets root, who runs some of these tests, in its own way."""
    return [json.loads(line) for line in child.logged().splitlines() if line.startswith("{")]


def line(child: ChildProcess, event: str, **names: Any) -> dict[str, Any]:
    """The one line of an event with these values, once it is there."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        found = [
            each for each in lines_of(child) if each.get("event") == event and names.items() <= each.items()
        ]
        if found:
            assert len(found) == 1, found
            return found[0]
        assert time.monotonic() < deadline, f"no {event} with {names}:\n{child.last_lines(60)}"
        time.sleep(0.1)


def test_a_request_its_saga_and_its_task_are_joined_by_ids(
    production: Mapping[str, str], web: tuple[str, ChildProcess], worker: Workers
) -> None:
    url, server = web
    workers = worker("provisioning", environment=production)
    inputs = {"message": "hello", "times": 1, "then_fail": True}
    answer = requests.post(
        f"{url}/api/v1/sagas",
        json={"kind": "echo", "inputs": inputs},
        headers=bearer(token_of("platform_admin", subject="jo")),
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    saga = answer.json()["id"]

    created = line(server, "saga_created", saga=saga)
    request = line(server, "request_finished", request_id=created["request_id"])
    assert (request["code"], request["user_id"]) == (201, "jo")
    assert 0 < request["duration_ms"] < 60_000

    ended = line(workers, "saga_ended", saga=saga)
    assert (ended["kind"], ended["outcome"]) == ("echo", "rolled_back")
    assert 0 < ended["duration_ms"] < 60_000
    failed = line(workers, "step_failed", saga=saga)
    assert (failed["step_idx"], failed["error"]) == (1, "FinalError: this step always fails")
    task = line(workers, "task_succeeded", task_id=ended["task_id"])
    assert task["duration_ms"] >= 0
    assert task["task"].startswith("provisioning.")
    assert failed["task_id"] == ended["task_id"]


def test_a_request_of_a_tenant_names_it_and_a_refused_one_says_why(web: tuple[str, ChildProcess]) -> None:
    url, server = web
    requests.get(f"{url}/api/v1/inventory", headers=bearer(token_of(tenant="acme")), timeout=60)
    assert line(server, "request_finished", tenant="acme")["code"] == 200
    assert {"timestamp", "level", "logger", "request_id", "duration_ms"} <= set(
        line(server, "request_finished", tenant="acme")
    )


def test_every_line_of_the_web_server_is_json_its_own_too(web: tuple[str, ChildProcess]) -> None:
    url, server = web
    requests.get(f"{url}/api/health", timeout=60)
    line(server, "request_finished")
    others = [text for text in server.logged().splitlines() if not text.startswith("{")]
    assert others == []
    assert any(each["event"].startswith("Booting worker") for each in lines_of(server))
