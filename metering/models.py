"""The tables of metering. Usage of resources is derived from their spans, and replaced by its natural key."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from arcadia_cloud.kernel.scoping import TenantQuerySet
from catalog.columns import quantity_field
from catalog.values.kinds import BillingKind
from deployments.models import Deployment
from inventory.models import Resource
from metering.values import DEFAULT_RETENTION_DAYS, Granularity


class UsageQuerySet(TenantQuerySet["UsageRecord"]):
    """Usage, narrowed to that of the tenant's deployments."""

    tenant_field = "deployment__tenant_id"


class UsageRecord(models.Model):
    """The usage of one deployment in a period: of one resource, or without one, of what intake received.

    `resource_kind` is the billing kind. The period is half-open, UTC: a day or an hour. `sub_attribution` and
    `sub_account` split a deployment's usage by its own customers; no part of it does yet. Metering owns the
    rows of resources' kinds, and makes each period's exactly what the spans say.
    """

    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="usage", db_index=False)
    resource = models.ForeignKey(
        Resource, models.PROTECT, null=True, blank=True, related_name="usage", db_index=False
    )
    resource_kind = models.CharField(max_length=40, choices=BillingKind)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    granularity = models.CharField(max_length=8, choices=Granularity)
    qty = quantity_field()
    sub_attribution = models.JSONField(null=True, blank=True)
    sub_account = models.TextField(default="", db_default="", blank=True)

    objects = UsageQuerySet.as_manager()

    class Meta:
        db_table = "usage_records"
        constraints = [
            # In this order, and with the quantity, the key is also the index that sums are read
            # from: a second one would cost every day's metering as much again.
            models.UniqueConstraint(
                fields=[
                    "deployment",
                    "period_start",
                    "resource_kind",
                    "resource",
                    "granularity",
                    "sub_account",
                ],
                include=["qty"],
                nulls_distinct=False,
                name="usage_once",
            ),
            models.CheckConstraint(
                condition=Q(resource_kind__in=BillingKind.values), name="usage_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(granularity__in=Granularity.values), name="usage_granularity_known"
            ),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")), name="usage_period_forward"
            ),
            models.CheckConstraint(condition=Q(qty__gte=0), name="usage_not_negative"),
        ]
        # A day's rows lie together, so that a few kilobytes find them: metering, the fleet's sums, pruning.
        # Several ranges a block range: a row of an old day that comes late must not widen it to everything.
        indexes = [
            BrinIndex(
                fields=["period_start"],
                opclasses=["timestamptz_minmax_multi_ops"],
                pages_per_range=32,
                autosummarize=True,
                name="usage_by_period",
            )
        ]

    def __str__(self) -> str:
        return f"{self.qty} {self.resource_kind} from {self.period_start:%Y-%m-%d %H:%M}"


class MeteringConfig(models.Model):
    """The terms of metering for one billing kind, from a day's start until the next row's.

    A kind, or a day, without one is metered daily. The retention in force today decides what is pruned today.
    """

    resource_kind = models.CharField(max_length=40, choices=BillingKind)
    granularity = models.CharField(max_length=8, choices=Granularity, default=Granularity.DAILY)
    retention_days = models.PositiveIntegerField(default=DEFAULT_RETENTION_DAYS)
    effective_from = models.DateField()
    set_by = models.TextField()
    set_at = models.DateTimeField()

    class Meta:
        db_table = "metering_config"
        ordering = ["resource_kind", "effective_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["resource_kind", "effective_from"], name="metering_config_once_a_day"
            ),
            models.CheckConstraint(
                condition=Q(resource_kind__in=BillingKind.values), name="metering_config_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(granularity__in=Granularity.values), name="metering_config_granularity_known"
            ),
            models.CheckConstraint(
                condition=Q(retention_days__gt=0), name="metering_config_retention_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resource_kind} {self.granularity} from {self.effective_from}"


class MeteredPeriod(models.Model):
    """A day or an hour whose usage of resources is recorded. Its row is the lock of those records.

    `metered_at` is when that was done last. A day's row stands for every kind on that day; an hour's for the
    kinds that are metered hourly.
    """

    granularity = models.CharField(max_length=8, choices=Granularity)
    period_start = models.DateTimeField()
    metered_at = models.DateTimeField()

    class Meta:
        db_table = "metered_periods"
        constraints = [
            models.UniqueConstraint(fields=["granularity", "period_start"], name="metered_period_once"),
            models.CheckConstraint(
                condition=Q(granularity__in=Granularity.values), name="metered_period_granularity_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.granularity} {self.period_start:%Y-%m-%d %H:%M}"


class SpanChange(models.Model):
    """A stretch of the past in which what metering counts of a resource changed.

    Written by a trigger of `resource_spans`, in the transaction of the change; deleted once the periods that
    it touches are metered again. `until` is null where it lasts.
    """

    resource_id = models.BigIntegerField()  # no key: it would cost every sync a look-up for each
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "span_changes"

    def __str__(self) -> str:
        return f"{self.resource_id} since {self.since}"
