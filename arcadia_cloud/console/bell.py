"""The number of open alerts that aren't snoozed: for the bell in each page's head, and the sidebar."""

from typing import Final

from django.http import HttpRequest
from django.utils import timezone

from arcadia_cloud.kernel.alerts import awake_alerts

MOST_COUNTED: Final = 999
_REMEMBERED: Final = "arcadia_awake_alerts"


def count_awake_alerts(request: HttpRequest) -> int:
    """Count them as far as a badge needs; 0 for those who may not see alerts. One query for each request."""
    counted: int | None = getattr(request, _REMEMBERED, None)
    if counted is None:
        may = request.user.has_perm("kernel.view_alert")
        counted = awake_alerts(at=timezone.now())[: MOST_COUNTED + 1].count() if may else 0
        # On the request: the sidebar and the head of one page ask for the same number.
        setattr(request, _REMEMBERED, counted)
    return counted
