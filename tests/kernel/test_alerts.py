"""Alerts: one open row per code and subject, counted up while it is open; taken, noted upon and snoozed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from arcadia_cloud.kernel.alerts import (
    awake_alerts,
    note_alert,
    raise_alert,
    resolve_alert,
    snooze_alert,
    take_alert,
)
from arcadia_cloud.kernel.errors import Conflict, InvalidInput, NotFound
from arcadia_cloud.kernel.models import Alert
from tests.kernel.threads import at_once

pytestmark = pytest.mark.django_db


def raised(subject: str = "sync:droplet", message: str = "first", **more: Any) -> None:
    raise_alert(code="sync-suspicious", subject=subject, message=message, **more)


def test_an_alert_is_a_row_that_counts_up_while_it_is_open() -> None:
    raised()
    raised(message="second", severity=Alert.Severity.CRITICAL, details={"seen": 5})
    alert = Alert.objects.get()
    assert (alert.times_raised, alert.message, alert.severity) == (2, "second", "critical")
    assert alert.details == {"seen": 5}
    assert alert.raised_at <= alert.last_raised_at
    assert alert.resolved_at is None


def test_other_subjects_and_codes_have_rows_of_their_own() -> None:
    raised()
    raised(subject="sync:volume")
    raise_alert(code="other", subject="sync:droplet", message="")
    assert Alert.objects.count() == 3


def test_a_resolved_alert_stays_and_a_new_one_opens() -> None:
    raised()
    assert resolve_alert(code="sync-suspicious", subject="sync:droplet", actor="operator")
    assert not resolve_alert(code="sync-suspicious", subject="sync:droplet", actor="operator")
    raised(message="again")
    old, new = Alert.objects.order_by("pk")
    assert (old.resolved_by, old.times_raised, old.message) == ("operator", 1, "first")
    assert (new.resolved_at, new.times_raised) == (None, 1)


@pytest.mark.django_db(transaction=True)
def test_raised_at_once_it_is_one_row_with_every_count() -> None:
    at_once(6, raised)
    assert Alert.objects.get().times_raised == 6


def test_critical_alerts_come_first_then_the_oldest_and_snoozed_ones_not_at_all() -> None:
    at = datetime.now(UTC)
    for number, severity in enumerate(["warning", "critical", "warning", "critical"]):
        raised(subject=f"saga:{number}", severity=Alert.Severity(severity))
        Alert.objects.filter(subject=f"saga:{number}").update(raised_at=at - timedelta(hours=number))
    snoozed = Alert.objects.get(subject="saga:3")
    snooze_alert(snoozed.pk, until=at + timedelta(hours=1), at=at, actor="user:ann")
    assert [alert.subject for alert in awake_alerts(at=at)] == ["saga:1", "saga:2", "saga:0"]
    after = at + timedelta(hours=1)
    assert [alert.subject for alert in awake_alerts(at=after)] == ["saga:3", "saga:1", "saga:2", "saga:0"]


def test_an_alert_has_the_owner_and_the_note_that_were_given_last() -> None:
    raised()
    pk = Alert.objects.get().pk
    take_alert(pk, actor="user:ann")
    take_alert(pk, actor="user:bob")
    note_alert(pk, note="  asked DigitalOcean ")
    raised(message="again")
    alert = Alert.objects.get()
    assert (alert.owner, alert.note, alert.message) == ("user:bob", "asked DigitalOcean", "again")


@pytest.mark.parametrize(
    "change",
    [
        lambda pk: take_alert(pk, actor="user:ann"),
        lambda pk: note_alert(pk, note="x"),
        lambda pk: snooze_alert(
            pk, until=datetime(2027, 1, 2, tzinfo=UTC), at=datetime(2027, 1, 1, tzinfo=UTC), actor="user:ann"
        ),
    ],
    ids=["take", "note", "snooze"],
)
def test_a_resolved_alert_changes_no_more_and_an_unknown_one_is_not_found(
    change: Callable[[int], Alert],
) -> None:
    raised()
    resolve_alert(code="sync-suspicious", subject="sync:droplet", actor="user:bob")
    with pytest.raises(Conflict, match="was resolved by user:bob"):
        change(Alert.objects.get().pk)
    with pytest.raises(NotFound):
        change(10**15)


def test_a_snooze_ends_in_the_future_and_a_note_has_a_length() -> None:
    raised()
    pk, at = Alert.objects.get().pk, datetime(2027, 1, 1, tzinfo=UTC)
    with pytest.raises(InvalidInput, match="in the future"):
        snooze_alert(pk, until=at, at=at, actor="user:ann")
    with pytest.raises(InvalidInput, match="too long"):
        note_alert(pk, note="x" * 2001)
