"""The log lines of tasks: each carries its own task's ids, and a request's only where that asked for it."""

import re
import time

import pytest
from celery.signals import after_task_publish
from django_structlog.celery.steps import DjangoStructLogInitStep
from structlog.contextvars import bound_contextvars
from structlog.testing import capture_logs

from arcadia_cloud.celery import app
from arcadia_cloud.embedded.child_processes import ChildProcess
from arcadia_cloud.kernel.queue.nudge import publish_now
from arcadia_cloud.kernel.queue.wake import wake
from arcadia_cloud.kernel.tasks import forget_expired_keys
from tests.processes import READY_SECONDS, Workers

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
OF_A_REQUEST = {"request_id": "r-1", "tenant": "globex", "user_id": "jo", "ip": "192.0.2.1", "saga": 812}
_NAMES = re.compile(r"\b(request_id|tenant|user_id|ip|saga|task_id|parent_task_id)=(\S+)")


def lines_of(child: ChildProcess, event: str) -> list[dict[str, str]]:
    """The ids on the lines of an event."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", child.logged())
    return [dict(_NAMES.findall(line)) for line in plain.splitlines() if event in line]


def test_a_task_names_the_request_that_asked_and_the_next_one_does_not(
    worker: Workers, patient_broker: None
) -> None:
    child = worker("cloud_sync_slow")
    name = forget_expired_keys.name
    with bound_contextvars(**OF_A_REQUEST):
        publish_now(name, queue="cloud_sync_slow")
    publish_now(name, queue="cloud_sync_slow")
    with bound_contextvars(**OF_A_REQUEST):
        wake(name, queue="cloud_sync_slow")  # it takes rows of other requests, too
    with bound_contextvars(task_id="t-0", saga=7):
        publish_now(name, queue="cloud_sync_slow")
    wait_for_lines(child, "task_succeeded", 4)
    for event in ("task_started", "task_succeeded"):
        found = lines_of(child, event)
        ids = [line.pop("task_id") for line in found]
        assert len(set(ids)) == 4
        assert found == [{"request_id": "r-1"}, {}, {}, {"parent_task_id": "t-0"}]


def test_what_a_worker_sends_is_logged_once() -> None:
    (step,) = (each for each in app.steps["worker"] if issubclass(each, DjangoStructLogInitStep))
    # As a worker does at its start; its signals are held weakly, and go with it.
    started = step(None)
    with capture_logs() as lines:
        after_task_publish.send(
            sender="kernel.x", headers={"id": "t-1", "task": "kernel.x"}, routing_key="metering"
        )
    assert [line["event"] for line in lines] == ["task_enqueued"]
    assert started.receiver


def wait_for_lines(child: ChildProcess, event: str, count: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while len(lines_of(child, event)) < count:
        assert time.monotonic() < deadline, child.last_lines(40)
        time.sleep(0.05)
