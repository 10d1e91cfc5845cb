"""The alert for new drift: raised by the sweep that opened some, resolved when none is open any more."""

from typing import Final

from django.db.models import Count

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from drift.models import Drift

NEW_DRIFT: Final = "new_drift"
SUBJECT: Final = "drift:open"
_NAMED: Final = 5


def update_alert(*, opened: int, actor: str) -> None:
    """Raise the alert where the sweep opened rows, resolve it where none is open. Two queries at most."""
    # What is new raises it: who has seen the open rows isn't called again each hour.
    if not opened:
        if not Drift.objects.open().exists():
            resolve_alert(code=NEW_DRIFT, subject=SUBJECT, actor=actor)
        return
    fields = (
        Drift.objects.open()
        .values("kind", "field")
        .annotate(count=Count("pk"))
        .order_by("-count", "kind", "field")
    )
    counts = [(f"{row['kind']} {row['field']}", row["count"]) for row in fields]
    named = ", ".join(f"{count} {name}" for name, count in counts[:_NAMED])
    more = f", and {len(counts) - _NAMED} fields more" if len(counts) > _NAMED else ""
    raise_alert(
        code=NEW_DRIFT,
        subject=SUBJECT,
        message=f"{opened} new difference{'' if opened == 1 else 's'} from the desired state; "
        f"open by now: {named}{more}",
        details={"opened": opened, "open": dict(counts)},
    )
