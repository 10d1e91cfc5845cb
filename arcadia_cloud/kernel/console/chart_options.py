"""Chart.js options that every chart of the console shares."""

import json
from typing import Any, Final

_GREY: Final = "#6b7280"  # readable on light and dark


def chart_options(*, is_stacked: bool = False, **ticks: Any) -> str:
    """Return the options of a chart from zero, legend below, as JSON; `ticks` as Chart.js names them."""
    axis: dict[str, Any] = {"ticks": {"color": _GREY, **ticks}}
    if is_stacked:
        axis["stacked"] = True
    return json.dumps(
        {
            "maintainAspectRatio": False,
            "animation": False,
            "plugins": {"legend": {"position": "bottom", "labels": {"color": _GREY, "boxWidth": 12}}},
            "scales": {
                "x": {**axis, "grid": {"display": False}},
                "y": {**axis, "beginAtZero": True, "grid": {}},
            },
        }
    )
