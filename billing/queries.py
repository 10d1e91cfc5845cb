"""Reads that more than one edge of billing needs."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from billing.models import BalanceSnapshot
from inventory.values import PROVIDER


def latest_balance() -> BalanceSnapshot | None:
    """What we owe, as far as we know; None where nobody ever asked."""
    return BalanceSnapshot.objects.filter(provider=PROVIDER).order_by("-hour").first()


def balances_since(at: datetime, days: int) -> QuerySet[BalanceSnapshot]:
    """The snapshots of so many days before `at`, oldest first."""
    return BalanceSnapshot.objects.filter(provider=PROVIDER, hour__gte=at - timedelta(days=days)).order_by(
        "hour"
    )
