"""The table of cost anomalies. Rows are opened and closed by `costs.anomalies`, never from here."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q

from billing.states import AnomalyStatus
from billing.values import DECIMAL_PLACES, MAX_DIGITS, AnomalyDirection, AnomalyEnd, CostSource


def _amount_field() -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=MAX_DIGITS, decimal_places=DECIMAL_PLACES)


class CostAnomaly(models.Model):
    """A cost that left what was expected of it: of one kind, for a deployment, a tenant or the unattributed.

    `began_on` is the first day of it, `last_day` the last that was judged, both included. `amount` is the
    cost of `last_day` by `source`, `expected` the median of the same weekday in the four weeks before, in US
    dollars. `cause` is the sentence for people, `parts` what it is made of: they sum to `amount` - `expected`
    exactly. `revenue_percent` is what the same days did to the deployment's quote, null without one.
    """

    tenant_id = models.TextField("tenant", null=True, blank=True)  # noqa: DJ001 - null is unattributed
    deployment = models.ForeignKey(
        "deployments.Deployment", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=40)
    direction = models.CharField(max_length=4, choices=AnomalyDirection)
    status = models.CharField(max_length=10, choices=AnomalyStatus, default=AnomalyStatus.OPEN)
    source = models.CharField(max_length=10, choices=CostSource)
    began_on = models.DateField()
    last_day = models.DateField()
    amount = _amount_field()
    expected = _amount_field()
    cause = models.TextField()
    parts = models.JSONField(default=list)
    revenue_percent = models.IntegerField(null=True, blank=True)
    detected_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=16, choices=AnomalyEnd, blank=True, default=AnomalyEnd.OPEN)
    dismissed_by = models.TextField(blank=True, default="")
    dismissed_reason = models.TextField(blank=True, default="")

    class Meta:
        db_table = "cost_anomalies"
        verbose_name = "cost anomaly"
        verbose_name_plural = "cost anomalies"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "deployment", "kind", "direction"],
                condition=Q(status=AnomalyStatus.OPEN),
                name="cost_anomaly_open_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(status__in=AnomalyStatus.values), name="cost_anomaly_status_known"
            ),
            models.CheckConstraint(
                condition=Q(direction__in=AnomalyDirection.values), name="cost_anomaly_direction_known"
            ),
            models.CheckConstraint(
                condition=Q(end_reason__in=AnomalyEnd.values), name="cost_anomaly_end_known"
            ),
            models.CheckConstraint(
                condition=Q(status=AnomalyStatus.OPEN, ended_at=None, end_reason="")
                | (Q(status=AnomalyStatus.CLOSED, ended_at__isnull=False) & ~Q(end_reason=""))
                | (Q(status=AnomalyStatus.DISMISSED, ended_at__isnull=False) & ~Q(dismissed_reason="")),
                name="cost_anomaly_ended_unless_open",
            ),
            models.CheckConstraint(condition=Q(last_day__gte=F("began_on")), name="cost_anomaly_forward"),
        ]
        indexes = [
            models.Index(fields=["status", "-id"], name="cost_anomaly_by_status"),
            models.Index(fields=["deployment", "kind", "-id"], name="cost_anomaly_of_deployment"),
            models.Index(fields=["tenant_id", "-id"], name="cost_anomaly_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"cost anomaly {self.pk}"

    @property
    def subject(self) -> str:
        """The name of what its cost is of: `acme/shop`, a tenant, or `unattributed`."""
        return str(self.deployment) if self.deployment else self.tenant_id or "unattributed"

    @property
    def difference(self) -> Decimal:
        """The cost of its last day beyond what was expected; negative where it fell."""
        difference: Decimal = self.amount - self.expected
        return difference

    @property
    def alert_subject(self) -> str:
        """The name of its alert's subject."""
        return f"cost_anomaly:{self.pk}"
