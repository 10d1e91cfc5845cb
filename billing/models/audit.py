"""The tables of the money audit: what its rules found, and the runs that looked."""

from django.db import models
from django.db.models import F, Q


class AuditFinding(models.Model):
    """A place in the book where a rule of the audit doesn't hold, open from the run that found it first.

    `rule` is the rule's code, `subject` names the place, as `resource:12` or `month:2026-04`; `link` is the
    subject whose page shows it, empty where there is none. `expected` and `actual` are in words, as of
    `last_seen_at`. `closed_at` is of the run that didn't find it any more; found again it is a new row.
    """

    rule = models.CharField(max_length=60)
    subject = models.TextField()
    link = models.TextField(blank=True)
    expected = models.TextField()
    actual = models.TextField()
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "audit_findings"
        verbose_name = "money audit finding"
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject"], condition=Q(closed_at=None), name="audit_finding_open_once"
            ),
            models.CheckConstraint(condition=~Q(rule="") & ~Q(subject=""), name="audit_finding_named"),
            models.CheckConstraint(
                condition=Q(last_seen_at__gte=F("first_seen_at"))
                & (Q(closed_at=None) | Q(closed_at__gte=F("last_seen_at"))),
                name="audit_finding_forward",
            ),
        ]
        indexes = [
            models.Index(fields=["-id"], condition=Q(closed_at=None), name="audit_finding_open"),
            models.Index(fields=["rule", "-id"], name="audit_finding_of_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.subject}"


class AuditRun(models.Model):
    """One completed run of the audit, with the numbers of findings that are open since, and of changes.

    A run that fails leaves none, and changes no finding.
    """

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    requested_by = models.TextField()
    red = models.PositiveIntegerField()
    yellow = models.PositiveIntegerField()
    opened = models.PositiveIntegerField()
    closed = models.PositiveIntegerField()

    class Meta:
        db_table = "audit_runs"
        indexes = [models.Index(fields=["-started_at"], name="audit_run_newest")]

    def __str__(self) -> str:
        return f"audit of {self.started_at:%Y-%m-%d %H:%M}"
