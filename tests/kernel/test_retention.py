"""Rows that are deleted once they have expired, and those that are not."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from pytest_django.fixtures import Settings

from arcadia_cloud.kernel import retention
from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from arcadia_cloud.kernel.tasks import delete_old_logins

pytestmark = pytest.mark.django_db


def session(*, expires_in_days: float) -> str:
    store = SessionStore()
    store.set_expiry(timedelta(days=expires_in_days))
    store.save()
    return str(store.session_key)


def test_sessions_are_deleted_once_they_have_expired() -> None:
    session(expires_in_days=-1)
    session(expires_in_days=-0.001)
    live = session(expires_in_days=0.5)
    assert delete_old_logins()["sessions"] == 2
    assert [row.session_key for row in Session.objects.all()] == [live]
    assert delete_old_logins() == {"sessions": 0, "logins": 0}


@pytest.mark.parametrize("days", [1, 90, 400])
@pytest.mark.parametrize("model", [AccessAttempt, AccessFailureLog, AccessLog])
def test_logins_are_deleted_after_their_retention(
    days: int, model: type[AccessLog], settings: Settings
) -> None:
    settings.ARCADIA_LOGIN_HISTORY_DAYS = days
    for name, age in (("old", days + 0.1), ("young", days - 0.1)):
        extra = {"failures_since_start": 1} if model is AccessAttempt else {}
        row = model.objects.create(username=name, user_agent="x", path_info="/", **extra)
        model.objects.filter(pk=row.pk).update(attempt_time=timezone.now() - timedelta(days=age))
    assert delete_old_logins()["logins"] == 1
    assert [row.username for row in model.objects.all()] == ["young"]


def test_an_attempt_that_still_locks_somebody_out_is_kept(settings: Settings) -> None:
    settings.ARCADIA_LOGIN_HISTORY_DAYS = 1
    settings.AXES_COOLOFF_TIME = timedelta(days=7)
    row = AccessAttempt.objects.create(username="x", user_agent="x", path_info="/", failures_since_start=5)
    AccessAttempt.objects.filter(pk=row.pk).update(attempt_time=timezone.now() - timedelta(days=6))
    assert delete_old_logins()["logins"] == 0


def test_the_log_of_what_operators_changed_is_kept_for_good() -> None:
    user = User.objects.create(username="jo")
    entry = LogEntry.objects.create(user=user, action_flag=2, object_repr="x", change_message="x")
    LogEntry.objects.filter(pk=entry.pk).update(action_time=timezone.now() - timedelta(days=4000))
    delete_old_logins()
    assert LogEntry.objects.filter(pk=entry.pk).exists()


def test_rows_are_deleted_in_batches(monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)
    for _ in range(5):
        session(expires_in_days=-1)
    with django_assert_num_queries(7):  # three batches, each read and deleted, and a look for more
        assert retention.delete_expired_sessions(at=timezone.now()) == 5


def test_it_is_scheduled() -> None:
    seed_schedule()
    entry = PeriodicTask.objects.get(task="kernel.delete_old_logins")
    assert entry.enabled
    assert (entry.crontab.hour, entry.crontab.minute, entry.queue) == ("3", "40", "cloud_sync_slow")
