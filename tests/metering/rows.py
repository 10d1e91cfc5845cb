"""Resources with lives told by hand, and the usage that is recorded of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count
from typing import Final

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from arcadia_cloud.kernel.periods import month_of
from deployments.models import Deployment
from inventory.models import Resource, ResourceSpan
from inventory.values import Kind
from metering.models import MeteringConfig, UsageRecord
from metering.services import meter_day
from metering.values import Granularity

LATER: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)  # when nothing of the stories' months runs any more
_numbers: Final = count(1)


def instant(day: int, hour: float = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC) + timedelta(hours=hour)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a life: from, until (None: it lasts), whose, running or off, how big."""

    since: datetime
    until: datetime | None
    deployment: Deployment | None
    active: bool = True
    size: Decimal | None = None


def a_deployment(slug: str = "shop", tenant: str = "acme") -> Deployment:
    return Deployment.objects.get_or_create(tenant_id=tenant, slug=slug)[0]


def lived(kind: Kind, *stretches: Stretch) -> Resource:
    """Store a resource with these spans."""
    last = stretches[-1]
    resource = Resource.objects.create(
        kind=kind,
        provider_id=f"{kind}-{next(_numbers)}",
        deployment=last.deployment,
        tenant_id=None if last.deployment is None else last.deployment.tenant_id,
        first_seen_at=stretches[0].since,
        last_seen_at=last.since,
    )
    ResourceSpan.objects.bulk_create(
        ResourceSpan(
            resource=resource,
            during=DateTimeTZRange(stretch.since, stretch.until),
            deployment=stretch.deployment,
            tenant_id=None if stretch.deployment is None else stretch.deployment.tenant_id,
            active=stretch.active,
            size_gb=stretch.size,
        )
        for stretch in stretches
    )
    return resource


def whole(kind: Kind, deployment: Deployment, size: str | None = None, *, active: bool = True) -> Resource:
    """Store a resource that lives since long ago."""
    return lived(
        kind, Stretch(instant(1, month=1), None, deployment, active, Decimal(size) if size else None)
    )


def metered(*days: date) -> None:
    for day in days:
        meter_day(day, at=LATER)


def days(first: date, number: int) -> list[date]:
    return [first + timedelta(days=ahead) for ahead in range(number)]


def march(number: int = 31) -> list[date]:
    return days(date(2026, 3, 1), number)


def hourly(*kinds: str, since: date) -> None:
    """Have these billing kinds metered hourly from a day on, without asking whether that day has begun."""
    for kind in kinds:
        MeteringConfig.objects.create(
            resource_kind=kind,
            granularity=Granularity.HOURLY,
            effective_from=since,
            set_by="a test",
            set_at=LATER,
        )


def total(**conditions: object) -> Decimal:
    """Return the sum of the quantities of the records that meet them."""
    found = UsageRecord.objects.filter(**conditions).values_list("qty", flat=True)
    return sum(found, Decimal(0))


def recorded() -> list[tuple[object, ...]]:
    """Return all that is recorded, but for the rows' own keys, in order."""
    fields = ("deployment", "resource", "resource_kind", "granularity", "period_start", "period_end", "qty")
    return sorted(UsageRecord.objects.values_list(*fields))


def integral(stretches: Sequence[Stretch], *, by: str, since: datetime, until: datetime) -> Fraction:
    """Return the exact usage of a life within a month's days: hours, GB-months or zone-months."""
    month = month_of(since)
    found = Fraction(0)
    for stretch in stretches:
        start, end = max(stretch.since, since), min(stretch.until or until, until)
        if start >= end or stretch.deployment is None:
            continue
        seconds = Fraction((end - start) // timedelta(microseconds=1), 1_000_000)
        if by == "hours":
            found += seconds / 3600 if stretch.active else 0
        else:
            size = Fraction(stretch.size or 0) if by == "size" else 1
            found += size * seconds / (month.days * 86_400)
    return found


def half_up(exact: Fraction) -> Decimal:
    return Decimal((exact * 2_000_000 + 1) // 2).scaleb(-6)
