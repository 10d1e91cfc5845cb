"""Workers killed while they work on deployments: each ends as its saga ended, and none is billed in vain."""

from collections.abc import Callable

import pytest

from provisioning.engine.failpoints import Failpoint as At
from tests.processes import Workers
from tests.provisioning.crashes import OPTIONS, Point
from tests.provisioning.sagas import sweeping_often
from tests.provisioning.workflows.crash_cases import CANCELLED, FAILING, FORWARD, WAYS, Batch, Case
from tests.provisioning.workflows.deployment_crashes import (
    DEPLOYMENT_KINDS,
    OFFBOARD,
    PROVISION,
    RESUME,
    SUSPEND,
    UPDATE,
    judge_deployments,
    run_cases,
)

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
VOLUME, ATTACH, FINISH = 7, 8, 17  # steps of `provision_deployment` from the tests' template
DESTROY, CANCEL, ARCHIVE = 5, 6, 7  # steps of `offboard_deployment` with one droplet
# Every boundary of every way makes more than an hour's caps allow.
UNCAPPED = {"ARCADIA_CREATES_PER_HOUR": "100000", "ARCADIA_CREATES_PER_TENANT_PER_HOUR": "100000"}
CASES = [
    Case(PROVISION, FORWARD, Point(At.AFTER_EFFECT, VOLUME)),
    Case(PROVISION, FORWARD, Point(At.AFTER_EFFECT, FINISH)),
    Case(PROVISION, CANCELLED, Point(At.AFTER_EFFECT, ATTACH)),
    Case(PROVISION, FAILING, Point(At.AFTER_COMPENSATION, 0, is_back=True)),
    Case(SUSPEND, FORWARD, Point(At.AFTER_EFFECT, 4)),
    Case(SUSPEND, CANCELLED, Point(At.AFTER_EFFECT, 4)),
    Case(RESUME, FORWARD, Point(At.AFTER_EFFECT, 1)),
    Case(UPDATE, FORWARD, Point(At.AFTER_EFFECT, 4)),
    Case(UPDATE, FAILING, Point(At.AFTER_COMPENSATION, 4, is_back=True)),
    Case(OFFBOARD, FORWARD, Point(At.AFTER_EFFECT, DESTROY)),
    Case(OFFBOARD, FORWARD, Point(At.AFTER_EFFECT, CANCEL)),
    Case(OFFBOARD, CANCELLED, Point(At.AFTER_EFFECT, DESTROY)),
    Case(OFFBOARD, CANCELLED, Point(At.AFTER_EFFECT, ARCHIVE)),
]


@pytest.mark.timeout(200)
def test_a_killed_worker_changes_nothing_of_how_a_deployment_ends(batch: Batch, worker: Workers) -> None:
    worker("provisioning", environment=batch.crashes.environment, options=(*OPTIONS, "4"))
    with sweeping_often():
        runs = run_cases(CASES, batch.cloud, batch.crashes, batch.failing)
    assert judge_deployments(runs, batch.cloud) == []
    forward = [run.saga.status for run in runs if run.case.way == FORWARD]
    assert forward == ["completed"] * len(forward)


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("kind", DEPLOYMENT_KINDS)
def test_so_it_is_at_every_boundary_of_every_step(
    request: pytest.FixtureRequest,
    batch: Batch,
    worker: Workers,
    figures: Callable[[str], None],
    kind: str,
) -> None:
    if not request.config.getoption("--matrix"):
        pytest.skip("the everyday run takes a few points; bin/test --matrix takes all")
    environment = {**batch.crashes.environment, **UNCAPPED}
    worker("provisioning", environment=environment, options=(*OPTIONS, "4"))
    wrong: list[str] = []
    with sweeping_often():
        found = run_cases([Case(kind, way, None) for way in WAYS], batch.cloud, batch.crashes, batch.failing)
        wrong += judge_deployments(found, batch.cloud)
        for run in found:
            points = [each.point for each in batch.crashes.passed(run.saga.pk) if each.point.nth == 1]
            for first in range(0, len(points), 20):
                cases = [Case(kind, run.case.way, point) for point in points[first : first + 20]]
                runs = run_cases(cases, batch.cloud, batch.crashes, batch.failing)
                wrong += judge_deployments(runs, batch.cloud)
            figures(f"{kind}, {run.case.way}: killed at {len(points)} points")
    assert wrong == []
