"""The tables of metering. Usage of resources is derived from their spans, and replaced by its natural key.

What inventory doesn't know is received as events, which are never changed, or measured by the provider.
"""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from arcadia_cloud.kernel.scoping import TenantQuerySet
from catalog.columns import quantity_field
from catalog.values.kinds import BillingKind
from deployments.models import Deployment
from inventory.models import Resource
from metering.values import DEFAULT_RETENTION_DAYS, BandwidthOrigin, Granularity


class UsageQuerySet(TenantQuerySet["UsageRecord"]):
    """Usage, narrowed to that of the tenant's deployments."""

    tenant_field = "deployment__tenant_id"


class UsageRecord(models.Model):
    """The usage of one deployment in a period: of one resource, or without one, of what intake received.

    `resource_kind` is the billing kind. The period is half-open, UTC: a day or an hour. `sub_attribution` and
    `sub_account` split a deployment's usage by its own customers; no part of it does yet. Metering owns the
    rows of resources' kinds, and makes each period's exactly what follows from the spans.
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


class QuoteFingerprint(models.Model):
    """The quote of a deployment's month as it was once the month was over, by the hashes of its bytes.

    `inputs_digest` and `quote_digest` are SHA-256 of the canonical bytes (`catalog/canonical.py`): a quote
    that differs for equal inputs was changed by the code, any other by the book. `total` is the quote's.
    """

    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="+", db_index=False)
    month = models.DateField()
    inputs_digest = models.CharField(max_length=64)
    quote_digest = models.CharField(max_length=64)
    total = models.DecimalField(max_digits=24, decimal_places=2)
    currency = models.CharField(max_length=3)
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "quote_fingerprints"
        constraints = [
            models.UniqueConstraint(fields=["month", "deployment"], name="quote_fingerprint_once"),
            models.CheckConstraint(condition=Q(month__day=1), name="quote_fingerprint_of_a_month"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} of {self.deployment_id}"


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


class UsageSource(models.Model):
    """A sender of usage events, by the name that it gives itself; `tenant_id` is null for one of no tenant.

    Its row is the lock of its batches: of one that comes twice at once, the second finds the first stored.
    """

    tenant_id = models.TextField("tenant", null=True, blank=True)  # noqa: DJ001 - null is of no tenant, "" is refused
    name = models.CharField(max_length=200)
    last_used_at = models.DateTimeField()

    class Meta:
        db_table = "usage_sources"
        constraints = [
            # Within its tenant: two tenants' senders may have one name, and must not share its events.
            models.UniqueConstraint(
                fields=["tenant_id", "name"], nulls_distinct=False, name="usage_source_once"
            ),
            models.CheckConstraint(condition=~Q(tenant_id="") & ~Q(name=""), name="usage_source_named"),
        ]

    def __str__(self) -> str:
        return self.name if self.tenant_id is None else f"{self.tenant_id}/{self.name}"


class UsageEvent(models.Model):
    """An event as it was received: append-only, kept as long as the usage that it counts in.

    `quantity` is what counts; of a reading, its difference to the meter's one before. The table is
    partitioned by `month`, the first day of that of `occurred_at`, UTC, so that old months are dropped whole.
    It has no foreign keys: dropping a month would lock the tables that they point to.
    """

    pk = models.CompositePrimaryKey("source_id", "event_id", "month")
    source = models.ForeignKey(UsageSource, models.DO_NOTHING, db_constraint=False, db_index=False)
    event_id = models.CharField(max_length=200)
    month = models.DateField()
    deployment = models.ForeignKey(
        Deployment, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    resource_kind = models.CharField(max_length=40, choices=BillingKind)
    sub_account = models.TextField(default="", blank=True)
    occurred_at = models.DateTimeField()
    quantity = quantity_field()
    reading = quantity_field(null=True, blank=True)
    sequence = models.BigIntegerField(null=True, blank=True)
    is_reset = models.BooleanField(default=False)
    received_at = models.DateTimeField()

    class Meta:
        db_table = "usage_events"

    def __str__(self) -> str:
        return f"{self.event_id}: {self.quantity} {self.resource_kind}"


class UsageMeter(models.Model):
    """The last reading that a source gave of what counts up: the next one counts by its difference."""

    source = models.ForeignKey(UsageSource, models.PROTECT, related_name="meters", db_index=False)
    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="+", db_index=False)
    resource_kind = models.CharField(max_length=40, choices=BillingKind)
    sub_account = models.TextField(default="", blank=True)
    reading = quantity_field()
    sequence = models.BigIntegerField()
    read_at = models.DateTimeField()

    class Meta:
        db_table = "usage_meters"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "deployment", "resource_kind", "sub_account"], name="usage_meter_once"
            ),
            models.CheckConstraint(condition=Q(reading__gte=0), name="usage_meter_not_negative"),
            models.CheckConstraint(
                condition=Q(resource_kind__in=BillingKind.values), name="usage_meter_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resource_kind} at {self.reading}"


class BandwidthSource(models.Model):
    """The origin of a deployment's bandwidth from a day on, until the next row's; at first the provider."""

    deployment = models.ForeignKey(
        Deployment, models.PROTECT, related_name="bandwidth_sources", db_index=False
    )
    source = models.CharField(max_length=8, choices=BandwidthOrigin)
    effective_from = models.DateField()
    set_by = models.TextField()
    set_at = models.DateTimeField()

    class Meta:
        db_table = "bandwidth_sources"
        ordering = ["deployment", "effective_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["deployment", "effective_from"], name="bandwidth_source_once_a_day"
            ),
            models.CheckConstraint(
                condition=Q(source__in=BandwidthOrigin.values), name="bandwidth_source_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} from {self.effective_from}"


class BandwidthMeasurement(models.Model):
    """The provider's answer for one droplet and day, once and for all.

    `gigabytes` are 10^9 bytes, sent to the internet. `coverage` is the part of the droplet's active time on
    that day that has samples; for the rest nothing is counted. `note` is why there is no answer.
    """

    resource = models.ForeignKey(Resource, models.PROTECT, related_name="bandwidth", db_index=False)
    day = models.DateField()
    gigabytes = quantity_field()
    coverage = models.DecimalField(max_digits=5, decimal_places=4)
    samples = models.PositiveIntegerField()
    note = models.TextField(blank=True, default="")
    measured_at = models.DateTimeField()

    class Meta:
        db_table = "bandwidth_measurements"
        constraints = [
            models.UniqueConstraint(fields=["resource", "day"], name="bandwidth_measured_once"),
            models.CheckConstraint(
                condition=Q(coverage__gte=0, coverage__lte=1, gigabytes__gte=0), name="bandwidth_in_bounds"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gigabytes} GB on {self.day}"
