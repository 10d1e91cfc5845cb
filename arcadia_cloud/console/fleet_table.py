"""The fleet by kind and region, as the home page's table and chart."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from django.urls import reverse
from django.utils.http import urlencode

from arcadia_cloud.kernel.console.chart_options import chart_options
from arcadia_cloud.kernel.console.formatting import NOTHING, at_least
from arcadia_cloud.kernel.money import Money, format_money
from inventory.queries import FleetCell, sum_of_known
from inventory.values import PROVIDER_CURRENCY, Kind, kind_label

# Of each kind its own, the same on every day and page; distinct in light and dark. The kinds that most
# accounts have most of are apart for the colour-blind, too.
COLOURS: Final[Mapping[str, str]] = {
    Kind.DROPLET: "#2563eb",
    Kind.VOLUME: "#f59e0b",
    Kind.SNAPSHOT: "#0d9488",
    Kind.DROPLET_BACKUP: "#a855f7",
    Kind.DATABASE: "#ef4444",
    Kind.DNS_ZONE: "#0ea5e9",
    Kind.SPACES_BUCKET: "#84cc16",
    Kind.RESERVED_IP: "#ec4899",
    Kind.LOAD_BALANCER: "#854d0e",
    Kind.KUBERNETES_CLUSTER: "#4f46e5",
    Kind.FIREWALL: "#f97316",
    Kind.VPC: "#10b981",
    Kind.CERTIFICATE: "#c4b5fd",
    Kind.CDN_ENDPOINT: "#14b8a6",
    Kind.APP: "#d946ef",
    Kind.REGISTRY: "#78716c",
    Kind.IMAGE: "#eab308",
}
_STACKED: Final = 5  # kinds with a stack of their own; the others are one
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
    """A kind's live resources, by region. `cost` is at list prices, a dash where none is known."""

    kind: str
    colour: str
    count: int
    cost: str
    href: str
    regions: list[RegionCount]


def fleet_rows(cells: Sequence[FleetCell], *, with_money: bool = True) -> list[FleetRow]:
    """Return a row per kind, by their names; `cells` are ordered by kind. No cost but `with_money`."""
    rows = []
    for kind, group in groupby(cells, key=lambda cell: cell.kind):
        of_kind = list(group)
        cost = sum_of_known(cell.monthly_cost_cents for cell in of_kind)
        known = format_money(Money.from_cents(cost, PROVIDER_CURRENCY))
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
                colour=COLOURS[kind],
                count=sum(cell.count for cell in of_kind),
                cost=at_least(known, sum(cell.unpriced for cell in of_kind)) if with_money else "",
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
    own = [kind for kind, _ in sizes.most_common(_STACKED)]
    stacks: dict[str, Counter[str]] = {}
    for cell in cells:
        stack = stacks.setdefault(cell.kind if cell.kind in own else _OTHERS, Counter())
        stack[cell.region] += cell.count
    colours = {**COLOURS, _OTHERS: _OTHERS_COLOUR}
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
    return json.dumps({"labels": [region or "no region" for region in regions], "datasets": datasets})


def _resources_href(**filters: str) -> str:
    return f"{reverse('admin:inventory_resource_changelist')}?{urlencode(filters)}"
