"""Cost anomalies: how they end, and what an operator dismisses."""

from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from arcadia_cloud.kernel.errors import InvalidInput
from arcadia_cloud.kernel.leases import LeaseHeld, lease
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.periods import Period
from arcadia_cloud.kernel.states import IllegalTransition
from billing.costs.anomalies.detect import detect
from billing.models import CostAnomaly, CostDay
from billing.services import AnomalyCounts, detect_cost_anomalies, dismiss_anomaly
from billing.states import ANOMALY_LIFECYCLE
from tests.billing.test_cost_anomalies import HISTORY, TODAY, _read_every_day, at, cost, run_until, step
from tests.kernel.lifecycles import walk_every_pair

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures(_read_every_day.__name__)]


def test_three_of_four_weekdays_are_needed() -> None:
    cost(step("50"), until=TODAY)
    CostDay.objects.filter(day__lt=date(2026, 5, 26)).delete()
    assert detect(at=at()).opened == 0
    CostDay.objects.create(day=date(2026, 5, 25), source="accrued", computed_at=at())
    assert detect(at=at()).opened == 1


def test_it_closes_once_the_level_has_held_for_seven_days_and_is_none_from_then_on() -> None:
    for today in Period(date(2026, 6, 14), date(2026, 6, 20)):
        run_until(today, step("40"))
        assert CostAnomaly.objects.get().status == "open"
    for today in Period(date(2026, 6, 20), HISTORY.end):
        run_until(today, step("40"))
        anomaly = CostAnomaly.objects.get()
        assert (anomaly.status, anomaly.end_reason) == ("closed", "held")
        assert not Alert.objects.filter(code="cost_anomaly", resolved_at=None).exists()


def test_it_closes_when_it_falls_back() -> None:
    def spike(day: date) -> str:
        return "40" if day in {date(2026, 6, 13), date(2026, 6, 14)} else "20"

    run_until(date(2026, 6, 15), spike)
    assert CostAnomaly.objects.get().status == "open"
    assert run_until(TODAY, spike) == AnomalyCounts(opened=0, closed=1, open=0)
    anomaly = CostAnomaly.objects.get()
    assert (anomaly.status, anomaly.end_reason, anomaly.last_day) == (
        "closed",
        "fell_back",
        date(2026, 6, 14),
    )
    for today in Period(TODAY, HISTORY.end):
        run_until(today, spike)
    assert CostAnomaly.objects.count() == 1, "whatever the window, it isn't found again"


def test_a_dismissed_one_stays_so_for_its_level_and_another_level_is_another() -> None:
    run_until(TODAY, step("40"))
    first = CostAnomaly.objects.get()
    dismiss_anomaly(anomaly_pk=first.pk, reason="planned", actor="user:ops", at=at())
    assert not Alert.objects.filter(code="cost_anomaly", resolved_at=None).exists()
    for today in Period(TODAY, date(2026, 6, 19)):
        assert run_until(today, step("41")) == AnomalyCounts(opened=0, closed=0, open=0)

    def again(day: date) -> str:
        return "90" if day >= date(2026, 6, 18) else step("40")(day)

    assert run_until(date(2026, 6, 20), again) == AnomalyCounts(opened=1, closed=0, open=1)
    second = CostAnomaly.objects.latest("pk")
    assert (second.began_on, second.amount, second.status) == (date(2026, 6, 18), 90, "open")
    first.refresh_from_db()
    assert (first.status, first.dismissed_by, first.dismissed_reason) == ("dismissed", "user:ops", "planned")


def test_a_dismissal_needs_a_reason_and_an_open_anomaly() -> None:
    run_until(TODAY, step("40"))
    pk = CostAnomaly.objects.get().pk
    with pytest.raises(InvalidInput):
        dismiss_anomaly(anomaly_pk=pk, reason=" ", actor="user:ops", at=at())
    assert CostAnomaly.objects.get().status == "open"
    dismiss_anomaly(anomaly_pk=pk, reason="planned", actor="user:ops", at=at())
    with pytest.raises(IllegalTransition):
        dismiss_anomaly(anomaly_pk=pk, reason="again", actor="user:ops", at=at())


def test_a_second_run_changes_nothing() -> None:
    run_until(TODAY, step("40"))
    before = list(CostAnomaly.objects.values())
    alerts = list(Alert.objects.values())
    assert detect(at=at()) == AnomalyCounts(opened=0, closed=0, open=1)
    assert (list(CostAnomaly.objects.values()), list(Alert.objects.values())) == (before, alerts)
    # The database knows one open row of each, with null for no deployment.
    copy = CostAnomaly.objects.get()
    copy.pk = None
    with pytest.raises(IntegrityError, match="cost_anomaly_open_once"), transaction.atomic():
        copy.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_are_one() -> None:
    cost(step("40"), until=TODAY)
    with lease("billing: cost anomalies"), pytest.raises(LeaseHeld):
        detect_cost_anomalies(at=at())
    assert not CostAnomaly.objects.exists()
    assert detect_cost_anomalies(at=at()).opened == 1


def test_a_cost_that_was_corrected_closes_its_anomaly() -> None:
    run_until(TODAY, step("40"))
    assert run_until(TODAY, step("20")) == AnomalyCounts(opened=0, closed=1, open=0)
    assert CostAnomaly.objects.get().end_reason == "fell_back"


def test_every_pair_of_states_is_walked() -> None:
    def changes(state: str) -> dict[str, Any]:
        ended: dict[str, Any] = {} if state == "open" else {"ended_at": at()}
        reasons = {"closed": {"end_reason": "held"}, "dismissed": {"dismissed_reason": "planned"}}
        return ended | reasons.get(state, {})

    def stored(state: str) -> CostAnomaly:
        return CostAnomaly.objects.create(
            kind="droplet", direction="up", source="accrued", began_on=TODAY, last_day=TODAY, amount=9,
            expected=1, detected_at=at(), status=state, **changes(state),
        )  # fmt: skip

    walk_every_pair(ANOMALY_LIFECYCLE, stored, changes=changes)


@pytest.mark.django_db(transaction=True)
def test_the_command_prints_what_is_open() -> None:
    cost(step("20"), until=TODAY)
    output = StringIO()
    call_command("detect_cost_anomalies", stdout=output)
    assert output.getvalue().strip() == "0 opened, 0 closed, 0 open"
