"""Reads that more than one edge of billing needs."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Count, Q, QuerySet, Sum

from billing.models import BalanceSnapshot, ProviderInvoice
from billing.values import IngestStatus, PushStatus
from inventory.values import PROVIDER

# A preview is neither: it moves while it is read, and finance never gets it.
UNSOUND: Final = Q(is_preview=False, ingest_status__in=[IngestStatus.FAILED, IngestStatus.MISMATCH])
UNPUSHED: Final = Q(is_preview=False, push_status__in=[PushStatus.WAITING, PushStatus.REFUSED])
_NEAR: Final = timedelta(hours=6)  # as old may a snapshot be that stands for an instant


@dataclass(frozen=True, slots=True)
class BillingSummary:
    """How billing stands. `balance` is the latest, `before` the first day of the month before its own.

    `spent_by_then` is what that month had cost at the same moment, None where no snapshot is near it;
    `invoiced` what its invoices came to, None where there is none. Amounts in US dollars.
    """

    balance: BalanceSnapshot | None
    before: date
    spent_by_then: Decimal | None
    invoiced: Decimal | None
    unreconciled: int
    waiting: int
    refused: int


def standing(*, at: datetime) -> BillingSummary:
    """How billing stands at the instant `at`. Three queries, whatever there is."""
    balance = latest_balance()
    now = balance.generated_at if balance else at
    before = (now.date().replace(day=1) - timedelta(days=1)).replace(day=1)
    invoices = ProviderInvoice.objects.filter(provider=PROVIDER).aggregate(
        invoiced=Sum("amount", filter=Q(period=before, is_preview=False)),
        unreconciled=Count("pk", filter=UNSOUND),
        waiting=Count("pk", filter=UNPUSHED & Q(push_status=PushStatus.WAITING)),
        refused=Count("pk", filter=UNPUSHED & Q(push_status=PushStatus.REFUSED)),
    )
    then = _balance_near(_month_before(now))
    return BillingSummary(
        balance=balance, before=before, spent_by_then=then.month_to_date_usage if then else None, **invoices
    )


def latest_balance() -> BalanceSnapshot | None:
    """What we owe, as far as we know; None where nobody ever asked."""
    return BalanceSnapshot.objects.filter(provider=PROVIDER).order_by("-hour").first()


def balances_since(at: datetime, days: int) -> QuerySet[BalanceSnapshot]:
    """The snapshots of so many days before `at`, oldest first."""
    return BalanceSnapshot.objects.filter(provider=PROVIDER, hour__gte=at - timedelta(days=days)).order_by(
        "hour"
    )


def _month_before(at: datetime) -> datetime:
    """The same moment of the month before; its end where that month is too short."""
    first = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = first - timedelta(microseconds=1)
    return min(last, last.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + (at - first))


def _balance_near(at: datetime) -> BalanceSnapshot | None:
    """The newest that the provider told of the month of `at` up to then."""
    month = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    told = BalanceSnapshot.objects.filter(
        provider=PROVIDER,
        hour__gt=at - _NEAR - timedelta(hours=1),
        hour__lte=at + _NEAR,  # the provider's clock may be behind ours
        generated_at__range=(max(month, at - _NEAR), at),
    )
    return told.order_by("-generated_at").first()
