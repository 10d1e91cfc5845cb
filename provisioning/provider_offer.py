"""DigitalOcean's offer: the sizes it sells and the account's limits, as last read.

The edges read it anew, outside any transaction, before they plan or start a saga, and a task does every
quarter of an hour; what is checked against it reads the row alone. An answer is believed for a day. Without
one nothing is refused on a guess: the start goes on, and its plan, its context and the log name what could
not be checked, since DigitalOcean itself refuses later what it doesn't sell.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import structlog
from django.db import connection
from django.db.models.functions import Now

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderError
from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.errors import InvalidInput, describe
from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.queue.nudge import nudge
from inventory.models import Resource
from inventory.values import PROVIDER, PROVIDER_CURRENCY, Kind, kind_label
from provisioning import registry
from provisioning.contract import Inputs, SizeOrder
from provisioning.errors import AccountLimit
from provisioning.models import ProviderOffer
from provisioning.queue import QUEUE, READ_OFFER
from provisioning.steps.cloud import PURPOSE

log = structlog.get_logger(__name__)
LIMIT_NEAR: Final = "account_limit_near"
_FRESH: Final = timedelta(minutes=5)
_RETRY_AFTER: Final = timedelta(seconds=30)  # an outage costs one caller its timeout, not each
_BELIEVED: Final = timedelta(days=1)
_GIVE_UP_AFTER_SECONDS: Final = 5.0  # an operator waits for it
_NEAR: Final = Decimal("0.8")
_LIMITS: Final[Mapping[str, str]] = {
    Kind.DROPLET: "droplet_limit",
    Kind.VOLUME: "volume_limit",
    Kind.RESERVED_IP: "reserved_ip_limit",
}


@dataclass(frozen=True, slots=True)
class OfferedSize:
    """A size that DigitalOcean sells."""

    slug: str
    price_monthly: Money
    regions: frozenset[str]
    is_available: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """An answer that is believed. `failure` is why a later attempt got none; "" without one."""

    sizes: Mapping[str, OfferedSize]
    limits: Mapping[str, int]
    read_at: datetime
    failure: str


def request_offer() -> None:
    """Ask a worker to read the offer, once the transaction commits.

    A broker that is away leaves it to the schedule, silently.
    """
    nudge(READ_OFFER, queue=QUEUE)


def refresh_offer(*, kind: str) -> None:
    """Read the offer anew for a workflow that has effects at the provider.

    Not where it was read within five minutes, or asked for in vain a moment ago. A provider that doesn't
    answer is recorded, not raised. Inside a transaction nothing is asked: what was last read counts.
    """
    workflow = registry.workflow_of(kind)
    if workflow is None or workflow.inputs.effects is Inputs.effects or connection.in_atomic_block:
        return
    # On the database's clock: the row is shared by processes whose own clocks differ.
    recent = ProviderOffer.objects.filter(read_at__gt=Now() - _FRESH)
    if (recent | ProviderOffer.objects.filter(tried_at__gt=Now() - _RETRY_AFTER)).exists():
        return
    read_offer()


def read_offer() -> bool:
    """Ask DigitalOcean for its sizes and the account's limits, and store them; False without an answer."""
    try:
        with DigitalOcean(PURPOSE, give_up_after=_GIVE_UP_AFTER_SECONDS) as cloud:
            account, sizes = cloud.account(), list(cloud.sizes())
    except ProviderError as error:
        # The last answer stays: it is better than none for a day.
        log.warning("provider_offer_not_read", error=describe(error))
        ProviderOffer.objects.update_or_create(pk=1, defaults={"tried_at": Now(), "failure": describe(error)})
        return False
    values: dict[str, Any] = {
        "sizes": {
            size.slug: {
                "price_monthly": str(size.price_monthly),
                "regions": list(size.regions),
                "is_available": size.available,
            }
            for size in sizes
        },
        "droplet_limit": account.droplet_limit,
        "volume_limit": account.volume_limit,
        "reserved_ip_limit": account.reserved_ip_limit or account.floating_ip_limit,
        "read_at": Now(),
        "tried_at": Now(),
        "failure": "",
    }
    ProviderOffer.objects.update_or_create(pk=1, defaults=values)
    return True


def present_offer() -> Offer | None:
    """Return the offer as last read; None where there is no answer, or none of the last day."""
    row = ProviderOffer.objects.filter(read_at__gt=Now() - _BELIEVED).first()
    if row is None or row.read_at is None:
        return None
    sizes = {
        slug: OfferedSize(
            slug,
            Money(Decimal(size["price_monthly"]), PROVIDER_CURRENCY),
            frozenset(size["regions"]),
            size["is_available"],
        )
        for slug, size in row.sizes.items()
    }
    limits = {kind: limit for kind, name in _LIMITS.items() if (limit := getattr(row, name)) is not None}
    return Offer(sizes, limits, row.read_at, row.failure)


def price_of_size(slug: str) -> Money | None:
    """Return the size's list price for a month; None where the offer isn't known, or lacks the size."""
    offer = present_offer()
    size = offer.sizes.get(slug) if offer else None
    return None if size is None else size.price_monthly


def check_against_offer(inputs: Inputs) -> str:
    """Refuse what DigitalOcean doesn't sell, or what the account may not have; return what wasn't checked.

    "" when all was, or nothing had to be. Raises InvalidInput for a size, AccountLimit.
    """
    # Most workflows order nothing: they cost no query here.
    orders = inputs.size_orders()
    creates = Counter(effect.kind for effect in inputs.effects().creates if effect.kind in _LIMITS)
    if not orders and not creates:
        return ""
    offer = present_offer()
    if offer is None:
        row = ProviderOffer.objects.first()
        why = row.failure if row and row.failure else "not asked yet"
        return f"size, region and the account's limits: no answer of DigitalOcean within a day ({why})"
    for order in orders:
        _require_size(offer, order)
    _require_within_limits(offer, creates)
    return ""


def _require_size(offer: Offer, order: SizeOrder) -> None:
    size = offer.sizes.get(order.size)
    if size is None or not size.is_available:
        message = f"DigitalOcean doesn't sell the size {order.size} (read {offer.read_at:%Y-%m-%d %H:%M} UTC)"
    elif not any(region.startswith(order.region) for region in size.regions):  # `fra` is any of Frankfurt's
        message = f"DigitalOcean doesn't sell the size {order.size} in {order.region}"
    else:
        return
    raise InvalidInput(message, errors={f"inputs.{order.field}": [message]})


def _require_within_limits(offer: Offer, creates: Counter[str]) -> None:
    for kind, wanted in creates.items():
        limit = offer.limits.get(kind)
        if limit is not None and (present := _count_live(kind)) + wanted > limit:
            raise AccountLimit(
                f"the account's {_LIMITS[kind]} is {limit}, and it has {present} of them: {wanted} more "
                "can't be made; destroy what isn't needed, or have DigitalOcean raise the limit"
            )


def report_limits() -> int:
    """Raise an alert for each limit of which four fifths are used, resolve the others'; return how many."""
    offer = present_offer()
    near = 0
    for kind, limit in (offer.limits if offer else {}).items():
        # What the inventory has, made by us or by hand: the provider counts both.
        present, subject = _count_live(kind), f"limit:{kind}"
        if present and present >= _NEAR * limit:
            near += 1
            raise_alert(
                code=LIMIT_NEAR,
                subject=subject,
                message=f"{kind_label(kind)}s: {present} of the {limit} that the account may have.",
                details={"limit": _LIMITS[kind], "present": present, "most": limit},
            )
        else:
            resolve_alert(code=LIMIT_NEAR, subject=subject, actor="the check of limits")
    return near


def _count_live(kind: str) -> int:
    return Resource.objects.live().filter(provider=PROVIDER, kind=kind).count()
