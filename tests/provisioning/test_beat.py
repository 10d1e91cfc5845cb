"""The schedule, kept by real beats: two at once, one that is killed, a broker that is away for a while."""

import signal
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from arcadia_cloud.embedded.valkey import Valkey
from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from provisioning.models import SagaRun
from tests.processes import Workers
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import wait_until_ended
from tests.provisioning.test_fencing import SCRIPTED

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
SWEEP = "provisioning.sweep"


@pytest.fixture
def forgotten(scripts: Scripts) -> Callable[[], None]:
    """Starts sagas whose nudges no worker hears, so that only a sweep finds them: each step runs once."""

    def walk_them() -> None:
        sagas = [scripts("act", "act") for _ in range(5)]
        SagaRun.objects.filter(pk__in=[saga.pk for saga in sagas]).update(nudged_at=None)
        assert {wait_until_ended(saga, seconds=20).status for saga in sagas} == {"completed"}
        assert [scripts.calls(saga) for saga in sagas] == [["do:0", "do:1"]] * 5

    return walk_them


def schedule() -> list[dict[str, Any]]:
    told = ("name", "task", "queue", "enabled", "interval", "crontab", "kwargs", "expire_seconds")
    return list(PeriodicTask.objects.order_by("name").values(*told))


def fall_due(name: str, queue: str) -> None:
    """An hourly task that should have run an hour ago."""
    hour, _ = IntervalSchedule.objects.get_or_create(every=3600, period=IntervalSchedule.SECONDS)
    last = timezone.now() - timedelta(hours=2)
    PeriodicTask.objects.create(
        name=name, task="kernel.forget_expired_keys", queue=queue, interval=hour, last_run_at=last
    )


def wait_for_message(client: redis.Redis, queue: str) -> None:
    deadline = time.monotonic() + 20
    while not client.llen(queue):
        assert time.monotonic() < deadline, f"nothing came for {queue}"
        time.sleep(0.1)


def test_no_due_task_is_lost_or_done_twice(
    forgotten: Callable[[], None], worker: Workers, own_valkey: Valkey
) -> None:
    seed_schedule()
    IntervalSchedule.objects.filter(periodictask__task=SWEEP).update(every=1)
    seeded, there = schedule(), {"REDIS_URL": own_valkey.url}
    with redis.Redis.from_url(own_valkey.url) as client:
        worker("provisioning", environment=there, options=SCRIPTED)
        first, second = [worker.beat(environment=there) for _ in range(2)]
        forgotten()
        for beat in (first, second):
            beat.process.send_signal(signal.SIGKILL)
            beat.process.wait(10)
        third = worker.beat(environment=there)
        forgotten()
        own_valkey.stop()
        fall_due("while the broker is away", "metering")
        time.sleep(4)
        own_valkey.start()
        wait_for_message(client, "metering")
        forgotten()
        assert client.llen("metering") == 1
    third.process.send_signal(signal.SIGTERM)
    assert third.process.wait(20) == 0
    PeriodicTask.objects.get(name="while the broker is away").delete()
    assert schedule() == seeded
    assert PeriodicTask.objects.get(task=SWEEP).total_run_count > 0
