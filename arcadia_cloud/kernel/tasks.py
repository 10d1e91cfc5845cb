"""The kernel's own scheduled tasks."""

from celery import shared_task
from django.utils import timezone

from arcadia_cloud.kernel import retention


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
