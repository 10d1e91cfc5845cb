"""The tables of costs by day: list prices of the provider, the days that are computed, and their costs."""

from typing import Any, Final

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from billing.values import DECIMAL_PLACES, MAX_DIGITS, CostPart, CostSource, PriceUnit
from catalog.columns import DateRange
from inventory.values import Kind

_SUBJECT: Final = ("kind", "sku", "region")


def _price_field(**options: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=MAX_DIGITS, decimal_places=DECIMAL_PLACES, **options)


class ProviderPrice(models.Model):
    """The provider's list price of one thing, in US dollars, from one day until the day before another.

    `price` is for 672 hours of one `unit`. `monthly_cap` is the most that one unit costs in a calendar month,
    null where nothing caps it. `sku` and `region` are empty where the price is the same for all.
    `effective_from` is null where that is unknown. `source` and `read_on` are where and when the
    price was read; `is_verified`: it stands on the provider's own page; `is_available`: it is still sold.
    Droplet sizes are kept by `prices.keep_size_prices`, the rest by operators.
    """

    kind = models.CharField(max_length=40, choices=Kind)
    sku = models.CharField("SKU", max_length=120, blank=True, default="")
    region = models.CharField(max_length=40, blank=True, default="")
    unit = models.CharField(max_length=10, choices=PriceUnit, default=PriceUnit.MONTH)
    price = _price_field()
    monthly_cap = _price_field(null=True, blank=True)
    is_available = models.BooleanField(default=True)
    source = models.TextField()
    read_on = models.DateField()
    is_verified = models.BooleanField("verified", default=True, db_default=True)
    effective_from = models.DateField(null=True, blank=True)
    effective_to = models.DateField(null=True, blank=True)

    class Meta:
        db_table = "provider_prices"
        constraints = [
            ExclusionConstraint(
                name="provider_price_overlaps_none",
                violation_error_message="Another price of it is in force on these days.",
                expressions=[
                    *((name, RangeOperators.EQUAL) for name in _SUBJECT),
                    (DateRange("effective_from", "effective_to"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(price__gte=0) & (Q(monthly_cap=None) | Q(monthly_cap__gte=0)),
                name="provider_price_not_negative",
            ),
            models.CheckConstraint(condition=Q(unit__in=PriceUnit.values), name="provider_price_unit_known"),
            models.CheckConstraint(condition=~Q(source=""), name="provider_price_has_a_source"),
            models.CheckConstraint(
                condition=Q(effective_from=None)
                | Q(effective_to=None)
                | Q(effective_to__gt=F("effective_from")),
                name="provider_price_forward",
            ),
        ]

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind, self.sku, self.region) if part)


class CostDay(models.Model):
    """One day of one source: computed at `computed_at`, or due where that is null."""

    day = models.DateField()
    source = models.CharField(max_length=10, choices=CostSource)
    computed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "cost_days"
        constraints = [
            models.UniqueConstraint(fields=["source", "day"], name="cost_day_once"),
            models.CheckConstraint(condition=Q(source__in=CostSource.values), name="cost_day_source_known"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.source}"


class ReportedItem(models.Model):
    """One item of what the provider reports that a day cost, in US dollars, replaced by the day.

    `sku`, `region` and `description` as received. `kind` and `name` are read from them, and `resource` is
    found by these each time that the day is computed: no id comes along.
    """

    day = models.DateField()
    number = models.PositiveIntegerField()  # in the day, from 1
    kind = models.CharField(max_length=40)
    name = models.TextField()
    sku = models.TextField("SKU", blank=True)
    region = models.TextField(blank=True)
    description = models.TextField(blank=True)
    amount = _price_field()
    resource = models.ForeignKey(
        "inventory.Resource", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        db_table = "reported_cost_items"
        constraints = [models.UniqueConstraint(fields=["day", "number"], name="reported_item_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.description}"


class SpanCostChange(models.Model):
    """A stretch of the past in which what costs depend on changed of a resource: its owner, size or sku.

    Written by a trigger of `resource_spans`, in the transaction of the change; deleted once the days that it
    touches are due. `until` is null where it lasts. What is of the month of the newest computed day isn't
    here: that month and the one before are computed again anyhow.
    """

    resource_id = models.BigIntegerField()  # no key: it would cost every sync a look-up for each
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "span_cost_changes"

    def __str__(self) -> str:
        return f"{self.resource_id} since {self.since}"


class DailyCost(models.Model):
    """The cost of one day by one source, for one owner and kind, in US dollars, replaced by day and source.

    `part`: `matched` is of resources, the others are of none, as `billed` has them. `resources` counts those
    that cost something or might, `unpriced` those of them without a known price: these are in no amount.
    """

    day = models.DateField()
    source = models.CharField(max_length=10, choices=CostSource)
    part = models.CharField(max_length=12, choices=CostPart, default=CostPart.MATCHED)
    tenant_id = models.TextField("tenant", null=True, blank=True)  # noqa: DJ001 - null is unattributed
    deployment = models.ForeignKey(
        "deployments.Deployment", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=40)
    amount = _price_field()
    resources = models.PositiveIntegerField()
    unpriced = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "daily_costs"
        constraints = [
            models.UniqueConstraint(
                fields=["day", "source", "part", "tenant_id", "deployment", "kind"],
                name="daily_cost_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(source__in=CostSource.values), name="daily_cost_source_known"),
            models.CheckConstraint(condition=Q(part__in=CostPart.values), name="daily_cost_part_known"),
        ]
        indexes = [
            models.Index(fields=["deployment", "day"], name="daily_cost_of_deployment"),
            models.Index(fields=["tenant_id", "day"], name="daily_cost_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.source} {self.tenant_id or 'unattributed'} {self.kind}"
