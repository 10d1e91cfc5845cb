"""The kernel's own scheduled tasks."""

from celery import shared_task
from django.utils import timezone

from arcadia_cloud.kernel import alert_delivery, processes, retention
from arcadia_cloud.kernel.queue import job_runs


@shared_task(name="kernel.forget_expired_keys")
def forget_expired_keys() -> dict[str, int]:
    """Delete, daily, the responses to repeated requests that are older than 24 hours."""
    return {"forgotten": retention.delete_expired_responses(at=timezone.now())}


@shared_task(name="kernel.delete_old_logins")
def delete_old_logins() -> dict[str, int]:
    """Delete, daily, expired sessions, and logins and failed attempts older than their retention."""
    at = timezone.now()
    return {
        "sessions": retention.delete_expired_sessions(at=at),
        "logins": retention.delete_old_logins(at=at),
    }


@shared_task(name="kernel.delete_old_job_runs")
def delete_old_job_runs() -> dict[str, int]:
    """Delete, daily, the records of runs older than 90 days."""
    return {"deleted": job_runs.delete_old_job_runs(at=timezone.now())}


@shared_task(name=alert_delivery.DELIVER_TASK)
def deliver_alerts() -> dict[str, int]:
    """Send, every minute and when an alert is raised, the messages about alerts that are due."""
    return alert_delivery.deliver_due_alerts(at=timezone.now())


@shared_task(name="kernel.check_workers")
def check_workers() -> dict[str, list[str]]:
    """Raise an alert, every minute, for each queue without a worker; resolve those that have one again."""
    return {"without_worker": processes.raise_alerts_of_queues(at=timezone.now())}
