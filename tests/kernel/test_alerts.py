"""Alerts: one open row per code and subject, counted up while it is open."""

from typing import Any

import pytest

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
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
