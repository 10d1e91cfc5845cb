"""Billing insights: each item's cost on each day, as the change of the month's estimate from day to day."""

from datetime import date, timedelta
from typing import Final

from simulator.account import Account
from simulator.billing.billable_resources import BillableResources
from simulator.billing.lines import format_dollars
from simulator.billing.rating import BillableResource, charge_month, midnight
from simulator.catalog import Json

MOST_DAYS: Final = 31
# The reference shows these two; those of the other products are made up.
_SKUS: Final = {"Droplets": "1-DO-DROP-0109", "Kubernetes Clusters": "1-KS-K8SWN-00109"}


def list_points(account: Account, resources: BillableResources, first: date, last: date) -> list[Json]:
    """Return the points from `first` to `last`, oldest first; none of a day that isn't over."""
    points: list[Json] = []
    billable = resources.list_all()
    day = first
    while day <= last and midnight(day + timedelta(days=1)) <= account.clock.now():
        for resource in billable:
            cents = _cost_on(resource, day)
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
        day += timedelta(days=1)
    return points


def _cost_on(resource: BillableResource, day: date) -> int:
    month = day.replace(day=1)
    by_then = charge_month(resource, month, as_of=midnight(day + timedelta(days=1)))
    before = charge_month(resource, month, as_of=midnight(day))
    return (by_then.cents if by_then else 0) - (before.cents if before else 0)
