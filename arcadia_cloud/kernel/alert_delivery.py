"""Delivery of alerts: by e-mail and to a webhook, each severity to receivers of its own.

A delivery is a row, written in the transaction that raises the alert, so that none is lost with a process.
It is sent at least once: a receiver knows a repetition by the id in it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any, Final

import requests
import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse

from arcadia_cloud.kernel.errors import describe
from arcadia_cloud.kernel.models import Alert, AlertDelivery
from arcadia_cloud.kernel.queue.nudge import nudge

log = structlog.get_logger(__name__)
DELIVER_TASK: Final = "kernel.deliver_alerts"
GIVE_UP_AFTER: Final = timedelta(hours=24)
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=1)
_BATCH: Final = 100  # deliveries a run
_WEBHOOK_SECONDS: Final = 10
_LONGEST_ERROR: Final = 500  # characters


class DeliveryFailed(Exception):
    """The receiver didn't accept the message; the text is for an operator and holds no address."""


def queue_deliveries(alert_pk: int, severity: Alert.Severity) -> None:
    """Queue, in the caller's transaction, a message for each receiver of this severity in the settings."""
    channels = {
        AlertDelivery.Channel.EMAIL: settings.ARCADIA_ALERT_EMAILS[severity],
        AlertDelivery.Channel.WEBHOOK: settings.ARCADIA_ALERT_WEBHOOKS[severity],
    }
    queued = [
        AlertDelivery(
            alert_id=alert_pk, channel=channel, severity=severity, created_at=Now(), next_attempt_at=Now()
        )
        for channel, receiver in channels.items()
        if receiver
    ]
    if queued:
        # Raised by two at once, an alert is delivered once to each receiver.
        AlertDelivery.objects.bulk_create(queued, ignore_conflicts=True)
        nudge(DELIVER_TASK)


def deliver_due_alerts(*, at: datetime) -> dict[str, int]:
    """Send the messages that are due, oldest first; return how many were sent and how many failed.

    One that fails is due again after a minute, two, four and so on, up to an hour; a day later no more.
    """
    counts = {"sent": 0, "failed": 0}
    waiting = AlertDelivery.objects.filter(sent_at=None, given_up_at=None, next_attempt_at__lte=at)
    for pk in list(waiting.order_by("next_attempt_at").values_list("pk", flat=True)[:_BATCH]):
        delivery = _claim(pk, at=at)
        if delivery is not None:
            counts["sent" if _deliver(delivery, at=at) else "failed"] += 1
    return counts


def _claim(pk: int, *, at: datetime) -> AlertDelivery | None:
    """Put off the next attempt before this one begins; return None where another process has it."""
    delivery = AlertDelivery.objects.select_related("alert").get(pk=pk)
    pause = min(_FIRST_PAUSE * 2 ** min(delivery.attempts, 16), _LONGEST_PAUSE)
    claimed = AlertDelivery.objects.filter(
        pk=pk,
        attempts=delivery.attempts,
        next_attempt_at__lte=at,  # or one that is being sent by another would be sent twice
        sent_at=None,
        given_up_at=None,
    ).update(attempts=F("attempts") + 1, next_attempt_at=at + pause)
    return delivery if claimed else None


def _deliver(delivery: AlertDelivery, *, at: datetime) -> bool:
    row = AlertDelivery.objects.filter(pk=delivery.pk)
    try:
        _SENDERS[delivery.channel](delivery)
    except DeliveryFailed as failure:
        is_over = at - delivery.created_at >= GIVE_UP_AFTER
        row.update(error=str(failure)[:_LONGEST_ERROR], given_up_at=at if is_over else None)
        log.warning(
            "alert_not_delivered",
            alert=delivery.alert_id, channel=delivery.channel, error=str(failure), given_up=is_over,
        )  # fmt: skip
        return False
    row.update(sent_at=at, error="")
    return True


def _send_email(delivery: AlertDelivery) -> None:
    alert = delivery.alert
    lines = [
        alert.message,
        "",
        f"Alert: {alert.code}",
        f"About: {alert.subject}",
        f"Since: {alert.raised_at:%Y-%m-%d %H:%M} UTC",
    ]
    if address := _console_address(alert):
        lines += ["", address]
    subject = f"[{delivery.severity}] {alert.message}"
    message = EmailMessage(
        subject=" ".join(subject.split())[:200],
        body="\n".join(lines),
        to=settings.ARCADIA_ALERT_EMAILS[delivery.severity],
        headers={"X-Arcadia-Delivery": str(delivery.pk)},
    )
    try:
        message.send()
    except (SMTPException, OSError) as error:
        raise DeliveryFailed(f"the mail server: {describe(error)}") from error


def _send_to_webhook(delivery: AlertDelivery) -> None:
    try:
        response = requests.post(
            settings.ARCADIA_ALERT_WEBHOOKS[delivery.severity],
            json=_webhook_body(delivery),
            headers={"User-Agent": "arcadia-cloud"},
            timeout=_WEBHOOK_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        # Only the type: the text holds the address, which is often the receiver's only secret.
        raise DeliveryFailed(f"the webhook: {type(error).__name__}") from None
    if not response.ok or response.is_redirect:
        raise DeliveryFailed(f"the webhook answered {response.status_code}")


def _webhook_body(delivery: AlertDelivery) -> Mapping[str, Any]:
    alert = delivery.alert
    return {
        "id": delivery.pk,
        "alert": alert.pk,
        "code": alert.code,
        "severity": delivery.severity,
        "subject": alert.subject,
        "message": alert.message,
        "text": f"[{delivery.severity}] {alert.message}",  # the field that chat services show
        "raised_at": alert.raised_at.isoformat().replace("+00:00", "Z"),
        "url": _console_address(alert),
    }


def _console_address(alert: Alert) -> str:
    base: str = settings.ARCADIA_CONSOLE_URL
    return f"{base.rstrip('/')}{reverse('admin:kernel_alert_change', args=[alert.pk])}" if base else ""


_SENDERS: Final[Mapping[str, Callable[[AlertDelivery], None]]] = {
    AlertDelivery.Channel.EMAIL: _send_email,
    AlertDelivery.Channel.WEBHOOK: _send_to_webhook,
}
