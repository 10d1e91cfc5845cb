"""The fleet by kind and region, as the home page's table and chart."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from django.urls import reverse
from django.utils.http import urlencode

from arcadia_cloud.kernel.console.chart_options import chart_options
from arcadia_cloud.kernel.console.formatting import NOTHING
from arcadia_cloud.kernel.money import Money, format_money
from inventory.queries import FleetCell, sum_of_known
from inventory.values import PROVIDER_CURRENCY, kind_label

# Distinct in light and dark, and for the colour-blind; more kinds than these are "others".
_COLOURS: Final = ("#2563eb", "#f59e0b", "#0d9488", "#a855f7", "#ef4444")
_OTHERS_COLOUR: Final = "#9ca3af"
_OTHERS: Final = "others"
CHART_OPTIONS: Final = chart_options(is_stacked=True, precision=0)


@dataclass(frozen=True, slots=True)
class RegionCount:
    """A region's count of resources of a kind."""

    region: str
    count: int
    href: str


@dataclass(frozen=True, slots=True)
class FleetRow:
    """A kind's live resources, by region."""

    kind: str
    count: int
    cost: str
    href: str
    regions: list[RegionCount]


def fleet_rows(cells: Sequence[FleetCell]) -> list[FleetRow]:
    """Return a row per kind, by their names; `cells` are ordered by kind."""
    rows = []
    for kind, group in groupby(cells, key=lambda cell: cell.kind):
        of_kind = list(group)
        cost = sum_of_known(cell.monthly_cost_cents for cell in of_kind)
        regions = [
            RegionCount(
                cell.region or "no region",
                cell.count,
                _resources_href(kind=kind, region=cell.region or NOTHING),
            )
            for cell in of_kind
        ]
        rows.append(
            FleetRow(
                kind=kind_label(kind),
                count=sum(cell.count for cell in of_kind),
                cost=format_money(Money.from_cents(cost, PROVIDER_CURRENCY)),
                href=_resources_href(kind=kind),
                regions=regions,
            )
        )
    return sorted(rows, key=lambda row: row.kind.casefold())


def chart_data(cells: Sequence[FleetCell]) -> str:
    """Return resources per region, stacked by kind: the data of a Chart.js bar chart, as JSON."""
    regions = sorted({cell.region for cell in cells})
    sizes = Counter[str]()
    for cell in cells:
        sizes[cell.kind] += cell.count
    own = [kind for kind, _ in sizes.most_common(len(_COLOURS))]
    stacks: dict[str, Counter[str]] = {}
    for cell in cells:
        stack = stacks.setdefault(cell.kind if cell.kind in own else _OTHERS, Counter())
        stack[cell.region] += cell.count
    colours = {**dict(zip(own, _COLOURS, strict=False)), _OTHERS: _OTHERS_COLOUR}
    datasets = [
        {
            "label": kind_label(kind),
            "data": [stacks[kind][region] for region in regions],
            "backgroundColor": colours[kind],
            "stack": "fleet",
            "maxBarThickness": 40,
        }
        for kind in (*own, _OTHERS)
        if kind in stacks
    ]
    return json.dumps({"labels": [region or NOTHING for region in regions], "datasets": datasets})


def _resources_href(**filters: str) -> str:
    return f"{reverse('admin:inventory_resource_changelist')}?{urlencode(filters)}"
