"""The tables of inventory. Rows are written by the modules named after the work, never from here."""

from typing import Final, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Upper

from arcadia_cloud.kernel.scoping import TenantQuerySet
from inventory.values import (
    OPERATORS_PROJECT,
    OURS,
    PROVIDER,
    UNATTRIBUTED,
    AttributionRule,
    EventType,
    Kind,
    RunMode,
    RunOutcome,
    kind_label,
)


class CloudAccount(models.Model):
    """The provider account that our tokens must belong to, pinned at the first sync.

    `team_uuid` is the team's, or the account's own where there is no team.
    """

    provider = models.CharField(max_length=40, default=PROVIDER, unique=True)
    team_uuid = models.CharField(max_length=80)
    name = models.CharField(max_length=200, blank=True)
    pinned_at = models.DateTimeField()

    class Meta:
        db_table = "cloud_accounts"

    def __str__(self) -> str:
        return f"{self.provider} {self.name or self.team_uuid}"


class Project(models.Model):
    """A project at the provider. `tenant_id` and `purpose` classify it and are the operator's to set.

    The sync takes the provider's purpose as the first value and never writes it again; the provider's
    own stays in `attrs`. `tenant_id` null: ours. `deleted_at`: gone from a complete list.
    `resources_read_at`: when the list of what is in it was last read.
    """

    provider = models.CharField(max_length=40, default=PROVIDER)
    provider_id = models.CharField("provider's ID", max_length=80)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    purpose = models.CharField(max_length=255, blank=True)
    environment = models.CharField(max_length=40, blank=True)
    is_default = models.BooleanField(default=False)
    tenant_id = models.TextField("tenant", null=True, blank=True)  # noqa: DJ001 - null is "ours", "" is refused
    attrs = models.JSONField(default=dict)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)
    resources_read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "cloud_projects"
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_id"], name="project_once"),
            models.CheckConstraint(condition=~Q(tenant_id=""), name="project_tenant_named"),
        ]

    def __str__(self) -> str:
        return self.name


class SyncRun(models.Model):
    """One pass over one kind. Written while it runs, so that the console shows its progress.

    `error` is why it isn't complete, or what a complete one has left out. `needed_calls`: those that a whole
    reading of the kind takes, as far as this run found out. `oldest_part_at`: when the oldest part of what it
    goes by was read, null where it read everything itself.
    """

    kind = models.CharField(max_length=40)  # a resource kind, or "project"
    mode = models.CharField(max_length=10, choices=RunMode)
    outcome = models.CharField(max_length=12, choices=RunOutcome, blank=True, default=RunOutcome.RUNNING)
    requested_by = models.TextField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    pages = models.PositiveIntegerField(default=0)
    api_calls = models.PositiveIntegerField("API calls", default=0)
    expected = models.PositiveIntegerField(null=True, blank=True)  # meta.total, for the progress bar
    seen = models.PositiveIntegerField(default=0)
    discovered = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    restored = models.PositiveIntegerField(default=0)
    struck = models.PositiveIntegerField(default=0)
    deleted = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    needed_calls = models.PositiveIntegerField(null=True, blank=True)
    oldest_part_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "sync_runs"
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", finished_at__isnull=True)
                | (~Q(outcome="") & Q(finished_at__isnull=False)),
                name="sync_run_finished_with_outcome",
            ),
            models.CheckConstraint(condition=Q(mode__in=RunMode.values), name="sync_run_mode_known"),
            models.CheckConstraint(condition=Q(outcome__in=RunOutcome.values), name="sync_run_outcome_known"),
        ]
        indexes = [models.Index(fields=["kind", "-started_at"], name="sync_run_newest_of_kind")]

    def __str__(self) -> str:
        return f"run {self.pk}: {self.kind_label}"

    @property
    def kind_label(self) -> str:
        return kind_label(self.kind)


class UnfinishedReading(models.Model):
    """The place at which the next run goes on with a list that the last one didn't read to its end.

    `name` is a kind's, or `project:` and a project's id. `distinct` and `anchor` are hashes of eight bytes
    each; the columns are those of `sync/readings.py`.
    """

    name = models.CharField(max_length=120, unique=True)
    began_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    calls = models.PositiveIntegerField()
    listing = models.PositiveSmallIntegerField()
    offset = models.PositiveIntegerField()
    is_second = models.BooleanField()
    seen_before = models.PositiveIntegerField()
    counted = models.PositiveIntegerField()
    distinct = models.BinaryField()
    anchor = models.BinaryField()

    class Meta:
        db_table = "sync_readings"

    def __str__(self) -> str:
        return f"reading of {self.name}"


# What stands in the operator's own project is the operator's; the rest that no rule decided needs an owner.
IS_UNATTRIBUTED: Final = Q(attributed_by=AttributionRule.NONE) & (
    Q(project__isnull=True) | ~Q(project__name=OPERATORS_PROJECT)
)
# The operator's own: marked so by an operator, what belongs to such a one, what is in the operator's project.
IS_OURS: Final = Q(tenant_id__isnull=True) & (
    ~Q(attributed_by=AttributionRule.NONE) | Q(project__name=OPERATORS_PROJECT)
)
NEGATIVE_ID: Final = F("id") * -1  # what the index of all names has for its second column
# To the database this is a choice of either half's indexes, to a reader no condition at all.
LIVE_OR_GONE: Final = Q(deleted_at__isnull=True) | Q(deleted_at__isnull=False)


def _indexes_of_half(half: str, *, is_live: bool) -> list[models.Index]:
    """Index what the lists of live resources, or those of tombstones, are narrowed by and paged along."""
    # Each half has its own: tombstones pile up for years, and a list of the live ones must not read through
    # them. A row stands in one half, so it costs as much as one set would.
    of_half = Q(deleted_at__isnull=is_live)
    return [
        models.Index(fields=["id"], condition=of_half, name=f"resource_{half}"),
        *(
            models.Index(fields=[column, "id"], condition=of_half, name=f"resource_{half}_by_{column}")
            for column in ("tenant_id", "kind", "region", "status", "name")
        ),
    ]


class LowerAll(Func):
    """Every text of an array, in small letters: a function of ours in the database."""

    function = "lower_all"
    output_field = ArrayField(models.TextField())


class ResourceAddresses(Func):
    """Every IP address in a resource's attributes, as `host()` writes it: a function in the database."""

    function = "resource_addresses"
    output_field = ArrayField(models.TextField())


class ResourceQuerySet(TenantQuerySet["Resource"]):
    """Rows of cloud_resources. A query that names neither half, live or gone, has no index."""

    def live(self) -> Self:
        """Keep those without a tombstone."""
        return self.filter(deleted_at=None)

    def live_or_gone(self) -> Self:
        """Keep all of them, by a condition that the indexes of both halves serve."""
        return self.filter(LIVE_OR_GONE)

    def tagged(self, tag: str) -> Self:
        """Keep those with this tag, whatever the capitals that the provider keeps it with."""
        return self.alias(any_case_tags=LowerAll("tags")).filter(any_case_tags__contains=[tag.lower()])

    def unattributed(self) -> Self:
        """Keep those that no rule has given to a tenant, but for the operator's own."""
        return self.filter(IS_UNATTRIBUTED)


class Resource(models.Model):
    """A resource of any kind, live or tombstoned, written by `observation/`, `attribution/` and `sync/`.

    `provider_created_at` is the provider's clock, the other instants are the database's.
    `monthly_price_cents` is what the provider charges, null where its API has no price.
    `deleted_at` is when the third strike was confirmed; its life ended at `last_seen_at`.
    `attributed_by` names the rule that decided `deployment` and `tenant_id`; `attribution_note` is the reason
    where none could, or what a tag asked for in vain. `parent_kind` and `parent_id` (the provider's) name the
    parent. `observed_digest` (`observation/digest.py`) is of the observation that the row was written from,
    null where nothing may be concluded from it. `saga_tenant_id` and `saga_deployment` are the word of the
    saga that made it; an operator's assignment covers it and doesn't replace it. `project_seen_at` is when
    the provider was asked for `project`: older evidence doesn't overwrite it. `details_read_at` is when the
    list that the resource has of its own, as a zone its records, was last read; null where it has none.
    """

    provider = models.CharField(max_length=40, default=PROVIDER)
    kind = models.CharField(max_length=40, choices=Kind)
    provider_id = models.TextField("provider's ID")
    urn = models.TextField("URN", blank=True)
    name = models.TextField(blank=True)
    region = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=40, blank=True)
    project = models.ForeignKey(Project, models.PROTECT, null=True, blank=True, related_name="resources")
    deployment = models.ForeignKey(
        "deployments.Deployment", models.PROTECT, null=True, blank=True, related_name="resources"
    )
    tenant_id = models.TextField("tenant", null=True, blank=True)  # noqa: DJ001 - null is unattributed, "" is refused
    attributed_by = models.CharField(max_length=12, choices=AttributionRule, blank=True, default="")
    attribution_note = models.TextField(blank=True, default="", db_default="")
    saga_tenant_id = models.TextField("saga's tenant", null=True, blank=True)  # noqa: DJ001 - null where no saga made it
    saga_deployment = models.ForeignKey(
        "deployments.Deployment", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    project_seen_at = models.DateTimeField(null=True, blank=True)
    parent_kind = models.CharField(max_length=40, blank=True, default="", db_default="")
    parent_id = models.TextField("parent's ID", blank=True, default="", db_default="")
    tags = ArrayField(models.TextField(), default=list, blank=True)
    attrs = models.JSONField(default=dict)
    monthly_price_cents = models.PositiveIntegerField(null=True, blank=True)
    provider_created_at = models.DateTimeField(null=True, blank=True)
    observed_digest = models.BinaryField(null=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)
    stale_strike_count = models.PositiveSmallIntegerField(default=0)
    details_read_at = models.DateTimeField(null=True, blank=True)

    objects = ResourceQuerySet.as_manager()

    class Meta:
        db_table = "cloud_resources"
        constraints = [
            models.UniqueConstraint(fields=["provider", "kind", "provider_id"], name="resource_once"),
            models.CheckConstraint(condition=~Q(tenant_id=""), name="resource_tenant_named"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="resource_kind_known"),
            models.CheckConstraint(
                condition=Q(attributed_by__in=AttributionRule.values), name="resource_attributed_by_known"
            ),
            models.CheckConstraint(
                condition=~Q(attributed_by=AttributionRule.OURS) | Q(tenant_id=None),
                name="resource_ours_without_tenant",
            ),
        ]
        # None on last_seen_at: every run bumps it, and the bump must stay heap-only.
        indexes = [
            *_indexes_of_half("live", is_live=True),
            *_indexes_of_half("gone", is_live=False),
            models.Index(
                fields=["id"], condition=Q(deleted_at__isnull=True, attributed_by=""), name="resource_nobodys"
            ),
            models.Index(
                F("monthly_price_cents").desc(nulls_last=True),
                F("id").desc(),
                condition=Q(deleted_at__isnull=True),
                name="resource_live_dearest",
            ),
            # Live and gone together, of namesakes the youngest first. By the negative id: PostgreSQL 18 would
            # look ids up by the id itself, and read all of the index for each, where statistics of an empty
            # table make it look as good as the key's. Of the name alone it would seem cheaper than that of
            # the live ones, wherever names follow the order of the rows.
            models.Index(F("name"), NEGATIVE_ID, name="resource_by_name_youngest"),
            GinIndex(LowerAll("tags"), name="resource_tagged_any_case"),
            models.Index(
                fields=["parent_kind", "parent_id"], condition=~Q(parent_id=""), name="resource_of_parent"
            ),
            # Of the kinds that have addresses alone: for the others it would be an empty entry for each row.
            GinIndex(
                ResourceAddresses("attrs"),
                condition=Q(kind__in=[Kind.DROPLET, Kind.LOAD_BALANCER]),
                name="resource_by_address",
            ),
            # On UPPER(name), which is what Django's icontains compares.
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="resource_name_contains"),
        ]

    def __str__(self) -> str:
        return f"{kind_label(self.kind)} {self.name or self.provider_id}"

    @property
    def is_ours(self) -> bool:
        """Return whether it is the operator's own: IS_OURS of a row with its project."""
        in_our_project = self.project is not None and self.project.name == OPERATORS_PROJECT
        return self.tenant_id is None and (self.attributed_by != AttributionRule.NONE or in_our_project)

    @property
    def owner_name(self) -> str:
        """Return its deployment or tenant, `ours`, or `unattributed`. Reads both and the project."""
        return str(self.deployment or self.tenant_id or (OURS if self.is_ours else UNATTRIBUTED))


class ResourceEvent(models.Model):
    """One entry in the history of a resource, for ever: the database refuses UPDATE, DELETE and TRUNCATE.

    `changes` is `{field: [old, new]}`. `source` is the run, request or saga it came from, as `run:12`;
    `actor` is text, so that it outlives the user.
    """

    resource = models.ForeignKey(Resource, models.PROTECT, related_name="events", db_index=False)
    event_type = models.CharField(max_length=20, choices=EventType)
    changes = models.JSONField(default=dict)
    at = models.DateTimeField()
    actor = models.TextField()
    source = models.TextField(blank=True)

    class Meta:
        db_table = "cloud_resource_events"
        constraints = [
            models.CheckConstraint(condition=Q(event_type__in=EventType.values), name="event_type_known"),
        ]
        indexes = [
            models.Index(fields=["resource", "id"], name="event_of_resource"),
            models.Index(fields=["source", "id"], name="event_of_source"),
            # A tenant's view of a history begins at the newest of these.
            models.Index(
                fields=["resource", "id"],
                condition=Q(changes__has_key="tenant_id"),
                name="event_changed_hands",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.resource_id}"


class ResourceSpan(models.Model):
    """A stretch of a resource's life in which all that metering counts stayed the same.

    Spans of one resource don't overlap (the database refuses it). `during` is half-open and open-ended
    while it lasts; `size_gb` is null for kinds that aren't metered by size. `sku` is what the provider sells
    it as (`s-1vcpu-1gb`, `db-s-2vcpu-4gb x3`, `lb-small`), null for kinds that have one price.
    """

    resource = models.ForeignKey(Resource, models.PROTECT, related_name="spans", db_index=False)
    during = DateTimeRangeField()
    deployment = models.ForeignKey(
        "deployments.Deployment", models.PROTECT, null=True, blank=True, related_name="+"
    )
    tenant_id = models.TextField("tenant", null=True, blank=True)  # noqa: DJ001 - as on the resource
    active = models.BooleanField()
    size_gb = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    sku = models.TextField("SKU", null=True, blank=True)  # noqa: DJ001 - null is of no sku

    class Meta:
        db_table = "resource_spans"
        constraints = [
            ExclusionConstraint(
                name="span_overlaps_none",
                expressions=[("resource", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(condition=Q(during__isempty=False), name="span_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.resource_id} {self.during}"
