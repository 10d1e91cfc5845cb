"""The number of open alerts that nobody has snoozed: the bell's in the head of each page, and the sidebar's."""

from django.http import HttpRequest
from django.utils import timezone

from arcadia_cloud.kernel.alerts import awake_alerts
from arcadia_cloud.kernel.console.paging import MOST_COUNTED

_REMEMBERED = "arcadia_awake_alerts"


def count_awake_alerts(request: HttpRequest) -> int:
    """Count them as far as a badge needs; 0 for those who may not see alerts. One query for each request."""
    counted: int | None = getattr(request, _REMEMBERED, None)
    if counted is None:
        may = request.user.has_perm("kernel.view_alert")
        counted = awake_alerts(at=timezone.now())[: MOST_COUNTED + 1].count() if may else 0
        # On the request: the sidebar and the head of one page ask for the same number.
        setattr(request, _REMEMBERED, counted)
    return counted
