"""The terms of metering by day: what each billing kind is metered by, and how long its usage is kept."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db import transaction

from arcadia_cloud.kernel.periods import Period, previous_month
from catalog.values.kinds import BillingKind
from metering.errors import InvalidMeteringTerms
from metering.models import MeteringConfig
from metering.values import DAY, METERED_KINDS, Granularity, MeteredKind, MeteringTerms

_DEFAULT: Final = MeteringTerms()


class TermsByDay:
    """Every kind's terms on every day, read once. They don't change for a day that has begun."""

    def __init__(self) -> None:
        self._dated: dict[str, list[tuple[date, MeteringTerms]]] = {}
        for row in MeteringConfig.objects.order_by("effective_from"):
            terms = MeteringTerms(Granularity(row.granularity), row.retention_days)
            self._dated.setdefault(row.resource_kind, []).append((row.effective_from, terms))

    def of(self, kind: str, on: date) -> MeteringTerms:
        """Return a billing kind's terms on a day; the defaults where none were set."""
        in_force = [terms for since, terms in self._dated.get(kind, ()) if since <= on]
        return in_force[-1] if in_force else _DEFAULT

    def kept_since(self, kind: str, at: datetime) -> date:
        """Return the first day whose usage is kept, by today's terms; all of last month always is."""
        today = at.astimezone(UTC).date()
        return min(today - timedelta(days=self.of(kind, today).retention_days), previous_month(at).start)

    def metered_on(self, day: date, *, at: datetime) -> Iterator[tuple[MeteredKind, Granularity]]:
        """Yield the resources' kinds whose usage of that day is kept, with their granularity on it."""
        for metered in METERED_KINDS:
            if day >= self.kept_since(metered.billing_kind, at):
                yield metered, self.of(metered.billing_kind, day).granularity

    def hourly_days(self, days: Period, *, at: datetime) -> list[date]:
        """Return the days on which some kind of resources is metered hourly."""
        # Without a row that says so there is none: most installations never look at their days.
        if not any(
            terms.granularity == Granularity.HOURLY for dated in self._dated.values() for _, terms in dated
        ):
            return []
        return [
            day
            for day in days
            if any(granularity == Granularity.HOURLY for _, granularity in self.metered_on(day, at=at))
        ]


def set_metering_terms(
    *, kind: BillingKind, terms: MeteringTerms, effective_from: date, actor: str, at: datetime
) -> MeteringConfig:
    """Set the terms of a kind from the start of a day that is to come; setting them again replaces them.

    Raises InvalidMeteringTerms for a day that has begun: some of its hours may be metered already.
    """
    check_metering_terms(terms, effective_from, at=at)
    with transaction.atomic():
        config, _ = MeteringConfig.objects.update_or_create(
            resource_kind=kind,
            effective_from=effective_from,
            defaults={
                "granularity": terms.granularity,
                "retention_days": terms.retention_days,
                "set_by": actor,
                "set_at": at,
            },
        )
    return config


def check_metering_terms(terms: MeteringTerms, effective_from: date, *, at: datetime) -> None:
    """Raise InvalidMeteringTerms where `set_metering_terms` would."""
    if Period(effective_from, effective_from + DAY).starts_at <= at:
        refusal = f"terms begin with a day that is to come, and {effective_from} has begun"
        raise InvalidMeteringTerms(refusal, errors={"effective_from": [refusal]})
    if terms.retention_days <= 0:
        refusal = "usage is kept for one day at least"
        raise InvalidMeteringTerms(refusal, errors={"retention_days": [refusal]})
