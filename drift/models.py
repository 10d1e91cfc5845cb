"""The tables of drift. Rows are opened and closed by `detection`, settled by `services`, never from here."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from arcadia_cloud.kernel.scoping import TenantQuerySet
from drift.states import PRESENT, DriftStatus
from inventory.values import Kind


class DriftIgnoreRule(models.Model):
    """A rule by which differences stay out of the inbox, for good or until `expires_at`.

    It covers `field` of `kind`, or all fields where that is ""; of one resource, of those with a tag (in any
    capitals), or of all. A rule that is ended early expires then: its row stays, with who ended it.
    """

    kind = models.CharField(max_length=40, choices=Kind)
    field = models.TextField(blank=True, default="", db_default="")
    resource = models.ForeignKey(
        "inventory.Resource", models.PROTECT, null=True, blank=True, related_name="drift_ignore_rules"
    )
    tag = models.TextField(blank=True, default="", db_default="")
    reason = models.TextField()
    expires_at = models.DateTimeField(null=True, blank=True)
    created_by = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    ended_by = models.TextField(blank=True, default="", db_default="")

    class Meta:
        db_table = "drift_ignore_rules"
        verbose_name = "ignore rule"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="ignore_rule_kind_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="ignore_rule_reasoned"),
            models.CheckConstraint(
                condition=Q(resource__isnull=True) | Q(tag=""), name="ignore_rule_resource_or_tag"
            ),
        ]
        indexes = [models.Index(fields=["kind", "field"], name="ignore_rule_of_field")]

    def __str__(self) -> str:
        return f"{self.kind} {self.field or 'every field'}"


class DriftQuerySet(TenantQuerySet["Drift"]):
    """Rows of cloud_drift."""

    tenant_field: ClassVar[str] = "resource__tenant_id"

    def open(self) -> Self:
        """Keep those that await an operator."""
        return self.filter(status=DriftStatus.OPEN)


class Drift(models.Model):
    """One field of a resource that differs, or differed, from its desired state.

    `kind` is the resource's. `expected` is the desired value, `actual` the live one, as JSON; null is JSON's
    null. `cause` is the same for every row of the same kind, field and, by the comparison, equal values:
    what the inbox groups by, and what an operator who acts on a row has seen of it. `resolved_at` is null
    while it is open; of an ignored row it is when it came under its rule. `ignore_rule` is the rule that
    covers an ignored one, `revert_saga` the last saga that was to put the field back.
    """

    resource = models.ForeignKey("inventory.Resource", models.PROTECT, related_name="drift", db_index=False)
    kind = models.CharField(max_length=40, choices=Kind)
    field = models.TextField()
    expected = models.JSONField()
    actual = models.JSONField()
    cause = models.CharField(max_length=32)
    status = models.CharField(max_length=10, choices=DriftStatus, default=DriftStatus.OPEN)
    detected_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.TextField(blank=True, default="", db_default="")
    note = models.TextField(blank=True, default="", db_default="")
    ignore_rule = models.ForeignKey(
        DriftIgnoreRule, models.PROTECT, null=True, blank=True, related_name="drift", db_index=False
    )
    revert_saga = models.ForeignKey(
        "provisioning.SagaRun", models.PROTECT, null=True, blank=True, related_name="drift", db_index=False
    )

    objects = DriftQuerySet.as_manager()

    class Meta:
        db_table = "cloud_drift"
        verbose_name = "drift"
        verbose_name_plural = "drift"
        constraints = [
            models.UniqueConstraint(
                fields=["resource", "field"], condition=Q(status__in=PRESENT), name="drift_open_once"
            ),
            models.CheckConstraint(condition=Q(status__in=DriftStatus.values), name="drift_status_known"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="drift_kind_known"),
            models.CheckConstraint(
                condition=Q(status=DriftStatus.OPEN, resolved_at__isnull=True)
                | (~Q(status=DriftStatus.OPEN) & Q(resolved_at__isnull=False)),
                name="drift_resolved_unless_open",
            ),
            models.CheckConstraint(
                condition=~Q(status=DriftStatus.IGNORED) | Q(ignore_rule__isnull=False),
                name="drift_ignored_by_rule",
            ),
        ]
        # The inbox reads the open rows alone, by cause or by age, and pages along these; history grows apart.
        indexes = [
            models.Index(
                fields=["cause", "detected_at", "id"],
                condition=Q(status=DriftStatus.OPEN),
                name="drift_open_by_cause",
            ),
            models.Index(
                fields=["detected_at", "id"], condition=Q(status=DriftStatus.OPEN), name="drift_open_by_age"
            ),
            models.Index(
                fields=["kind", "field", "id"],
                condition=Q(status=DriftStatus.OPEN),
                name="drift_open_by_field",
            ),
            # Apart from the other states: by the key, the planner would walk back through all that was
            # settled since the oldest open row.
            models.Index(fields=["-id"], condition=Q(status=DriftStatus.OPEN), name="drift_open_newest"),
            models.Index(fields=["status", "-id"], name="drift_by_status"),
            models.Index(fields=["resource", "-id"], name="drift_of_resource"),
            models.Index(
                fields=["ignore_rule"], condition=Q(ignore_rule__isnull=False), name="drift_of_ignore_rule"
            ),
            models.Index(
                fields=["revert_saga"], condition=Q(revert_saga__isnull=False), name="drift_of_revert_saga"
            ),
        ]

    def __str__(self) -> str:
        return f"drift {self.pk}: {self.field}"
