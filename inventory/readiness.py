"""How old the inventory is, for the readiness endpoint."""

from django.utils import timezone
from django.utils.timesince import timesince

from arcadia_cloud.kernel.readiness import CheckResult
from inventory.queries import SyncAge, sync_ages


def sync_age() -> CheckResult:
    """The age of each kind's last complete sync, what is wrong first. An old inventory is one: not vital."""
    ages = sorted(sync_ages(at=timezone.now()), key=lambda age: not age.is_stale)
    return CheckResult(
        ok=not any(age.is_stale for age in ages),
        message="; ".join(f"{age.kind}: {_in_words(age)}" for age in ages),
        vital=False,
    )


def _in_words(age: SyncAge) -> str:
    if age.completed_at is None:
        return "never"
    return f"{timesince(age.completed_at)} ago{', too old' if age.is_stale else ''}".replace("\xa0", " ")
