"""Alerts: a row that the console shows until it is resolved, and a log line that monitoring picks up."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from arcadia_cloud.kernel.models import Alert

log = structlog.get_logger(__name__)


def raise_alert(
    *,
    code: str,
    subject: str,
    message: str,
    severity: Alert.Severity = Alert.Severity.WARNING,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Store and log an alert. While one of this code and subject is open, it is counted up, not doubled.

    `subject` names what it is about, as `kind:id`. `details` must hold no secret: it is shown and logged.
    """
    with transaction.atomic():
        Alert.objects.bulk_create(
            [
                Alert(
                    code=code,
                    subject=subject,
                    severity=severity,
                    message=message,
                    details=dict(details or {}),
                    times_raised=0,
                    raised_at=Now(),
                    last_raised_at=Now(),
                )
            ],
            ignore_conflicts=True,
        )
        Alert.objects.filter(code=code, subject=subject, resolved_at=None).update(
            severity=severity,
            message=message,
            details=dict(details or {}),
            times_raised=F("times_raised") + 1,
            last_raised_at=Now(),
        )
    log.warning("alert", code=code, subject=subject, severity=str(severity), message=message)


def resolve_alert(*, code: str, subject: str, actor: str) -> bool:
    """Close the open alert of this code and subject; return False when there is none."""
    closed = Alert.objects.filter(code=code, subject=subject, resolved_at=None).update(
        resolved_at=Now(), resolved_by=actor
    )
    return closed == 1
