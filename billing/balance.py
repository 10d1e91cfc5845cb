"""The balance with the provider, stored once an hour."""

from datetime import datetime

from arcadia_cloud.digitalocean.client import DigitalOcean
from billing.models import BalanceSnapshot
from inventory.values import PROVIDER


def snapshot_balance(*, cloud: DigitalOcean, at: datetime) -> BalanceSnapshot:
    """Fetch the balance and store it as that of the hour of `at`; a second look replaces the first.

    Raises ProviderError.
    """
    balance = cloud.balance()
    hour = at.replace(minute=0, second=0, microsecond=0)
    figures = {
        "month_to_date_balance": balance.month_to_date_balance,
        "account_balance": balance.account_balance,
        "month_to_date_usage": balance.month_to_date_usage,
        "generated_at": balance.generated_at,
        "captured_at": at,
    }
    snapshot = BalanceSnapshot(provider=PROVIDER, hour=hour, **figures)
    # One statement, so that of two polls in an hour neither fails.
    BalanceSnapshot.objects.bulk_create(
        [snapshot], update_conflicts=True, unique_fields=["provider", "hour"], update_fields=list(figures)
    )
    return BalanceSnapshot.objects.get(provider=PROVIDER, hour=hour)
