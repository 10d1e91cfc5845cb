"""Counters and histograms: added up over threads and forked processes, kept while Redis is away."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from arcadia_cloud.kernel.metrics import counts
from arcadia_cloud.kernel.metrics.buffer import KEY, SEND_SECONDS, buffer, encode_field
from arcadia_cloud.kernel.metrics.counts import Counter, Histogram, declare, read_values
from arcadia_cloud.kernel.metrics.gauges import Gauge, register_gauges


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch, _empty_valkey: None, valkey_client: redis.Redis) -> None:
    """Metrics of this test alone."""
    monkeypatch.setattr(counts, "_declared", {})
    buffer.send()
    valkey_client.delete(KEY)


def counter() -> Counter:
    return declare(Counter("stars_total", "Stars.", ("colour",)))


def value_of(metric: Counter, *labels: str) -> float:
    return read_values()[0][metric].get(labels, 0)


def test_counts_of_threads_add_up() -> None:
    stars = counter()

    def count() -> None:
        for _ in range(500):
            stars.add("red")

    with ThreadPoolExecutor(8) as threads:
        for _ in range(8):
            threads.submit(count)
    assert value_of(stars, "red") == 4000


def test_counts_of_forked_processes_add_up_and_the_parents_count_once() -> None:
    stars = counter()
    stars.add("red", amount=100)  # not sent yet: a copy of it is in each child
    children = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            stars.add("red")
            buffer.send()
            os._exit(0)
        children.append(pid)
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0
    assert value_of(stars, "red") == 103


def test_a_fork_while_another_thread_counts_leaves_no_locked_lock() -> None:
    stars, over = counter(), threading.Event()

    def count() -> None:
        while not over.is_set():
            stars.add("red")

    thread = threading.Thread(target=count)
    thread.start()
    try:
        for _ in range(20):
            pid = os.fork()
            if pid == 0:
                stars.add("blue")
                os._exit(0)
            deadline = time.monotonic() + 20
            while os.waitpid(pid, os.WNOHANG) == (0, 0):
                if time.monotonic() > deadline:
                    os.kill(pid, 9)
                    os.waitpid(pid, 0)
                    pytest.fail("the child hangs at a lock that its parent held")
                time.sleep(0.01)
    finally:
        over.set()
        thread.join()


def test_what_is_counted_arrives_by_itself(valkey_client: redis.Redis) -> None:
    stars = counter()
    stars.add("red")
    deadline = time.monotonic() + 10 * SEND_SECONDS
    while not valkey_client.hget(KEY, encode_field("stars_total", "count", ("red",))):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_counts_wait_while_redis_is_away(settings: Any) -> None:
    stars, address = counter(), settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    stars.add("red")
    assert not buffer.send()
    stars.add("red")
    with pytest.raises(redis.RedisError):
        read_values()
    settings.REDIS_URL = address
    assert value_of(stars, "red") == 2


def test_a_duration_counts_in_its_bucket_and_in_every_larger_one() -> None:
    seconds = declare(Histogram("stars_seconds", "Seconds.", ("colour",), (0.1, 1.0)))
    for duration in (0.1, 0.5, 7.0):
        seconds.observe(duration, "red")
    found = read_values()[1][seconds]["red",]
    assert found.buckets == [("0.1", 1), ("1.0", 2), ("+Inf", 3)]
    assert found.sum == pytest.approx(7.6)


def test_what_another_build_counted_is_left_out(valkey_client: redis.Redis) -> None:
    stars = counter()
    valkey_client.hset(KEY, encode_field("moons_total", "count", ("red",)), 1)
    valkey_client.hset(KEY, encode_field("stars_total", "count", ("red", "large")), 1)
    stars.add("red")
    assert read_values() == ({stars: {("red",): 1}}, {})


def test_a_name_stands_once() -> None:
    counter()
    with pytest.raises(ValueError, match="declared twice"):
        declare(Counter("stars_total", "Other stars.", ()))
    with pytest.raises(ValueError, match="registered twice"):
        register_gauges("drift", [Gauge("stars", "Stars.")], lambda _at: [])


def test_a_label_without_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="0 values for the labels colour"):
        counter().add()
