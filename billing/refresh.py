"""Everything of billing, read and computed in the order in which it builds on each other, by one task.

The schedule does the same in parts, at night; a new installation isn't kept waiting for them.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import structlog
from django.utils import timezone

from arcadia_cloud.digitalocean.errors import ProviderError
from arcadia_cloud.kernel.errors import DomainError, describe
from arcadia_cloud.kernel.queue.nudge import nudge, publish_now
from billing import services

log = structlog.get_logger(__name__)
REFRESH_TASK: Final = "billing.refresh"


def request_refresh(*, actor: str, must_reach_broker: bool = False) -> None:
    """Ask a worker to read and compute everything, once the transaction commits.

    A broker that is away leaves it to the schedule, silently. With `must_reach_broker` the request is sent
    at once instead, and BrokerAway raised when it can't be: for callers that report the result.
    """
    publish = publish_now if must_reach_broker else nudge
    publish(REFRESH_TASK, queue=services.QUEUE, actor=actor)


def refresh(*, actor: str) -> Mapping[str, str]:
    """Read and compute everything; return what failed, with the reason.

    What can't be read, as with a token that may not, keeps nothing else from being done. May be repeated.
    """
    failures: dict[str, str] = {}
    for name, step in _STEPS.items():
        try:
            step(timezone.now())
        except (ProviderError, DomainError) as refusal:
            failures[name] = describe(refusal)
            log.warning("billing_not_refreshed", step=name, actor=actor, error=failures[name])
    return failures


def _read_bills(at: datetime) -> None:
    for invoice_pk in services.update_history(at=at, enqueue=False).to_ingest:
        services.ingest_and_push(invoice_pk=invoice_pk)


# Prices before what they price. No audit: it would miss the usage of days that are metered at night.
_STEPS: Final[Mapping[str, Callable[[datetime], object]]] = {
    "balance": lambda at: services.snapshot_balance(at=at),
    "prices": lambda at: services.read_provider_prices(day=at.astimezone(UTC).date()),
    "invoices": _read_bills,
    "reported costs": lambda at: services.read_reported_costs(at=at),
    "daily costs": lambda at: services.compute_daily_costs(at=at),
    "anomalies": lambda at: services.detect_cost_anomalies(at=at),
}
