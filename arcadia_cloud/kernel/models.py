"""The kernel's tables: infrastructure, no domain."""

from django.db import models
from django.db.models import Q


class Lease(models.Model):
    """The right of one process to do a piece of work that only one may do at a time.

    All instants are the database's clock. A lease whose `expires_at` has passed is free; `token`
    changes with each holder and fences a holder that lost it.
    """

    name = models.TextField(primary_key=True)
    token = models.UUIDField()
    holder = models.TextField()
    acquired_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "leases"

    def __str__(self) -> str:
        return f"{self.name} held by {self.holder}"


class Alert(models.Model):
    """A condition that needs an operator. One open row per (code, subject); raising it again counts up."""

    class Severity(models.TextChoices):
        WARNING = "warning"
        CRITICAL = "critical"

    code = models.SlugField(max_length=80)
    subject = models.TextField()
    severity = models.CharField(max_length=10, choices=Severity)
    message = models.TextField()
    details = models.JSONField(default=dict)
    times_raised = models.PositiveIntegerField(default=1)
    raised_at = models.DateTimeField()
    last_raised_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.TextField(blank=True)
    owner = models.TextField(blank=True, db_default="", default="")
    note = models.TextField(blank=True, db_default="", default="")
    snoozed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "alerts"
        constraints = [
            models.UniqueConstraint(
                fields=["code", "subject"], condition=Q(resolved_at__isnull=True), name="alert_open_once"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=["warning", "critical"]), name="alert_severity_known"
            ),
        ]
        indexes = [
            models.Index(fields=["-last_raised_at"], name="alert_newest"),
            models.Index(
                fields=["severity", "raised_at", "id"],
                condition=Q(resolved_at__isnull=True),
                name="alert_open_gravest",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.subject}"


class AlertDelivery(models.Model):
    """A message about an alert, on its way to one receiver; one per alert, channel and severity.

    A row without `sent_at` and `given_up_at` is due at `next_attempt_at`.
    """

    class Channel(models.TextChoices):
        EMAIL = "email", "e-mail"
        WEBHOOK = "webhook"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=10, choices=Channel)
    severity = models.CharField(max_length=10, choices=Alert.Severity)
    created_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    error = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "alert_deliveries"
        constraints = [
            models.UniqueConstraint(fields=["alert", "channel", "severity"], name="alert_delivered_once"),
            models.CheckConstraint(
                condition=Q(channel__in=["email", "webhook"]), name="alert_delivery_channel"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=["warning", "critical"]), name="alert_delivery_severity"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(sent_at__isnull=True, given_up_at__isnull=True),
                name="alert_delivery_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} by {self.get_channel_display()}"


class ProcessHeartbeat(models.Model):
    """A worker or a beat that runs, by its node's name; it writes the row every few seconds."""

    name = models.TextField(primary_key=True)
    queues = models.JSONField(default=list)  # the queues that a worker takes tasks from; none of a beat
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "process_heartbeats"

    def __str__(self) -> str:
        return self.name


class IdempotencyKey(models.Model):
    """The first answer to a POST, kept in the transaction of its effect and given again to a repeat.

    `scope` is tenant, subject and route; `fingerprint` is the SHA-256 of the request's body. `body` is the
    answer's text as sent (jsonb would reorder it). `status` is null only inside the first transaction.
    """

    scope = models.TextField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "idempotency_keys"
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"


class JobRun(models.Model):
    """A run of a scheduled task, by its message's id: asked for, taken by a worker, ended.

    `job` is the name in the schedule, which two tasks of one function don't share. A repeated delivery of the
    message is the same run. Of each job only the newest are kept. Neither the arguments nor the returned
    value as such: `message` is the outcome in words.
    """

    class Outcome(models.TextChoices):
        """The outcomes of a run; empty until it ends. One that another run's lease keeps out is skipped."""

        OK = "ok"
        FAILED = "failed"
        SKIPPED = "skipped"
        EXPIRED = "expired"

    task_id = models.TextField(primary_key=True)
    job = models.TextField()
    requested_by = models.TextField()
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    worker = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    message = models.TextField(blank=True)

    class Meta:
        db_table = "job_runs"
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=["", "ok", "failed", "skipped", "expired"]), name="job_run_outcome"
            ),
            models.CheckConstraint(
                condition=Q(outcome="", ended_at__isnull=True) | (~Q(outcome="") & Q(ended_at__isnull=False)),
                name="job_run_ended",
            ),
        ]
        indexes = [models.Index(fields=["job", "-asked_at"], name="job_run_newest")]

    def __str__(self) -> str:
        return f"{self.job}, {self.asked_at:%Y-%m-%d %H:%M:%S} UTC"


class SeededSchedule(models.Model):
    """Which version of a scheduled task was seeded, so that an operator's change outlives a redeploy.

    `timing` is the time that was written; a task that has another was moved by an operator.
    """

    name = models.CharField(max_length=200, unique=True)
    version = models.PositiveIntegerField()
    timing = models.TextField(blank=True, db_default="", default="")
    seeded_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "seeded_schedules"

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"
