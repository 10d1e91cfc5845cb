"""The tables of provisioning. Sagas are moved by the engine's statements alone, never from here."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from arcadia_cloud.kernel.scoping import TenantQuerySet
from provisioning.states import ENDED, LIVE, Direction, SagaStatus, StepStatus


class SagaQuerySet(TenantQuerySet["SagaRun"]):
    """Rows of saga_runs."""

    def live(self) -> Self:
        """Return those that have not ended."""
        return self.filter(status__in=LIVE)

    def about(self, subject: str) -> Self:
        """Return those that work or worked on it, as `droplet:4711`."""
        return self.filter(subjects__contains=[subject])

    def with_failed_compensations(self) -> Self:
        """Return those that could not compensate every step."""
        return self.filter(compensation_failures__gt=0)


class SagaRun(models.Model):
    """One saga: a list of steps that is executed to its end, or compensated.

    `step_modules` are the steps' names as resolved at the start; `inputs` never change; `context` is the
    steps' outputs. `error` is `{reason, compensate_from_idx}`, null while all is well.
    `compensation_failures` counts the steps whose compensation failed. `recoveries` counts the workers it was
    taken over from. `nonce` is in every mark of what it makes: unlike its number, no other saga can have it
    ("" in sagas older than the column). `lease_*` is the worker that holds it now: a lease that expired
    without being returned was lost with its worker. `wake_at` is when a waiting saga resumes. All instants
    are the database's clock.

    `start_at`: it waits as `pending` until then, or until an operator has it begin, and holds its subjects
    only from `begun_at` on. One that wasn't claimed by `not_after` is rolled back, nothing done.
    """

    kind = models.CharField(max_length=80)
    status = models.CharField(max_length=12, choices=SagaStatus, default=SagaStatus.PENDING)
    direction = models.CharField(max_length=8, choices=Direction, default=Direction.FORWARD)
    step_modules = ArrayField(models.TextField())
    inputs = models.JSONField()
    context = models.JSONField(default=dict)
    current_step_idx = models.PositiveIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    cancel_requested_by = models.TextField(blank=True, default="")
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    compensation_failures = models.PositiveIntegerField(default=0)
    recoveries = models.PositiveIntegerField(default=0)
    subjects = ArrayField(models.TextField(), default=list, blank=True)
    idempotency_key = models.TextField(null=True, blank=True, unique=True)
    nonce = models.TextField(blank=True, default="", db_default="")
    requested_by = models.TextField()
    tenant_id = models.TextField("tenant", null=True, blank=True)  # noqa: DJ001 - null is the operator's own
    deployment = models.ForeignKey(
        "deployments.Deployment", models.PROTECT, null=True, blank=True, related_name="sagas"
    )
    lease_token = models.UUIDField(null=True, blank=True)
    lease_holder = models.TextField(blank=True, default="")
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)
    wait_reason = models.TextField(blank=True, default="")
    nudged_at = models.DateTimeField(null=True, blank=True)
    retry_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="retries")
    created_at = models.DateTimeField(db_default=Now())
    start_at = models.DateTimeField(null=True, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    begun_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = SagaQuerySet.as_manager()

    class Meta:
        db_table = "saga_runs"
        verbose_name = "saga"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=SagaStatus.values), name="saga_status_known"),
            models.CheckConstraint(condition=Q(direction__in=Direction.values), name="saga_direction_known"),
            models.CheckConstraint(
                condition=Q(status__in=ENDED, finished_at__isnull=False, lease_token__isnull=True)
                | Q(status__in=LIVE, finished_at__isnull=True),
                name="saga_finished_when_ended",
            ),
            models.CheckConstraint(
                condition=Q(lease_token__isnull=True, lease_expires_at__isnull=True)
                | Q(lease_token__isnull=False, lease_expires_at__isnull=False),
                name="saga_lease_expires",
            ),
            models.CheckConstraint(
                condition=Q(direction=Direction.FORWARD)
                | ~Q(status__in=["completed", "running", "pending", "waiting"]),
                name="saga_turned_back_ends_back",
            ),
            models.CheckConstraint(condition=~Q(tenant_id=""), name="saga_tenant_named"),
            models.CheckConstraint(condition=~Q(idempotency_key=""), name="saga_key_not_empty"),
            models.CheckConstraint(
                condition=Q(start_at__isnull=True)
                | Q(not_after__isnull=True)
                | Q(not_after__gt=F("start_at")),
                name="saga_window_forward",
            ),
        ]
        # None on what each step writes: those updates must stay heap-only.
        indexes = [
            models.Index(
                Coalesce(F("lease_expires_at"), F("wake_at"), F("created_at")),
                condition=Q(status__in=LIVE),
                name="saga_due",
            ),
            models.Index(fields=["created_at"], condition=Q(status__in=LIVE), name="saga_live_by_age"),
            models.Index(fields=["status", "-id"], name="saga_by_status"),
            models.Index(fields=["tenant_id", "-id"], name="saga_of_tenant"),
            models.Index(fields=["kind", "-id"], name="saga_of_kind"),
            models.Index(
                fields=["-id"], condition=Q(compensation_failures__gt=0), name="saga_not_wholly_undone"
            ),
            GinIndex(fields=["subjects"], name="saga_about"),
            models.Index(
                fields=["not_after"],
                condition=Q(status=SagaStatus.PENDING, not_after__isnull=False),
                name="saga_too_late",
            ),
        ]

    def __str__(self) -> str:
        return f"saga {self.pk} ({self.kind})"

    @property
    def is_scheduled(self) -> bool:
        """Whether it waits for its start, and holds nothing yet."""
        return self.status == SagaStatus.PENDING and self.start_at is not None and self.begun_at is None


class SagaStepResult(models.Model):
    """One line of a saga's audit ledger: the result of a step.

    `output` is the step's own part of the context. `attempts` counts crashes and retryable errors,
    not waits. `started_at` is its first beginning, `began_at` when it was last entered, `last_began_at` the
    entry before the latest crash or error. `failures` counts the retryable errors so far of the function
    that is being called. `error` is `{type, message}`, with a `compensation` of the same shape where the
    compensation went wrong. The `compensation_*` columns are the compensation's.
    """

    saga = models.ForeignKey(SagaRun, models.PROTECT, related_name="steps", db_index=False)
    step_idx = models.PositiveIntegerField()
    name = models.TextField()
    status = models.CharField(max_length=20, choices=StepStatus)
    output = models.JSONField(default=dict, db_default={})
    error = models.JSONField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=1)
    failures = models.PositiveIntegerField(default=0, db_default=0)
    started_at = models.DateTimeField()
    began_at = models.DateTimeField()
    last_began_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    compensation_attempts = models.PositiveIntegerField(default=0, db_default=0)
    compensation_started_at = models.DateTimeField(null=True, blank=True)
    compensation_began_at = models.DateTimeField(null=True, blank=True)
    compensation_finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "saga_step_results"
        constraints = [
            models.UniqueConstraint(fields=["saga", "step_idx"], name="saga_step_once"),
            models.CheckConstraint(condition=Q(status__in=StepStatus.values), name="saga_step_status_known"),
        ]

    def __str__(self) -> str:
        return f"{self.step_idx} {self.name}"


class SagaSubject(models.Model):
    """A subject of a live saga, as `droplet:4711`: no other live saga may work on it.

    Goes when the saga is completed or rolled back. A dead letter keeps it: what it left half-done is
    settled first.
    """

    subject = models.TextField(primary_key=True)
    saga = models.ForeignKey(SagaRun, models.PROTECT, related_name="held_subjects")

    class Meta:
        db_table = "saga_subjects"

    def __str__(self) -> str:
        return self.subject


class Provisioned(models.Model):
    """The desired state of a resource that we made. `spec_version` counts the times it was changed."""

    resource = models.OneToOneField("inventory.Resource", models.PROTECT, related_name="provisioned")
    spec = models.JSONField()
    spec_version = models.PositiveIntegerField(default=1)
    saga = models.ForeignKey(SagaRun, models.PROTECT, null=True, blank=True, related_name="provisioned")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cloud_provisioned"
        verbose_name = "desired state"

    def __str__(self) -> str:
        return f"{self.resource_id} v{self.spec_version}"


class ProvisioningBrake(models.Model):
    """The global pause: one row, or none before the first pause."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    paused = models.BooleanField(default=False)
    reason = models.TextField(blank=True, default="", db_default="")
    changed_by = models.TextField(blank=True, default="", db_default="")
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "provisioning_brake"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="brake_once")]

    def __str__(self) -> str:
        return "paused" if self.paused else "not paused"


class ProtectedResource(models.Model):
    """An operator's mark: no saga destroys, resizes or powers off this resource."""

    resource = models.OneToOneField("inventory.Resource", models.PROTECT, related_name="protection")
    note = models.TextField(blank=True, default="")
    protected_by = models.TextField()
    protected_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "protected_resources"

    def __str__(self) -> str:
        return f"{self.resource_id} protected by {self.protected_by}"


class SagaCreate(models.Model):
    """A reserved create, counted against the caps for an hour. A step reserves once, however often run."""

    saga = models.ForeignKey(SagaRun, models.PROTECT, related_name="creates", db_index=False)
    step_idx = models.PositiveIntegerField()
    tenant_id = models.TextField("tenant", null=True, blank=True)  # noqa: DJ001 - null is the operator's own
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "saga_creates"
        constraints = [models.UniqueConstraint(fields=["saga", "step_idx"], name="saga_create_once")]
        indexes = [models.Index(fields=["at"], name="saga_create_at")]

    def __str__(self) -> str:
        return f"{self.saga_id}-{self.step_idx}"


class ProviderOffer(models.Model):
    """DigitalOcean's sizes and the account's limits, as last read: one row, or none before the first read.

    `sizes` has by slug `{price_monthly, regions, is_available}`, the price in US dollars as text. A limit is
    null where the API names none. `tried_at` is the last attempt; `failure` is its reason, "" when it was
    answered and `read_at` is as recent.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sizes = models.JSONField(default=dict)
    droplet_limit = models.PositiveIntegerField(null=True)
    volume_limit = models.PositiveIntegerField(null=True)
    reserved_ip_limit = models.PositiveIntegerField(null=True)
    read_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(db_default=Now())
    failure = models.TextField(blank=True, default="", db_default="")

    class Meta:
        db_table = "provider_offer"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="provider_offer_once")]

    def __str__(self) -> str:
        return f"offer of {self.read_at}"


class FeedSubject(models.TextChoices):
    """The kind of thing that an event of the feed is about."""

    RESOURCE = "resource"
    DEPLOYMENT = "deployment"
    SAGA = "saga"


class FeedEvent(models.Model):
    """An event of a tenant's resource, deployment or saga, for `GET /api/v1/events`; kept for a while.

    Written by triggers on the histories and on saga_runs, so that no writer can forget it, in the transaction
    of the event itself. `transaction_id` is that transaction's: ids are given out in another order than
    transactions commit in, so readers go by (transaction_id, id), see `event_feed.py`. `tenant_id` is the
    owner at that time: who gets a resource later doesn't get its past. `source_id` is the row of the history,
    null for sagas, whose `event_type` is the status that they came to.
    """

    # PostgreSQL's own type for it, xid8, has no field in Django; 63 bits last for ever.
    transaction_id = models.BigIntegerField()
    tenant_id = models.TextField("tenant")
    subject = models.CharField(max_length=10, choices=FeedSubject)
    subject_id = models.BigIntegerField()
    event_type = models.CharField(max_length=24)
    source_id = models.BigIntegerField(null=True, blank=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "event_feed"
        constraints = [
            models.CheckConstraint(condition=Q(subject__in=FeedSubject.values), name="feed_subject_known"),
        ]
        indexes = [
            models.Index(fields=["transaction_id", "id"], name="feed_in_order"),
            models.Index(fields=["tenant_id", "transaction_id", "id"], name="feed_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.subject_id}: {self.event_type}"
