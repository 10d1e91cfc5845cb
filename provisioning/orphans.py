"""Strays: what a saga must have made, by its mark, and no saga knows of.

None should ever be there. An API without idempotency keys can't promise that, so somebody looks.
"""

from typing import Final

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.models import Alert
from provisioning.statements import all_rows, statement

STRAY: Final = "stray_resource"
_MOST: Final = 100  # alerts at once; who has more strays has one problem, not a hundred more
_STRAYS: Final = statement("orphans.sql")


def report_strays() -> int:
    """Alert of each stray in the inventory, take back the alerts of those that are settled; return how many.

    Nothing is removed: a stray may be in use.
    """
    found: dict[str, str] = {}
    for kind, provider_id, name, mark, saga_id, status in all_rows(_STRAYS, {"most": _MOST}):
        maker = (
            f"saga {saga_id}, which is {status.replace('_', ' ')}," if saga_id else "which is no saga here,"
        )
        found[f"{kind}:{provider_id}"] = (
            f"{kind} {name or provider_id} has the tag {mark}: {maker} knows nothing of it. "
            "Destroy it, or take the tag away."
        )
    for alert in Alert.objects.filter(code=STRAY, resolved_at=None):
        if alert.subject not in found:
            resolve_alert(code=STRAY, subject=alert.subject, actor="the sweep for strays")
    for subject, message in found.items():
        raise_alert(code=STRAY, subject=subject, message=message)
    return len(found)
