"""Messages about alerts: sent to each severity's receivers, again until they are accepted."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from pytest_django.fixtures import Settings

from arcadia_cloud.kernel.alert_delivery import GIVE_UP_AFTER, deliver_due_alerts
from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.models import Alert, AlertDelivery
from tests.http_servers import QuickHandler, serve_in_thread
from tests.kernel.threads import at_once

pytestmark = pytest.mark.django_db
CRITICAL, WARNING = Alert.Severity.CRITICAL, Alert.Severity.WARNING


class Receiver:
    """A webhook over HTTP: keeps what it was sent, and answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.received: list[dict[str, Any]] = []
        receiver = self

        class Handler(QuickHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(json.loads(body))
                self.send_response(receiver.status)
                if receiver.status == 302:
                    self.send_header("Location", receiver.url)
                self.end_headers()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/alerts"


@pytest.fixture
def webhook(settings: Settings) -> Iterator[Receiver]:
    """The webhook of critical alerts; warnings have none. E-mails go to one address for each severity."""
    receiver = Receiver()
    settings.ARCADIA_ALERT_WEBHOOKS = {"warning": "", "critical": receiver.url}
    settings.ARCADIA_ALERT_EMAILS = {"warning": ["day@example.org"], "critical": ["night@example.org"]}
    settings.ARCADIA_CONSOLE_URL = "https://cloud.example.org/"
    with serve_in_thread(receiver.server):
        yield receiver


def raised(severity: Alert.Severity, message: str = "saga 12 is stuck") -> Alert:
    raise_alert(code="saga_overdue", subject="saga:12", message=message, severity=severity)
    return Alert.objects.get(resolved_at=None)


def later(**more: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1, **more)


def test_a_critical_alert_is_sent_to_the_webhook_and_by_e_mail(webhook: Receiver) -> None:
    alert = raised(CRITICAL)
    assert deliver_due_alerts(at=later()) == {"sent": 2, "failed": 0}
    (body,) = webhook.received
    address = f"https://cloud.example.org/admin/kernel/alert/{alert.pk}/change/"
    assert body == {
        "id": AlertDelivery.objects.get(channel="webhook").pk,
        "alert": alert.pk,
        "code": "saga_overdue",
        "severity": "critical",
        "subject": "saga:12",
        "message": "saga 12 is stuck",
        "text": "[critical] saga 12 is stuck",
        "raised_at": alert.raised_at.isoformat().replace("+00:00", "Z"),
        "url": address,
    }
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["night@example.org"], "[critical] saga 12 is stuck")
    assert address in message.body
    assert deliver_due_alerts(at=later(hours=1)) == {"sent": 0, "failed": 0}


def test_a_warning_goes_to_its_own_receivers_once_however_often_it_is_raised(webhook: Receiver) -> None:
    for _ in range(3):
        raised(WARNING)
    deliver_due_alerts(at=later())
    assert [message.to for message in mail.outbox] == [["day@example.org"]]
    assert not webhook.received


def test_one_that_becomes_critical_is_sent_again_and_wakes_up(webhook: Receiver) -> None:
    alert = raised(WARNING)
    Alert.objects.filter(pk=alert.pk).update(snoozed_until=later(hours=4))
    raised(WARNING)
    assert Alert.objects.get().snoozed_until is not None
    raised(CRITICAL)
    assert Alert.objects.get().snoozed_until is None
    deliver_due_alerts(at=later())
    assert [body["severity"] for body in webhook.received] == ["critical"]
    assert [message.to for message in mail.outbox] == [["day@example.org"], ["night@example.org"]]


def test_a_line_break_in_a_message_forges_no_header(webhook: Receiver) -> None:
    raised(WARNING, message="first\nBcc: other@example.org\r\nsecond")
    deliver_due_alerts(at=later())
    (message,) = mail.outbox
    assert message.subject == "[warning] first Bcc: other@example.org second"
    assert message.recipients() == ["day@example.org"]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_is_not_accepted_is_sent_again_with_growing_pauses_and_given_up_after_a_day(
    webhook: Receiver, settings: Settings, status: int
) -> None:
    settings.ARCADIA_ALERT_EMAILS = {"warning": [], "critical": []}
    webhook.status = status
    raised(CRITICAL)
    at, pauses = later(), []
    while (row := AlertDelivery.objects.get()).given_up_at is None:
        deliver_due_alerts(at=at)
        row.refresh_from_db()
        pauses.append(row.next_attempt_at - at)
        at = row.next_attempt_at
    assert [pause.total_seconds() / 60 for pause in pauses[:8]] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert row.given_up_at - row.created_at >= GIVE_UP_AFTER
    assert row.error == f"the webhook answered {status}"
    assert len({body["id"] for body in webhook.received}) == 1
    assert deliver_due_alerts(at=at + timedelta(days=1)) == {"sent": 0, "failed": 0}


def test_an_unreachable_webhook_holds_up_no_e_mail_and_its_address_is_not_told(
    webhook: Receiver, settings: Settings
) -> None:
    settings.ARCADIA_ALERT_WEBHOOKS = {"warning": "", "critical": "http://127.0.0.1:9/secret-path"}
    raised(CRITICAL)
    assert deliver_due_alerts(at=later()) == {"sent": 1, "failed": 1}
    error = AlertDelivery.objects.get(channel="webhook").error
    assert error.startswith("the webhook: ")
    assert "secret-path" not in error


def test_an_alert_that_is_rolled_back_sends_nothing(webhook: Receiver) -> None:
    with transaction.atomic():
        raised(CRITICAL)
        transaction.set_rollback(True)
    assert not AlertDelivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_processes_at_once_one_sends(webhook: Receiver, settings: Settings) -> None:
    settings.ARCADIA_ALERT_EMAILS = {"warning": [], "critical": []}
    raised(CRITICAL)
    at = later()
    at_once(4, lambda: deliver_due_alerts(at=at))
    assert len(webhook.received) == 1
