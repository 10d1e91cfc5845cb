"""Deployments and their subscriptions. Prices are in minor units, dates are half-open, UTC.

The database keeps the rules: one live subscription a deployment, one version a day, an add-on attached once,
a history that can't be rewritten (by the triggers of the fifth migration).
"""

from datetime import UTC, date, datetime, time, timedelta

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now, Upper

from arcadia_cloud.kernel.money import Money, exact_text
from arcadia_cloud.kernel.periods import Period
from arcadia_cloud.kernel.scoping import TenantQuerySet
from catalog.columns import DateRange, currency_field, is_currency, quantity_field
from catalog.models import Addon, PlanVersion
from catalog.values.checks import QUANTITY_PLACES
from catalog.values.kinds import BillingKind
from catalog.values.terms import ALL_CHARGES, BASE_FEES, AddonTerms, Discount
from deployments.states import LIVE_SUBSCRIPTIONS, DeploymentState, SubscriptionStatus
from deployments.values import DISCOUNT_SCOPES, EventType, LlmMode


def first_day_after_trial(trial_ends_at: datetime | None) -> date:
    """Return the first day that is wholly after a trial's end; the first of all days where there was none."""
    if trial_ends_at is None:
        return date.min
    ends_at = trial_ends_at.astimezone(UTC)
    # A day that the trial ends in is the trial's.
    return ends_at.date() + timedelta(days=ends_at.time() > time.min)


class DeploymentQuerySet(TenantQuerySet["Deployment"]):
    """Deployments, narrowed to their tenant's."""


class Deployment(models.Model):
    """The billable unit: one app instance of one tenant. `slug` is unique within the tenant.

    While `billing_action_suspended`, automatic billing actions leave it alone. `template_code` and
    `template_version` name what it was provisioned from, null where it wasn't.
    """

    tenant_id = models.TextField("tenant")
    slug = models.SlugField(max_length=80)
    display_name = models.CharField(max_length=200, blank=True)
    region = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=20, choices=DeploymentState, default=DeploymentState.ACTIVE)
    llm_mode = models.CharField(
        "LLM mode", max_length=10, choices=LlmMode, default=LlmMode.NONE, db_default=LlmMode.NONE
    )
    billing_action_suspended = models.BooleanField(default=False, db_default=False)
    template_code = models.CharField(max_length=60, null=True, blank=True)  # noqa: DJ001 - null: from none
    template_version = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        db_table = "cloud_deployments"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "slug"], name="deployment_slug_once_per_tenant"),
            models.CheckConstraint(
                condition=Q(state__in=DeploymentState.values), name="deployment_state_known"
            ),
            models.CheckConstraint(condition=~Q(tenant_id=""), name="deployment_has_tenant"),
            models.CheckConstraint(
                condition=Q(llm_mode__in=LlmMode.values), name="deployment_llm_mode_known"
            ),
            models.CheckConstraint(
                condition=Q(template_code=None, template_version=None)
                | ~Q(template_code=None) & ~Q(template_version=None),
                name="deployment_template_has_version",
            ),
        ]
        indexes = [
            models.Index(Lower("tenant_id"), name="deployment_tenant_any_case"),  # a tag's capitals vary
            # The daily task looks for the few, among all that ever were.
            models.Index(fields=["id"], condition=Q(state="trial"), name="deployment_in_trial"),
            # The filters of the lists, each with its order: few or no matches mustn't read the whole book.
            models.Index(fields=["state", "-id"], name="deployment_by_state"),
            models.Index(fields=["slug", "-id"], name="deployment_by_slug"),
            models.Index(fields=["region", "-id"], name="deployment_by_region"),
            GinIndex(OpClass(Upper("slug"), name="gin_trgm_ops"), name="deployment_slug_contains"),
            GinIndex(OpClass(Upper("display_name"), name="gin_trgm_ops"), name="deployment_name_contains"),
            GinIndex(OpClass(Upper("tenant_id"), name="gin_trgm_ops"), name="deployment_tenant_contains"),
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id}/{self.slug}"


class DeploymentEvent(models.Model):
    """One change of a deployment or its subscription: append-only.

    `from_value` and `to_value` are states for a transition, plan versions for a change of plan, add-ons'
    codes where one was attached or detached. `saga_id` is of the saga that made it; `at` its time, UTC.
    """

    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="events", db_index=False)
    event_type = models.CharField(max_length=24, choices=EventType)
    from_value = models.CharField(max_length=80, blank=True)
    to_value = models.CharField(max_length=80, blank=True)
    actor = models.TextField()
    reason = models.TextField(blank=True)
    details = models.JSONField(default=dict, blank=True)
    saga_id = models.BigIntegerField(null=True, blank=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "cloud_deployment_events"
        constraints = [
            models.CheckConstraint(
                condition=Q(event_type__in=EventType.values), name="deployment_event_type_known"
            ),
            models.CheckConstraint(condition=~Q(actor=""), name="deployment_event_has_actor"),
        ]
        # A page reads the newest few of one deployment, however long its history is.
        indexes = [models.Index(fields=["deployment", "-id"], name="deployment_event_newest")]

    def __str__(self) -> str:
        return f"{self.event_type} {self.from_value} -> {self.to_value}"


class Subscription(models.Model):
    """A deployment's contract: one live at most, the ended ones are its history.

    `plan_version` is the present one, `next_plan_version` replaces it with the next period. Nothing is due
    for days before `trial_ends_at` has passed. The days of each version stand in `versions`: those that none
    of them has were paused.
    """

    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="subscriptions")
    plan_version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="subscriptions")
    next_plan_version = models.ForeignKey(
        PlanVersion, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    status = models.CharField(max_length=10, choices=SubscriptionStatus, default=SubscriptionStatus.ACTIVE)
    current_period_start = models.DateField()
    current_period_end = models.DateField()
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "subscriptions"
        constraints = [
            # Of two subscribers that both got here, the index lets one through.
            models.UniqueConstraint(
                fields=["deployment"],
                condition=Q(status__in=LIVE_SUBSCRIPTIONS),
                name="subscription_one_live_per_deployment",
            ),
            models.CheckConstraint(
                condition=Q(status__in=SubscriptionStatus.values), name="subscription_status_known"
            ),
            models.CheckConstraint(
                condition=Q(current_period_end__gt=F("current_period_start")),
                name="subscription_period_forward",
            ),
            models.CheckConstraint(
                condition=Q(status="cancelled") & ~Q(cancelled_at=None)
                | ~Q(status="cancelled") & Q(cancelled_at=None),
                name="subscription_cancelled_at_its_end",
            ),
        ]
        indexes = [
            # The daily task reads those that are due, not the whole book.
            models.Index(
                fields=["current_period_end"],
                condition=Q(status__in=LIVE_SUBSCRIPTIONS),
                name="subscription_period_to_roll",
            ),
            models.Index(fields=["status", "-id"], name="subscription_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.deployment} on {self.plan_version}"

    @property
    def current_period(self) -> Period:
        """The period that is running, or was when it ended."""
        return Period(self.current_period_start, self.current_period_end)

    @property
    def first_charged_on(self) -> date:
        """The first day that is wholly after the trial: nothing is due before a trial's end."""
        return first_day_after_trial(self.trial_ends_at)

    @property
    def is_live(self) -> bool:
        """Whether it is in force or paused."""
        return self.status in LIVE_SUBSCRIPTIONS


class SubscriptionVersion(models.Model):
    """The days on which a subscription was, or is, under a plan's version; no day has two."""

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="versions", db_index=False)
    plan_version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="+", db_index=False)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        db_table = "subscription_versions"
        ordering = ["subscription", "starts_on"]
        constraints = [
            # Quotes refuse two versions of one day: here is where they can't come to be.
            ExclusionConstraint(
                name="subscription_version_overlaps_none",
                expressions=[
                    ("subscription", RangeOperators.EQUAL),
                    (DateRange("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gt=F("starts_on")), name="subscription_version_forward"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_version} from {self.starts_on}"

    @property
    def days(self) -> Period:
        """Its days; without an end as far as dates go."""
        return Period(self.starts_on, self.ends_on or date.max)


class SubscriptionAddon(models.Model):
    """An add-on as it was when it was attached: what the catalog sells later changes none of it."""

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="addons", db_index=False)
    addon = models.ForeignKey(Addon, models.PROTECT, related_name="+", db_index=False)
    resource_kind = models.CharField(max_length=40, choices=BillingKind)
    qty = quantity_field()
    price_cents = models.BigIntegerField()
    currency = currency_field()
    attached_on = models.DateField()
    detached_on = models.DateField(null=True, blank=True)

    class Meta:
        db_table = "subscription_addons"
        ordering = ["subscription", "attached_on", "id"]
        constraints = [
            # An add-on once a day, which also makes it attached once at a time.
            ExclusionConstraint(
                name="subscription_addon_overlaps_none",
                expressions=[
                    ("subscription", RangeOperators.EQUAL),
                    ("addon", RangeOperators.EQUAL),
                    (DateRange("attached_on", "detached_on"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(detached_on=None) | Q(detached_on__gt=F("attached_on")),
                name="subscription_addon_forward",
            ),
            models.CheckConstraint(
                condition=Q(price_cents__gte=0) & Q(qty__gt=0), name="subscription_addon_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(resource_kind__in=BillingKind.values), name="subscription_addon_kind_known"
            ),
            is_currency("subscription_addon_currency_code"),
        ]

    def __str__(self) -> str:
        return self.addon.code

    @property
    def days(self) -> Period:
        """The days on which it is attached; without an end as far as dates go."""
        return Period(self.attached_on, self.detached_on or date.max)

    def terms(self) -> AddonTerms:
        """Return what a quote needs of it."""
        return AddonTerms(
            code=self.addon.code,
            kind=self.resource_kind,
            quantity=self.qty,
            price=Money.from_cents(self.price_cents, self.currency),
        )


class SubscriptionDiscount(models.Model):
    """A reduction that an operator gave: a percentage, or an amount a period in the subscription's currency.

    Those of a subscription apply in the order of their ids. One that was withdrawn before it began has
    `valid_to` equal to `valid_from`.
    """

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="discounts")
    percent = models.DecimalField(max_digits=9, decimal_places=QUANTITY_PLACES, null=True, blank=True)
    amount_cents = models.BigIntegerField(null=True, blank=True)
    scope = models.CharField(max_length=40, choices=DISCOUNT_SCOPES, default=ALL_CHARGES)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    reason = models.TextField()
    given_by = models.TextField()
    given_at = models.DateTimeField()

    class Meta:
        db_table = "subscription_discounts"
        ordering = ["subscription", "id"]
        constraints = [
            models.CheckConstraint(
                # With `IS NOT NULL`: a comparison with null is neither true nor false, and would pass.
                condition=Q(percent__isnull=False, percent__gt=0, percent__lte=100, amount_cents=None)
                | Q(percent=None, amount_cents__isnull=False, amount_cents__gt=0),
                name="subscription_discount_percent_or_amount",
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="subscription_discount_forward",
            ),
            models.CheckConstraint(
                condition=Q(scope__in=[ALL_CHARGES, BASE_FEES, *BillingKind.values]),
                name="subscription_discount_scope_known",
            ),
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(given_by=""), name="subscription_discount_reasoned"
            ),
        ]

    def __str__(self) -> str:
        return f"{exact_text(self.percent, places=0)} %" if self.percent else f"{self.amount_cents} cents"

    @property
    def has_days(self) -> bool:
        """Whether it is valid on any day."""
        return self.valid_to is None or self.valid_to > self.valid_from

    def terms(self, currency: str) -> Discount:
        """Return what a quote needs of it. Raises ValueError for one without a day."""
        return Discount(
            code=f"discount-{self.pk}",
            percent=self.percent,
            amount=Money.from_cents(self.amount_cents, currency),
            scope=self.scope,
            reason=self.reason,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
        )


class DeploymentTemplate(models.Model):
    """One version of what deployments are made from; see `template_spec` for its spec.

    A draft changes as it likes; once published it never changes, which a trigger keeps too.
    """

    code = models.SlugField(max_length=60)
    version = models.PositiveIntegerField()
    spec = models.JSONField()
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    published_by = models.TextField(blank=True, default="", editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "deployment_templates"
        ordering = ["code", "version"]
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="deployment_template_version_once"),
            models.CheckConstraint(condition=Q(version__gt=0), name="deployment_template_version_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"
