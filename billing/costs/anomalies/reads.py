"""The reads of cost anomalies: those that are open, and the days around one."""

from datetime import date
from decimal import Decimal

from django.db.models import QuerySet, Sum

from arcadia_cloud.kernel.periods import Period
from billing.costs.anomalies.detect import complete_days, judged_source
from billing.models import CostAnomaly, DailyCost
from billing.states import AnomalyStatus
from billing.values import CostPart


def open_anomalies() -> QuerySet[CostAnomaly]:
    """Return the open ones, with their deployments, oldest first."""
    return CostAnomaly.objects.filter(status=AnomalyStatus.OPEN).select_related("deployment").order_by("pk")


def days_of_anomaly(anomaly: CostAnomaly, days: Period) -> list[tuple[date, Decimal | None]]:
    """Return what the anomaly's owner and kind cost on each day, by the source that judges it."""
    rows = DailyCost.objects.filter(
        day__gte=days.start,
        day__lt=days.end,
        tenant_id=anomaly.tenant_id,
        deployment=anomaly.deployment_id,
        kind=anomaly.kind,
    ).exclude(part=CostPart.TAX)
    sums = rows.values("source", "day").annotate(total=Sum("amount"))
    series: dict[str, dict[date, Decimal]] = {}
    for row in sums:
        series.setdefault(row["source"], {})[row["day"]] = row["total"]
    complete = complete_days(days)
    found: list[tuple[date, Decimal | None]] = []
    for day in days:
        source = judged_source(day, complete, series)
        found.append((day, None if source is None else series.get(source, {}).get(day, Decimal(0))))
    return found
