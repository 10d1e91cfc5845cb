"""How billing's values look to an operator."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from arcadia_cloud.kernel.console.chart_options import chart_options
from billing.models import BalanceSnapshot
from billing.values import IngestStatus, Match, PushStatus, exact

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
CHART_OPTIONS: Final = chart_options(maxTicksLimit=12)
_CURVES: Final = (
    ("Owed in all", "month_to_date_balance", "#2563eb"),
    ("This month so far", "month_to_date_usage", "#f59e0b"),
)


def money(amount: Decimal) -> str:
    """US dollars, exact, the sign before: `-$1,779.55`."""
    whole, _, fraction = exact(abs(amount)).partition(".")
    return f"{'-' if amount < 0 else ''}${int(whole):,}.{fraction}"


def chart_data(snapshots: Sequence[BalanceSnapshot]) -> str:
    """Balance and usage over time: the data of a Chart.js line chart, as JSON."""
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
