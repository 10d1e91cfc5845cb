"""Billing insights: each item's cost on each day, as the change of the month's estimate from day to day."""

from datetime import date, timedelta
from operator import sub
from typing import Final

from simulator.account import Account
from simulator.billing.billable_resources import BillableResources
from simulator.billing.lines import format_dollars
from simulator.billing.rating import charged_cents, midnight
from simulator.catalog import Json

MOST_DAYS: Final = 31
# The reference shows these two; those of the other products are made up.
_SKUS: Final = {"Droplets": "1-DO-DROP-0109", "Kubernetes Clusters": "1-KS-K8SWN-00109"}


def list_points(account: Account, resources: BillableResources, first: date, last: date) -> list[Json]:
    """Return the points from `first` to `last`, oldest first; none of a day that isn't over."""
    points: list[Json] = []
    billable = resources.list_all()
    day = first
    month = midnight(day.replace(day=1))
    before = [charged_cents(resource, month, midnight(day)) for resource in billable]
    while day <= last and (end := midnight(day + timedelta(days=1))) <= account.clock.now():
        if day.day == 1:
            month, before = midnight(day), [0] * len(billable)
        by_then = [charged_cents(resource, month, end) for resource in billable]
        for resource, cents in zip(billable, map(sub, by_then, before), strict=True):
            if cents:
                points.append(
                    {
                        "usage_team_urn": f"do:team:{account.uuid}",
                        "start_date": f"{day}",
                        "total_amount": format_dollars(cents),
                        "region": "fra1",
                        "sku": _SKUS.get(resource.product, f"1-SIM-{resource.product.upper()}"),
                        "description": resource.description,
                        "group_description": resource.group,
                    }
                )
        day, before = day + timedelta(days=1), by_then
    return points
