"""The formatting of billing's values for an operator."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from arcadia_cloud.kernel.console.chart_options import chart_options
from arcadia_cloud.kernel.money import Money, format_money
from billing.models import BalanceSnapshot, CostAnomaly
from billing.states import IngestStatus, PushStatus, SimulationStatus
from billing.values import Match
from inventory.values import PROVIDER_CURRENCY

INGEST_COLOURS: Final[Mapping[str, str]] = {
    IngestStatus.PENDING: "info",
    IngestStatus.INGESTED: "success",
    "accepted": "success",
    IngestStatus.FAILED: "danger",
    IngestStatus.MISMATCH: "warning",
}
PUSH_COLOURS: Final[Mapping[str, str]] = {
    PushStatus.WAITING: "info",
    PushStatus.PUSHED: "success",
    PushStatus.REFUSED: "danger",
}
MATCH_COLOURS: Final[Mapping[str, str]] = {
    Match.ID: "success",
    Match.UNIQUE: "success",
    Match.LIFETIME: "success",
    Match.AMBIGUOUS: "warning",
}
SIMULATION_COLOURS: Final[Mapping[str, str]] = {
    SimulationStatus.QUEUED: "info",
    SimulationStatus.RUNNING: "info",
    SimulationStatus.COMPLETED: "success",
    SimulationStatus.FAILED: "danger",
}
CHART_OPTIONS: Final = chart_options(maxTicksLimit=12)
_CURVES: Final = (
    ("Owed in all", "month_to_date_balance", "#2563eb"),
    ("This month so far", "month_to_date_usage", "#f59e0b"),
)


def format_dollars(amount: Decimal) -> str:
    """Format what the provider bills, exact, the sign first: `-$1,779.55`."""
    return format_money(Money(amount, PROVIDER_CURRENCY), exact=True)


def format_amount(amount: Decimal | None, currency: str) -> str:
    """Format an amount of a currency; a dash where it isn't known."""
    return format_money(None if amount is None else Money(amount, currency))


def chart_data(snapshots: Sequence[BalanceSnapshot]) -> str:
    """Return balance and usage over time as the data of a Chart.js line chart, in JSON."""
    datasets = [
        {
            "label": label,
            "data": [float(getattr(snapshot, field)) for snapshot in snapshots],  # pixels, not money
            "borderColor": colour,
            "backgroundColor": colour,
            "borderWidth": 2,
            "pointRadius": 4 if len(snapshots) == 1 else 0,  # one hour makes no line
        }
        for label, field, colour in _CURVES
    ]
    labels = [f"{snapshot.hour:%d %b %H:%M}" for snapshot in snapshots]
    return json.dumps({"labels": labels, "datasets": datasets})


def anomaly_chart(days: Sequence[tuple[date, Decimal | None]], anomaly: CostAnomaly) -> str:
    """Return an anomaly's days, and what was expected of it, as the data of a line chart, in JSON."""
    costs = [None if amount is None else float(amount) for _, amount in days]  # pixels, not money
    expected = [
        float(anomaly.expected) if anomaly.began_on <= day <= anomaly.last_day else None for day, _ in days
    ]
    curves = (("Cost a day", costs, "#2563eb"), ("Expected", expected, "#f59e0b"))
    datasets = [
        {
            "label": label, "data": data, "borderColor": colour, "backgroundColor": colour, "borderWidth": 2,
            "pointRadius": 2, "stepped": label == "Cost a day",
        }
        for label, data, colour in curves
    ]  # fmt: skip
    return json.dumps({"labels": [f"{day:%d %b}" for day, _ in days], "datasets": datasets})
