"""Workers killed while they delete what nothing uses: each is deleted once, with a tombstone, or kept."""

from collections.abc import Callable

import pytest

from arcadia_cloud.embedded.child_processes import stop_children
from provisioning.engine.failpoints import Failpoint as At
from tests.processes import Workers
from tests.provisioning.crashes import OPTIONS, Point
from tests.provisioning.sagas import sweeping_often
from tests.provisioning.workflows.clean_up_crashes import (
    CLEAN_UPS,
    DELETE_SNAPSHOT,
    DELETE_VOLUME,
    RELEASE_IP,
    CleanUps,
    judge_clean_ups,
)
from tests.provisioning.workflows.cloud import PASSING
from tests.provisioning.workflows.crash_cases import CANCELLED, FAILING, FORWARD, WAYS, Batch, Case
from tests.provisioning.workflows.crash_tables import lines_of, table_of
from tests.provisioning.workflows.test_crash_matrix import kept_up, one_of_each

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
CASES = [
    Case(DELETE_VOLUME, FORWARD, Point(At.AFTER_EFFECT, 0)),
    Case(RELEASE_IP, CANCELLED, Point(At.BEFORE_STEP, 0)),
    Case(DELETE_SNAPSHOT, FAILING, Point(At.AFTER_COMPENSATION, 0, is_back=True)),
]
_MANY = 120


@pytest.fixture
def clean_ups(batch: Batch) -> CleanUps:
    return CleanUps(batch.cloud, batch.crashes, batch.failing)


@pytest.mark.timeout(200)
def test_a_killed_worker_deletes_once_or_not_at_all(clean_ups: CleanUps, worker: Workers) -> None:
    worker("provisioning", environment=clean_ups.crashes.environment, options=(*OPTIONS, "2"))
    with sweeping_often():
        runs = clean_ups.run(CASES)
    assert judge_clean_ups(runs, clean_ups) == []


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("kind", CLEAN_UPS)
def test_so_it_is_at_every_boundary_on_every_way(
    request: pytest.FixtureRequest,
    clean_ups: CleanUps,
    worker: Workers,
    figures: Callable[[str], None],
    kind: str,
) -> None:
    """Then on a bad day of the provider's, and then with the whole worker dying each time."""
    if not request.config.getoption("--matrix"):
        pytest.skip("the everyday run takes a point of each; bin/test --matrix takes all")
    clean_ups.load(kind, _MANY)
    wrong: list[str] = []
    with sweeping_often():
        child = worker("provisioning", environment=clean_ups.crashes.environment, options=(*OPTIONS, "4"))
        probes = clean_ups.run([Case(kind, way, None) for way in WAYS])
        wrong += judge_clean_ups(probes, clean_ups)
        passed = {
            run.case.way: [
                each.point for each in clean_ups.crashes.passed(run.saga.pk) if each.point.nth == 1
            ]
            for run in probes
        }
        # One that is cancelled late is on its way there first, where it is cancelled as well.
        passed[CANCELLED] = [
            *passed[FORWARD],
            *(point for point in passed[CANCELLED] if point.is_back),
        ]
        for way in WAYS:
            runs = clean_ups.run([Case(kind, way, point) for point in passed[way]])
            wrong += judge_clean_ups(runs, clean_ups)
            figures(table_of(kind, way, runs))
        assert wrong == []
        faults = [{**fault, "count": 0, "probability": 0.025, "path": "^/v2/"} for fault in PASSING.values()]
        cases = [Case(kind, way, point) for way in WAYS for point in passed[way][::3]]
        runs = clean_ups.run(cases, faults=faults)
        wrong += judge_clean_ups(runs, clean_ups, either_way=True)
        figures(f"a bad day\n{lines_of(runs)}")
        stop_children([child], within_seconds=10)
        with kept_up(worker, Batch(clean_ups.cloud, clean_ups.crashes, clean_ups.failing)):
            runs = clean_ups.run(
                [Case(kind, FAILING, each, "worker") for each in one_of_each(passed[FAILING])]
            )
        wrong += judge_clean_ups(runs, clean_ups)
        figures(lines_of(runs))
    assert wrong == []
