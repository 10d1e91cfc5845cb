"""Workers killed at each boundary once: every saga ends as it would have."""

from collections.abc import Callable

import pytest

from provisioning.engine.failpoints import Failpoint as At
from tests.processes import Workers
from tests.provisioning.crashes import OPTIONS, Point
from tests.provisioning.sagas import sweeping_often
from tests.provisioning.workflows.conftest import CRASH_SPEED
from tests.provisioning.workflows.crash_cases import CANCELLED, FAILING, FORWARD, Batch, Case
from tests.provisioning.workflows.crash_tables import lines_of
from tests.provisioning.workflows.crash_truths import judge

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
PROVISION, RESIZE, REVERT = "provision_droplet", "resize_droplet", "revert_drift"
CREATE, ACTIVE, ASSIGN, RECORD, DESIRED = 2, 3, 4, 6, 7  # steps of `provision_droplet`
SNAPSHOT, SHUT_DOWN, TO_SIZE, POWER_ON = 3, 5, 6, 7  # steps of `resize_droplet`
PUT_TAGS, REVERT_SIZE, REVERT_ON = 1, 4, 5  # steps of `revert_drift`
CASES = [
    Case(PROVISION, FORWARD, Point(At.BEFORE_STEP, CREATE)),
    Case(PROVISION, FORWARD, Point(At.AFTER_EFFECT, CREATE)),
    Case(RESIZE, FORWARD, Point(At.AFTER_EFFECT, SNAPSHOT)),
    Case(RESIZE, FORWARD, Point(At.AFTER_EFFECT, TO_SIZE)),
    Case(PROVISION, FORWARD, Point(At.AFTER_COMMIT, RECORD)),
    Case(PROVISION, FORWARD, Point(At.WAITING, ACTIVE)),
    Case(PROVISION, FORWARD, Point(At.ENDED, DESIRED)),
    Case(PROVISION, CANCELLED, Point(At.AFTER_EFFECT, CREATE)),
    Case(RESIZE, CANCELLED, Point(At.WAITING, POWER_ON)),
    Case(PROVISION, FAILING, Point(At.COMPENSATION_STARTED, DESIRED + 1, is_back=True)),
    Case(PROVISION, FAILING, Point(At.AFTER_COMPENSATION, CREATE, is_back=True)),
    Case(RESIZE, FAILING, Point(At.BEFORE_COMPENSATION, TO_SIZE, is_back=True)),
    Case(RESIZE, FAILING, Point(At.AFTER_COMPENSATION, TO_SIZE, is_back=True)),
    Case(RESIZE, FAILING, Point(At.WAITING, SHUT_DOWN, is_back=True)),
    Case(PROVISION, CANCELLED, Point(At.AFTER_COMPENSATION_COMMIT, ASSIGN, is_back=True)),
    Case(REVERT, FORWARD, Point(At.AFTER_EFFECT, PUT_TAGS, nth=2)),  # its first call notes what was
    Case(REVERT, CANCELLED, Point(At.AFTER_EFFECT, PUT_TAGS, nth=2)),
    Case(REVERT, CANCELLED, Point(At.WAITING, REVERT_ON)),
    Case(REVERT, FAILING, Point(At.AFTER_COMPENSATION, PUT_TAGS, is_back=True)),
    Case(REVERT, FAILING, Point(At.BEFORE_COMPENSATION, REVERT_SIZE, is_back=True)),
]


@pytest.mark.timeout(200)
def test_a_killed_worker_changes_nothing_of_how_a_saga_ends(
    batch: Batch, worker: Workers, figures: Callable[[str], None]
) -> None:
    worker("provisioning", environment=batch.crashes.environment, options=(*OPTIONS, "4"))
    with sweeping_often():
        runs = batch.run(CASES)
    wrong = judge(runs, batch.cloud, batch.crashes)
    figures(lines_of(runs))
    assert wrong == []


@pytest.mark.timeout(200)
def test_what_a_killed_worker_made_is_found_though_the_lists_lag_behind_its_successor(
    batch: Batch, worker: Workers
) -> None:
    environment = batch.crashes.environment | {"ARCADIA_SAGA_TAG_LAG_SECONDS": "14"}
    worker("provisioning", environment=environment, options=(*OPTIONS, "4"))
    lag = {"kind": "list_lag", "seconds": 12 * CRASH_SPEED, "count": 0, "method": "GET", "path": "droplets$"}
    cases = [Case(PROVISION, way, Point(At.AFTER_EFFECT, CREATE)) for way in (FORWARD, CANCELLED, FAILING)]
    with sweeping_often():
        runs = batch.run(cases, faults=[lag])
    assert judge(runs, batch.cloud, batch.crashes) == []
    assert batch.cloud.asked("POST", "/v2/droplets") == len(runs)
