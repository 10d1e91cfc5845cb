"""Alerts: a row that the console shows until it is resolved, and a log line that monitoring picks up.

An operator takes one, notes on it and snoozes it; `alert_delivery` sends it by e-mail and to a webhook.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from arcadia_cloud.kernel.alert_delivery import queue_deliveries
from arcadia_cloud.kernel.errors import Conflict, InvalidInput, NotFound
from arcadia_cloud.kernel.models import Alert

log = structlog.get_logger(__name__)
LONGEST_NOTE: Final = 2000  # characters


def raise_alert(
    *,
    code: str,
    subject: str,
    message: str,
    severity: Alert.Severity = Alert.Severity.WARNING,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Store and log an alert. While one of this code and subject is open, it is counted up, not doubled.

    It is delivered when it opens, and again when it becomes critical, which also ends a snooze. `subject`
    names what it is about, as `kind:id`. `details` must hold no secret: it is shown and logged.
    """
    with transaction.atomic():
        # The insert decides which of two who raise it opens it; the other one waits here, and finds it.
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
        before = (
            Alert.objects.select_for_update().filter(code=code, subject=subject, resolved_at=None).first()
        )
        if before is not None:  # resolved between the two statements: what is still wrong raises it again
            is_escalated = severity == Alert.Severity.CRITICAL != before.severity
            Alert.objects.filter(pk=before.pk).update(
                severity=severity,
                message=message,
                details=dict(details or {}),
                times_raised=F("times_raised") + 1,
                last_raised_at=Now(),
                snoozed_until=None if is_escalated else before.snoozed_until,
            )
            if before.times_raised == 0 or is_escalated:
                queue_deliveries(before.pk, severity)
    log.warning("alert", code=code, subject=subject, severity=str(severity), message=message)


def resolve_alert(*, code: str, subject: str, actor: str) -> bool:
    """Close the open alert of this code and subject; return False when there is none."""
    closed = Alert.objects.filter(code=code, subject=subject, resolved_at=None).update(
        resolved_at=Now(), resolved_by=actor
    )
    return closed == 1


def take_alert(alert_pk: int, *, actor: str) -> Alert:
    """Make the actor the alert's owner, whoever was. Raises NotFound, and Conflict once it is resolved."""
    return _change(alert_pk, owner=actor)


def note_alert(alert_pk: int, *, note: str) -> Alert:
    """Replace the alert's note. Raises NotFound, InvalidInput, and Conflict once it is resolved."""
    if len(note) > LONGEST_NOTE:
        raise InvalidInput(
            "the note is too long", errors={"note": [f"Has {len(note)} characters; {LONGEST_NOTE} at most."]}
        )
    return _change(alert_pk, note=note.strip())


def snooze_alert(alert_pk: int, *, until: datetime, at: datetime, actor: str) -> Alert:
    """Keep the alert off the home page until an instant; the actor becomes its owner.

    It stays open, and one that becomes critical meanwhile is shown at once. Raises NotFound, InvalidInput for
    an instant that isn't in the future, and Conflict once it is resolved.
    """
    if until <= at:
        raise InvalidInput("a snooze ends in the future", errors={"until": ["Must be in the future."]})
    return _change(alert_pk, snoozed_until=until, owner=actor)


def awake_alerts(*, at: datetime) -> QuerySet[Alert]:
    """Return the open alerts that aren't snoozed: critical ones first, of each severity the oldest first."""
    awake = Q(snoozed_until=None) | Q(snoozed_until__lte=at)
    return Alert.objects.filter(awake, resolved_at=None).order_by("severity", "raised_at", "pk")


def _change(alert_pk: int, **values: object) -> Alert:
    # Only while it is open: a check may have resolved it since the page was shown.
    changed = Alert.objects.filter(pk=alert_pk, resolved_at=None).update(**values)
    alert = Alert.objects.filter(pk=alert_pk).first()
    if alert is None:
        raise NotFound(f"there is no alert {alert_pk}")
    if not changed:
        raise Conflict(f"alert {alert_pk} was resolved by {alert.resolved_by}")
    return alert
