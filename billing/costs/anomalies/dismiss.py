"""The dismissal of an anomaly: an operator's word that the cost is right at this level."""

from datetime import datetime
from typing import Final

from django.db import transaction

from arcadia_cloud.kernel.alerts import resolve_alert
from arcadia_cloud.kernel.errors import InvalidInput, NotFound
from arcadia_cloud.kernel.states import advance
from billing.costs.anomalies.detect import ANOMALY_ALERT
from billing.models import CostAnomaly
from billing.states import ANOMALY_LIFECYCLE, AnomalyStatus

LONGEST_REASON: Final = 500


def dismiss_anomaly(*, anomaly_pk: int, reason: str, actor: str, at: datetime) -> CostAnomaly:
    """Dismiss an open anomaly for a reason; its level is none any more, another one is.

    Raises NotFound, InvalidInput without a reason, and IllegalTransition where it isn't open.
    """
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        hint = f"Must have from 1 to {LONGEST_REASON} characters."
        raise InvalidInput("a dismissal needs a reason", errors={"reason": [hint]})
    with transaction.atomic():
        # Locked first: a run that is at this subject is waited for, and may have closed it.
        row = CostAnomaly.objects.select_for_update(of=("self",)).filter(pk=anomaly_pk).first()
        if row is None:
            raise NotFound(f"there is no cost anomaly {anomaly_pk}")
        advance(
            row,
            AnomalyStatus.DISMISSED,
            ANOMALY_LIFECYCLE,
            ended_at=at,
            dismissed_by=actor,
            dismissed_reason=reason,
        )
        resolve_alert(code=ANOMALY_ALERT, subject=row.alert_subject, actor=actor)
    return row
