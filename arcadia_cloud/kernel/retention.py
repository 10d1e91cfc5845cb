"""Retention: rows that are deleted once they have expired."""

from datetime import datetime
from typing import Final

from arcadia_cloud.kernel.idempotency import KEPT_FOR
from arcadia_cloud.kernel.models import IdempotencyKey

_BATCH: Final = 5000  # rows a transaction: requests with the same keys wait no longer than for these


def delete_expired_responses(*, at: datetime) -> int:
    """Delete stored responses older than 24 hours, in batches; return how many. Safe to run twice at once."""
    total = 0
    while True:
        old = IdempotencyKey.objects.filter(created_at__lt=at - KEPT_FOR).order_by("created_at")[:_BATCH]
        deleted, _ = IdempotencyKey.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
        total += deleted
        if deleted == 0:
            return total
