"""What the kernel itself runs on a schedule."""

from celery import shared_task
from django.utils import timezone

from arcadia_cloud.kernel import idempotency


@shared_task(name="kernel.forget_expired_keys")
def forget_expired_keys() -> dict[str, int]:
    """Daily: answers to repeated requests are kept for 24 hours."""
    return {"forgotten": idempotency.forget_expired(at=timezone.now())}
