"""The age of the inventory, for the readiness endpoint."""

from django.utils import timezone
from django.utils.timesince import timesince

from arcadia_cloud.kernel.readiness import CheckResult
from inventory.queries import sync_ages


def sync_age() -> CheckResult:
    """Check the age and the outcome of each kind's syncs, the stale first. A stale inventory isn't vital."""
    at = timezone.now()
    ages = sorted(sync_ages(at=at), key=lambda age: (not age.is_stale, not age.has_failed))
    lines = []
    for age in ages:
        since = "never" if age.completed_at is None else f"{timesince(age.completed_at, at)} ago"
        reason = f" ({age.reason})" if (age.is_stale or age.has_failed) and age.reason else ""
        old = ", too old" if age.is_stale and age.completed_at else ""
        failed = ", failed since" if age.has_failed and age.completed_at else ""
        lines.append(f"{age.kind}: {since}{old}{failed}{reason}")
    return CheckResult(
        ok=not any(age.is_stale or age.has_failed for age in ages),
        message="; ".join(lines).replace("\xa0", " "),
        vital=False,
    )
