"""The tables of margin: exchange rates, and what each month cost and earned by deployment."""

from typing import Any, Final

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least

from billing.values import DECIMAL_PLACES, MAX_DIGITS, CostPart

_CODE: Final = r"^[A-Z]{3}$"


class ExchangeRate(models.Model):
    """One day's rate: a unit of `from_currency` is worth `rate` units of `to_currency`. Kept by operators.

    A pair has one row a day, in either direction: two that disagree can't be. Which day's rate counts for a
    month stands in `costs/exchange_rates.py`.
    """

    from_currency = models.CharField(max_length=3)
    to_currency = models.CharField(max_length=3, default="USD")
    day = models.DateField()
    rate = models.DecimalField(max_digits=20, decimal_places=10)
    source = models.TextField()

    class Meta:
        db_table = "exchange_rates"
        constraints = [
            # Over the pair, not its direction: 0.65 one way and 1.60 the other would both be right.
            models.UniqueConstraint(
                Least("from_currency", "to_currency"),
                Greatest("from_currency", "to_currency"),
                "day",
                name="exchange_rate_once_a_day",
                violation_error_message="These two currencies have a rate of this day.",
            ),
            models.CheckConstraint(
                condition=Q(rate__gt=0),
                name="exchange_rate_positive",
                violation_error_message="A rate is more than 0.",
            ),
            models.CheckConstraint(
                condition=~Q(from_currency=F("to_currency")),
                name="exchange_rate_of_two_currencies",
                violation_error_message="A rate is of two currencies.",
            ),
            models.CheckConstraint(
                condition=Q(from_currency__regex=_CODE) & Q(to_currency__regex=_CODE),
                name="exchange_rate_currency_codes",
                violation_error_message="A currency is a code of three capitals, as AUD.",
            ),
            models.CheckConstraint(condition=~Q(source=""), name="exchange_rate_has_a_source"),
        ]

    def __str__(self) -> str:
        return f"{self.from_currency} to {self.to_currency} on {self.day}"


class MarginMonth(models.Model):
    """A month whose revenue and costs are stored, computed at `computed_at`; `month` is its first day.

    `costs_until` is the last day whose costs were computed then, null without one: no cost is known of it.
    """

    month = models.DateField(unique=True)
    computed_at = models.DateTimeField(null=True, blank=True)
    costs_until = models.DateField(null=True, blank=True)

    class Meta:
        db_table = "margin_months"

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class MarginRevenue(models.Model):
    """The quote of one subscription's month, without tax, by the usage that was recorded then.

    `plan_version` is the last that it had in the month. `amount_cents` are minor units of `currency`, the sum
    of `lines`: type, code, amount_cents, used, included.
    """

    month = models.DateField()
    subscription = models.ForeignKey(
        "deployments.Subscription", models.PROTECT, related_name="+", db_index=False
    )
    deployment = models.ForeignKey("deployments.Deployment", models.PROTECT, related_name="+", db_index=False)
    plan_version = models.ForeignKey("catalog.PlanVersion", models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    amount_cents = models.BigIntegerField()
    # Shown and summed up by kind for medians, never searched.
    lines = models.JSONField(default=list)

    class Meta:
        db_table = "margin_revenues"
        constraints = [
            models.UniqueConstraint(fields=["month", "subscription"], name="margin_revenue_once"),
            models.CheckConstraint(condition=Q(currency__regex=_CODE), name="margin_revenue_currency_code"),
        ]
        indexes = [
            models.Index(fields=["deployment", "month"], name="margin_revenue_of_deployment"),
            models.Index(fields=["plan_version", "month"], name="margin_revenue_of_version"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.subscription_id}"


class MarginCost(models.Model):
    """A month's cost of one owner and kind by one source, in US dollars: the sum of its days of daily_costs.

    `plan_version` is that of the deployment's revenue, null without one. `last_day` is the last that has
    such a cost; `unpriced` counts the resources of it that have no price, and are in no amount.
    """

    month = models.DateField()
    # As in daily_costs, whatever sources that has.
    source = models.CharField(max_length=10)
    part = models.CharField(max_length=12, choices=CostPart)
    tenant_id = models.TextField("tenant", null=True, blank=True)  # noqa: DJ001 - null is unattributed
    deployment = models.ForeignKey(
        "deployments.Deployment", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    plan_version = models.ForeignKey(
        "catalog.PlanVersion", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=40)
    amount: "models.DecimalField[Any, Any]" = models.DecimalField(
        max_digits=MAX_DIGITS, decimal_places=DECIMAL_PLACES
    )
    unpriced = models.PositiveIntegerField(default=0)
    last_day = models.DateField()

    class Meta:
        db_table = "margin_costs"
        constraints = [
            models.UniqueConstraint(
                fields=["month", "source", "part", "tenant_id", "deployment", "kind"],
                name="margin_cost_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(part__in=CostPart.values), name="margin_cost_part_known"),
        ]
        indexes = [
            models.Index(fields=["deployment", "month"], name="margin_cost_of_deployment"),
            models.Index(fields=["tenant_id", "month"], name="margin_cost_of_tenant"),
            models.Index(fields=["plan_version", "month"], name="margin_cost_of_version"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.tenant_id or 'unattributed'} {self.kind}"
