"""Cost anomalies where a day has several sources."""

import pytest

from arcadia_cloud.kernel.periods import Period
from billing.models import CostDay, DailyCost
from tests.billing.rows import a_resource
from tests.billing.spans import give_spans
from tests.billing.test_cost_anomalies import BIRTH, HISTORY, SINCE, TODAY, _read_every_day, at, found, owned

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures(_read_every_day.__name__)]


def test_a_day_that_is_reported_too_is_judged_by_our_own_history() -> None:
    web = a_resource()
    give_spans(web, [(BIRTH, SINCE, owned("small")), (SINCE, None, owned("large"))])
    for day in Period(HISTORY.start, TODAY):
        CostDay.objects.create(day=day, source="reported", computed_at=at())
        DailyCost.objects.create(
            day=day, source="reported", part="unmatched", kind="droplet", amount=2, resources=0
        )

    assert found().source == "accrued"


def test_what_accrues_nothing_is_judged_by_what_is_reported() -> None:
    for day in Period(HISTORY.start, TODAY):
        CostDay.objects.create(day=day, source="reported", computed_at=at())
        DailyCost.objects.create(
            day=day,
            source="reported",
            part="unmatched",
            kind="spaces",
            amount=2 if day < SINCE.date() else 20,
            resources=0,
        )

    anomaly = found()

    assert (anomaly.source, anomaly.kind, anomaly.amount) == ("reported", "spaces", 20)
