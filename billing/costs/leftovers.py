"""Leftovers: live resources that cost without being of use, each with what it costs in a month.

A resource is one leftover with all its reasons, so that no sum counts it twice. What is free by its list
price isn't among them; what has no list price is, and is in no sum, which then is too low.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import TextChoices

from arcadia_cloud.kernel.sql import fetch_all, fetch_one, load
from inventory.values import OPERATORS_PROJECT, Kind

OFF_FOR: Final = timedelta(days=14)  # a droplet that is off for longer is a leftover
_LIST: Final = load(__package__, "list_leftovers.sql")
_SUM: Final = load(__package__, "sum_leftovers.sql")
_UNPRICED: Final = Decimal(-1)  # as the statement orders what has no price
# The saga that deletes a kind, and its input with the provider's id. The others have none.
_CLEAN_UPS: Final[Mapping[str, tuple[str, str]]] = {
    Kind.VOLUME: ("delete_volume", "volume_id"),
    Kind.RESERVED_IP: ("release_reserved_ip", "address"),
    Kind.SNAPSHOT: ("delete_snapshot", "snapshot_id"),
}


class LeftoverReason(TextChoices):
    """The reasons why a resource is a leftover."""

    UNATTACHED = "unattached", "Attached to nothing"
    UNASSIGNED = "unassigned", "Without a droplet"
    SOURCE_GONE = "source_gone", "What it was taken of is gone"
    SWITCHED_OFF = "switched_off", "Off for more than 14 days"
    NO_TARGETS = "no_targets", "Without targets"
    UNATTRIBUTED = "unattributed", "Unattributed"


@dataclass(frozen=True, slots=True)
class CleanUp:
    """The saga that deletes a leftover."""

    workflow: str
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Leftover:
    """A resource that is of no use. `monthly` is in dollars at list prices, None where there is no price.

    `off_since`: when a droplet that is off last ran. Others have none.
    """

    resource_id: int
    kind: str
    name: str
    provider_id: str
    region: str
    sku: str
    tenant_id: str | None
    deployment_id: int | None
    reasons: Sequence[str]
    off_since: datetime | None
    size_gb: Decimal | None
    monthly: Decimal | None

    @property
    def labels(self) -> list[str]:
        """Its reasons in words."""
        return [str(LeftoverReason(reason).label) for reason in self.reasons]

    @property
    def clean_up(self) -> CleanUp | None:
        """The saga that deletes it; None where its kind has none, or where it is in use and has no owner.

        A resource whose only reason is that it has no owner needs one; it may be of use to somebody.
        """
        if self.kind not in _CLEAN_UPS or list(self.reasons) == [LeftoverReason.UNATTRIBUTED]:
            return None
        workflow, field = _CLEAN_UPS[self.kind]
        return CleanUp(workflow, {field: self.provider_id})


@dataclass(frozen=True, slots=True)
class LeftoverTotal:
    """The number of leftovers and their dollars a month. `unpriced` of them are in no sum."""

    count: int
    monthly: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True)
class LeftoverPlace:
    """A row's place in the list. `backward` is for the page that ends before it, not begins after it."""

    monthly: Decimal | None
    resource_id: int
    backward: bool = False


@dataclass(frozen=True, slots=True)
class LeftoverFilter:
    """A reason and a kind that leftovers are narrowed to; None for any."""

    reason: LeftoverReason | None = None
    kind: Kind | None = None


ANY: Final = LeftoverFilter()


def list_leftovers(
    *,
    at: datetime,
    only: LeftoverFilter = ANY,
    resources: Sequence[int] | None = None,
    beyond: LeftoverPlace | None = None,
    limit: int = 1_000,
    skip: int = 0,
) -> list[Leftover]:
    """Return the leftovers at the instant `at`, the dearest first, those without a price last.

    `beyond` is the place that the page begins after, or ends before; `skip` is how many come before the
    page, for who has numbered pages and may see a row twice when one is gone meanwhile.
    """
    # The price alone is no place: many share one, and a row would come twice or not at all.
    place = beyond or LeftoverPlace(None, 0)
    parameters = {
        **_parameters(at, only),
        "resources": None if resources is None else list(resources),
        "direction": -1 if place.backward else 1,
        "place_monthly": _UNPRICED if place.monthly is None else place.monthly,
        "place_resource": beyond and place.resource_id,
        "limit": limit,
        "skip": skip,
    }
    rows = fetch_all(_LIST, parameters, into=Leftover)
    return rows[::-1] if place.backward else rows


def sum_leftovers(*, at: datetime, only: LeftoverFilter = ANY) -> LeftoverTotal:
    """Return the number of leftovers and what they cost in a month, each counted once."""
    total = fetch_one(_SUM, _parameters(at, only), into=LeftoverTotal)
    return total or LeftoverTotal(0, Decimal(0), 0)


def _parameters(at: datetime, only: LeftoverFilter) -> dict[str, Any]:
    return {
        "at": at,
        "off_before": at - OFF_FOR,
        "day": at.date(),
        "operators_project": OPERATORS_PROJECT,
        "reason": only.reason and str(only.reason),
        "kind": only.kind and str(only.kind),
    }
