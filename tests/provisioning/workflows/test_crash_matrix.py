"""Workers killed at every boundary of every step, on every way: run by `bin/test --matrix`."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.processes import Workers
from tests.provisioning.crashes import OPTIONS, Point
from tests.provisioning.sagas import sweeping_often
from tests.provisioning.workflows.cloud import PASSING
from tests.provisioning.workflows.crash_cases import FAILING, KINDS, WAYS, Batch, Case, points_of
from tests.provisioning.workflows.crash_tables import lines_of, table_of
from tests.provisioning.workflows.crash_truths import judge

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True), pytest.mark.timeout(1500)]


@pytest.fixture(autouse=True)
def _only_in_the_matrix(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--matrix"):
        pytest.skip("the everyday run takes each kill point once; bin/test --matrix takes all")


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_killed_anywhere_changes_nothing_of_how_a_saga_ends(
    batch: Batch, worker: Workers, figures: Callable[[str], None], kind: str
) -> None:
    worker("provisioning", environment=batch.crashes.environment, options=(*OPTIONS, "4"))
    wrong: list[str] = []
    with sweeping_often():
        points = points_of(batch, kind)
        for way in WAYS:
            runs = batch.run([Case(kind, way, point) for point in points[way]])
            wrong += judge(runs, batch.cloud, batch.crashes)
            figures(table_of(kind, way, runs))
    assert wrong == []


@pytest.mark.parametrize("kind", KINDS)
def test_so_it_is_when_the_whole_worker_dies_and_is_started_anew(
    batch: Batch, worker: Workers, figures: Callable[[str], None], kind: str
) -> None:
    """Each boundary once, on both ways; every death interrupts the other sagas too."""
    with kept_up(worker, batch), sweeping_often():
        points = points_of(batch, kind)[FAILING]
        runs = batch.run([Case(kind, FAILING, point, "worker") for point in one_of_each(points)])
    wrong = judge(runs, batch.cloud, batch.crashes)
    figures(lines_of(runs))
    assert wrong == []


@pytest.mark.parametrize("kind", KINDS)
def test_on_a_bad_day_of_the_provider_it_ends_done_once_or_compensated(
    batch: Batch, worker: Workers, figures: Callable[[str], None], kind: str
) -> None:
    """Every fifth answer spoiled, each time another way, and workers killed besides."""
    worker("provisioning", environment=batch.crashes.environment, options=(*OPTIONS, "4"))
    with sweeping_often():
        points = points_of(batch, kind)
        faults = [{**fault, "count": 0, "probability": 0.025, "path": "^/v2/"} for fault in PASSING.values()]
        cases = [Case(kind, way, point) for way in WAYS for point in points[way][::4]]
        runs = batch.run(cases, faults=faults)
    wrong = judge(runs, batch.cloud, batch.crashes, either_way=True)
    figures(f"a bad day\n{lines_of(runs)}")
    assert wrong == []


def one_of_each(points: list[Point]) -> list[Point]:
    """For each boundary, on each way, the point in the middle."""
    by_boundary: dict[tuple[bool, str], list[Point]] = {}
    for point in points:
        by_boundary.setdefault((point.is_back, point.boundary), []).append(point)
    return [found[len(found) // 2] for found in by_boundary.values()]


@contextmanager
def kept_up(worker: Workers, batch: Batch) -> Iterator[None]:
    """For the block, a worker runs, and another one as soon as it is dead."""
    over = threading.Event()

    def start() -> None:
        child = worker("provisioning", environment=batch.crashes.environment, options=(*OPTIONS, "2"))
        while not over.wait(0.1):
            if child.process.poll() is not None:
                child = worker("provisioning", environment=batch.crashes.environment, options=(*OPTIONS, "2"))

    keeping = threading.Thread(target=start, name="supervisor")
    keeping.start()
    try:
        yield
    finally:
        over.set()
        keeping.join()
