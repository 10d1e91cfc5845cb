"""Retention: rows that are deleted once they have expired."""

from datetime import datetime, timedelta
from typing import Any, Final

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from arcadia_cloud.kernel.idempotency import KEPT_FOR
from arcadia_cloud.kernel.models import IdempotencyKey

_BATCH: Final = 5000  # rows a transaction: requests with the same keys wait no longer than for these


def delete_in_batches(expired: QuerySet[Any]) -> int:
    """Delete these rows in their order, a batch a transaction; return how many. Safe to run twice at once.

    For rows that nothing refers to: what hangs on them is left to the database, and counted as well.
    """
    total = 0
    while True:
        batch = list(expired.values_list("pk", flat=True)[:_BATCH])
        if not batch:
            return total
        expired.model._base_manager.filter(pk__in=batch).delete()
        total += len(batch)


def delete_expired_responses(*, at: datetime) -> int:
    """Delete stored responses older than 24 hours; return how many."""
    return delete_in_batches(
        IdempotencyKey.objects.filter(created_at__lt=at - KEPT_FOR).order_by("created_at")
    )


def delete_expired_sessions(*, at: datetime) -> int:
    """Delete the console's sessions that have expired; return how many."""
    return delete_in_batches(Session.objects.filter(expire_date__lt=at).order_by("expire_date"))


def delete_old_logins(*, at: datetime) -> int:
    """Delete logins and failed attempts older than ARCADIA_LOGIN_HISTORY_DAYS; return how many.

    An attempt that still counts for a lock-out is kept, however long that lasts.
    """
    kept_for = timedelta(days=settings.ARCADIA_LOGIN_HISTORY_DAYS)
    attempts_until = at - max(kept_for, settings.AXES_COOLOFF_TIME)
    # By key: there is no index on the time, and the oldest rows come first.
    return (
        delete_in_batches(AccessAttempt.objects.filter(attempt_time__lt=attempts_until).order_by("pk"))
        + delete_in_batches(AccessFailureLog.objects.filter(attempt_time__lt=at - kept_for).order_by("pk"))
        + delete_in_batches(AccessLog.objects.filter(attempt_time__lt=at - kept_for).order_by("pk"))
    )
