"""The quotes of a month that is over, for every deployment, and the fingerprints that are kept of them.

They are recorded once, when the month's days are metered. Whoever changes the code quotes the month again and
compares: equal inputs must make an equal quote, byte for byte.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, Self

from django.db.models import F, Q, Sum
from django.db.models.functions import TruncDate

from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period, previous_month
from catalog.canonical import digest
from catalog.queries import price_book
from catalog.quote import quote
from catalog.values.terms import PriceBook
from deployments.models import Subscription
from deployments.queries import quote_inputs, subscriptions_for_quotes
from metering.catch_up import find_due
from metering.models import QuoteFingerprint, UsageRecord

_BATCH: Final = 500  # deployments that are quoted with one set of queries
_Quantities = dict[date, dict[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hashes of a quote and of its inputs, and its total."""

    inputs: str
    quote: str
    total: Money

    @classmethod
    def of_row(cls, row: QuoteFingerprint) -> Self:
        """Return the one that is kept in a row."""
        return cls(row.inputs_digest, row.quote_digest, Money(row.total, row.currency))


@dataclass(frozen=True, slots=True)
class MonthComparison:
    """A deployment's month as it was kept, and as it is quoted now: None where it has no quote any more."""

    deployment_pk: int
    deployment: str
    kept: Fingerprint
    now: Fingerprint | None

    @property
    def is_equal(self) -> bool:
        """Whether the quote is the same, byte for byte."""
        return self.now is not None and self.kept.quote == self.now.quote

    @property
    def is_changed_by_code(self) -> bool:
        """Whether the inputs are the same, and the quote isn't."""
        return self.now is not None and not self.is_equal and self.kept.inputs == self.now.inputs


def record_closed_month(*, at: datetime) -> int:
    """Keep the fingerprints of last month's quotes that aren't kept yet; return how many.

    While a day of the month isn't metered, nothing is kept. What is kept never changes. May be repeated.
    """
    month = previous_month(at)
    # A day that comes later would make every quote of the month look changed.
    if any(day < month.end for day in find_due(at=at).days):
        return 0
    kept = set(QuoteFingerprint.objects.filter(month=month.start).values_list("deployment", flat=True))
    recorded = 0
    for batch in _batches([pk for pk in _subscriptions_in(month) if pk[1] not in kept]):
        rows = [
            QuoteFingerprint(
                deployment_id=deployment,
                month=month.start,
                inputs_digest=found.inputs,
                quote_digest=found.quote,
                total=found.total.amount,
                currency=found.total.currency,
                recorded_at=at,
            )
            for deployment, found in _quote_batch(batch, month)
        ]
        # Of two runs at once the first one's word is kept.
        QuoteFingerprint.objects.bulk_create(rows, ignore_conflicts=True)
        recorded += len(rows)
    return recorded


def compare_closed_month(month: Period) -> Iterator[MonthComparison]:
    """Quote the month again for every deployment of which a fingerprint is kept, and yield both."""
    kept = {
        row.deployment_id: row
        for row in QuoteFingerprint.objects.filter(month=month.start).select_related("deployment")
    }
    now: dict[int, Fingerprint] = {}
    for batch in _batches([pk for pk in _subscriptions_in(month) if pk[1] in kept]):
        now.update(_quote_batch(batch, month))
    for deployment, row in sorted(kept.items()):
        yield MonthComparison(deployment, str(row.deployment), Fingerprint.of_row(row), now.get(deployment))


def _subscriptions_in(month: Period) -> list[tuple[int, int]]:
    """Return the subscription that each deployment had in the month, and the deployment: as `quote_month`."""
    in_force = Q(versions__starts_on__lt=month.end) & (
        Q(versions__ends_on=None) | Q(versions__ends_on__gt=month.start)
    )
    # Of two in one month, the one that `quote_month` takes: its page and this one must agree.
    live_first = F("cancelled_at").desc(nulls_first=True)
    # One a deployment, though the join finds it once for each of its versions in the month.
    chosen = Subscription.objects.filter(in_force).order_by("deployment", live_first, "-pk")
    return list(chosen.distinct("deployment").values_list("pk", "deployment_id"))


def _batches(chosen: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    for first in range(0, len(chosen), _BATCH):
        yield chosen[first : first + _BATCH]


def _quote_batch(batch: list[tuple[int, int]], month: Period) -> Iterator[tuple[int, Fingerprint]]:
    """Yield each deployment's fingerprint. A fixed number of queries for the batch."""
    usage = _usage_by_day([deployment for _, deployment in batch], month)
    books: dict[str, PriceBook] = {}
    for subscription in subscriptions_for_quotes().filter(pk__in=[pk for pk, _ in batch]).order_by("pk"):
        days_used = usage.get(subscription.deployment_id, {})
        currency = subscription.plan_version.currency
        # Read once a batch: a book has every price of its currency.
        if currency not in books:
            books[currency] = price_book(month, currency)

        def usage_of(days: Period, used: _Quantities = days_used) -> Mapping[str, Decimal]:
            total: dict[str, Decimal] = {}
            for day, quantities in used.items():
                if days.start <= day < days.end:
                    for kind, quantity in quantities.items():
                        total[kind] = total.get(kind, Decimal(0)) + quantity
            return total

        inputs = quote_inputs(subscription, month, books[currency], usage_of)
        made = quote(inputs)
        yield subscription.deployment_id, Fingerprint(digest(inputs), digest(made), made.total)


def _usage_by_day(deployments: list[int], month: Period) -> dict[int, _Quantities]:
    records = UsageRecord.objects.filter(
        deployment__in=deployments, period_start__gte=month.starts_at, period_start__lt=month.ends_at
    )
    # In UTC whatever the session's zone: a record of an hour belongs to its UTC day.
    days = records.annotate(day=TruncDate("period_start", tzinfo=UTC))
    sums = days.values("deployment", "day", "resource_kind").annotate(total=Sum("qty"))
    found: dict[int, _Quantities] = {}
    rows = sums.order_by("deployment", "day", "resource_kind")
    for deployment, day, kind, total in rows.values_list("deployment", "day", "resource_kind", "total"):
        found.setdefault(deployment, {}).setdefault(day, {})[kind] = total
    return found
