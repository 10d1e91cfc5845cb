"""The sagas of one subject are found by an index, however many sagas there are."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from provisioning.models import SagaRun
from provisioning.queries import saga_at_work

pytestmark = pytest.mark.django_db
SAGAS = 100_000
AT = datetime(2026, 6, 1, tzinfo=UTC)
# A saga a minute for the last ten weeks, one in a thousand about a subject that has had many.
FILL = """
INSERT INTO saga_runs (kind, status, direction, step_modules, inputs, context, current_step_idx,
                       cancel_requested, cancel_requested_by, compensation_failures, recoveries, subjects,
                       requested_by, lease_holder, wait_reason, started_at, finished_at)
SELECT 'resize_droplet', 'completed', 'forward', '{a}', '{}', '{}', 0, false, '', 0, 0,
       ARRAY['droplet:' || CASE WHEN number %% 1000 = 0 THEN 0 ELSE number END], 'a test', '', '',
       %(at)s::timestamptz - number * interval '1 minute',
       %(at)s::timestamptz - number * interval '1 minute' + interval '30 seconds'
FROM generate_series(1, %(sagas)s) AS number
"""


def plan_of(ask: Callable[[], object]) -> str:
    """Return PostgreSQL's plan of the one query that is asked."""
    with CaptureQueriesContext(connection) as asked:
        ask()
    (query,) = asked.captured_queries
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {query['sql']}")
        return "\n".join(row[0] for row in cursor.fetchall())


def test_the_sagas_of_a_subject_are_found_by_an_index(request: pytest.FixtureRequest) -> None:
    sagas = SAGAS if request.config.getoption("--matrix") else SAGAS // 5
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"at": AT, "sagas": sagas})
        # As autovacuum leaves it: what GIN has pending is read in full by every search.
        cursor.execute("SELECT gin_clean_pending_list('saga_about')")
        cursor.execute("ANALYZE saga_runs")
    for number in (777, 0, sagas + 1):  # one saga, many, and none
        about = SagaRun.objects.about(f"droplet:{number}")
        questions: tuple[Callable[[], object], ...] = (
            partial(saga_at_work, f"droplet:{number}", at=AT),
            partial(list, about.order_by("-pk")[:20]),
            about.live().exists,
        )
        for ask in questions:
            plan = plan_of(ask)
            assert "saga_about" in plan or "saga_live_by_age" in plan, plan
            assert "Seq Scan" not in plan
