"""Orphans: resources that carry a saga's tag and that no saga accounts for.

None should ever be there. An API without idempotency keys can't promise that, so a sweep looks for them.
"""

from dataclasses import dataclass
from typing import Final

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.sql import fetch_all, load

ORPHAN: Final = "stray_resource"
_MOST: Final = 100  # alerts at once; an account with more orphans has one problem, not a hundred more
_LIST_ORPHANS: Final = load(__package__, "list_orphans.sql")


@dataclass(frozen=True, slots=True)
class _Orphan:
    kind: str
    provider_id: str
    name: str
    tag: str
    saga_id: int | None
    status: str | None

    @property
    def message(self) -> str:
        what = f"{self.kind} {self.name or self.provider_id} has the tag {self.tag}"
        if self.saga_id is None or self.status is None:
            # Never advise to remove it: it may be another installation's, and in use.
            return (
                f"{what}, which is of no saga in this database. Another installation on this account, or a "
                "database from before a restore, may have made it: find out whose it is. If it is ours and "
                "in use, take the tag away."
            )
        return (
            f"{what}: saga {self.saga_id}, which is {self.status.replace('_', ' ')}, doesn't account for it. "
            "Look whether it is in use: if so, take the tag away; if not, remove it."
        )


def report_orphans() -> int:
    """Raise an alert for each orphan in the inventory, resolve the others'; return how many there are.

    Nothing is removed: an orphan may be in use.
    """
    orphans = fetch_all(_LIST_ORPHANS, {"most": _MOST}, into=_Orphan)
    messages = {f"{orphan.kind}:{orphan.provider_id}": orphan.message for orphan in orphans}
    # Resolved by what the inventory has now: an orphan may have been destroyed by hand, or untagged.
    for alert in Alert.objects.filter(code=ORPHAN, resolved_at=None):
        if alert.subject not in messages:
            resolve_alert(code=ORPHAN, subject=alert.subject, actor="the sweep for orphans")
    for subject, message in messages.items():
        raise_alert(code=ORPHAN, subject=subject, message=message)
    return len(messages)
