"""Work done at the same moment, on a database connection per thread."""

import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def in_thread(work: Callable[[], T]) -> threading.Thread:
    """Start it; the thread lets go of its connection at its end, so that the test's database can go."""
    thread = threading.Thread(target=lambda: _closing(work))
    thread.start()
    return thread


def at_once(count: int, work: Callable[[], T]) -> list[T]:
    """Return the results of `count` calls at the same moment."""
    start = threading.Barrier(count)
    results: list[T] = []

    def run() -> None:
        start.wait()
        results.append(work())

    threads = [in_thread(run) for _ in range(count)]
    for thread in threads:
        thread.join()
    return results


def _closing(work: Callable[[], T]) -> T:
    try:
        return work()
    finally:
        connection.close()
