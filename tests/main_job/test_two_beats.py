"""Two beats at once, as during a deploy: each scheduled task comes twice."""

import logging
from typing import Any

import pytest
from celery import Task

from arcadia_cloud.kernel.leases import LeaseHeld, lease
from billing.tasks import compute_daily_costs, detect_cost_anomalies, read_history, read_reported_costs
from drift.tasks import detect_drift
from metering.tasks import measure_bandwidth, meter_days, meter_hours


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("task", "name"),
    [
        (meter_hours, "metering"),
        (measure_bandwidth, "metering: bandwidth"),
        (detect_drift, "drift: sweep"),
        (compute_daily_costs, "billing: daily costs"),
        (read_reported_costs, "billing: reported costs"),
        (detect_cost_anomalies, "billing: cost anomalies"),
    ],
)
def test_the_second_of_two_tasks_ends_without_an_error(
    task: "Task[..., Any]", name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with lease(name), caplog.at_level(logging.INFO):
        result = task.apply()
    assert isinstance(result.result, LeaseHeld)
    assert "is already running" in caplog.text
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("task", [meter_days, read_history])
def test_a_task_that_waits_for_the_first_one_may_end_so_too(task: "Task[..., Any]") -> None:
    assert LeaseHeld in task.throws
