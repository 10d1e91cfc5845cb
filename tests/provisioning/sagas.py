"""Sagas for tests: started as any caller does, run here or by real workers."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from arcadia_cloud.kernel.queue.broker import BrokerAway
from arcadia_cloud.kernel.queue.nudge import publish_now
from inventory.models import Resource
from provisioning.engine.runner import run
from provisioning.models import SagaRun
from provisioning.services import start_saga
from provisioning.states import ENDED
from tests.inventory.observations import observed, seen


def start(kind: str = "echo", /, *, key: str | None = None, **inputs: Any) -> SagaRun:
    """Start a saga that no worker has claimed yet."""
    return start_saga(kind=kind, inputs=inputs, actor="a test", idempotency_key=key)


def start_and_run(kind: str = "echo", /, **inputs: Any) -> SagaRun:
    """Start a saga and run it here until it ends; its pauses are slept through."""
    saga = start(kind, **inputs)
    return run_to_end(saga)


def run_to_end(saga: SagaRun, *, seconds: float = 30) -> SagaRun:
    """Run it until it has ended."""
    deadline = time.monotonic() + seconds
    while True:
        run(saga.pk)
        saga.refresh_from_db()
        if saga.status in ENDED:
            return saga
        assert time.monotonic() < deadline, f"saga {saga.pk} is still {saga.status}: {saga.wait_reason}"
        time.sleep(0.02)


def wait_until_ended(saga: SagaRun, *, seconds: float = 60) -> SagaRun:
    """Wait until workers have brought it to its end."""
    deadline = time.monotonic() + seconds
    while saga.status not in ENDED:
        assert time.monotonic() < deadline, f"saga {saga.pk} is still {saga.status}"
        time.sleep(0.05)
        saga.refresh_from_db()
    return saga


def droplet_row(**facts: Any) -> Resource:
    """Observe one droplet into an empty inventory."""
    observed(seen(**facts))
    return Resource.objects.get()


def ledger(saga: SagaRun) -> list[tuple[str, str]]:
    """Names and statuses, in the order of the steps."""
    return list(saga.steps.order_by("step_idx").values_list("name", "status"))


@contextmanager
def sweeping_often(*, every_seconds: float = 0.5) -> Iterator[None]:
    """Publish a sweep this often during the block, as the schedule does every ten seconds."""
    over = threading.Event()

    def tick() -> None:
        while not over.wait(every_seconds):
            with suppress(BrokerAway, OSError):
                publish_now("provisioning.sweep", queue="provisioning")

    ticking = threading.Thread(target=tick, name="beat")
    ticking.start()
    try:
        yield
    finally:
        over.set()
        ticking.join()
