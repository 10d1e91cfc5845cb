"""The tables of price simulations: what came of each, and a row for each month of a subscriber."""

from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Abs

from arcadia_cloud.kernel.periods import Period, next_month
from billing.states import UNFINISHED_SIMULATIONS, SimulationStatus
from billing.values import DECIMAL_PLACES, MAX_DIGITS
from catalog.columns import is_currency
from catalog.models import PlanVersion
from deployments.models import Deployment, Subscription

MOST_MONTHS: Final = 12
_FINAL: Final = (SimulationStatus.COMPLETED, SimulationStatus.FAILED)


def _amount_field(**options: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=MAX_DIGITS, decimal_places=DECIMAL_PLACES, **options)


class PlanSimulation(models.Model):
    """The revenue of a plan version in past months, had every subscriber of its plan been on it.

    It is of the terms with `terms_digest`: a draft that has changed since has another. Amounts are in
    `currency`, without tax. `subscribers` is null until it is counted. `months_left_out` are months of
    subscribers that weren't theirs from the first day to the last, `other_currency` subscribers that pay in
    another one. `cost` is null where it isn't known, `cost_unknown` is then the reason. `unpriced` are days
    of resources without a list price, which are in no cost; null where they weren't counted.
    `rows_deleted_at` is when its rows were deleted, which its sums outlive.
    """

    plan_version = models.ForeignKey(
        PlanVersion, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    version_name = models.CharField("version", max_length=80)
    terms_digest = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    first_month = models.DateField()
    month_count = models.PositiveSmallIntegerField("months")
    status = models.CharField(max_length=10, choices=SimulationStatus, default=SimulationStatus.QUEUED)
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    requested_by = models.TextField()
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    subscribers = models.PositiveIntegerField(null=True, blank=True)
    subscribers_done = models.PositiveIntegerField(default=0)
    other_currency = models.PositiveIntegerField(default=0)
    months_left_out = models.PositiveIntegerField(default=0)
    months_quoted = models.PositiveIntegerField(default=0)
    pay_more = models.PositiveIntegerField(default=0)
    pay_less = models.PositiveIntegerField(default=0)
    cross_into_overage = models.PositiveIntegerField(default=0)
    revenue_now = _amount_field(default=Decimal(0))
    revenue_then = _amount_field(default=Decimal(0))
    cost = _amount_field(null=True, blank=True)
    cost_unknown = models.TextField(blank=True)
    unpriced = models.BigIntegerField(null=True, blank=True)
    rows_deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "plan_simulations"
        constraints = [
            # Of two that ask for the same at once, the index lets one through.
            models.UniqueConstraint(
                fields=["plan_version", "terms_digest", "first_month", "month_count"],
                condition=Q(status__in=UNFINISHED_SIMULATIONS),
                name="plan_simulation_runs_once",
            ),
            models.CheckConstraint(
                condition=Q(status__in=SimulationStatus.values), name="plan_simulation_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=_FINAL, finished_at__isnull=False)
                | Q(status__in=UNFINISHED_SIMULATIONS, finished_at=None),
                name="plan_simulation_finished_at_its_end",
            ),
            models.CheckConstraint(
                condition=Q(month_count__gte=1, month_count__lte=MOST_MONTHS),
                name="plan_simulation_months_bounded",
            ),
            is_currency("plan_simulation_currency_code"),
        ]
        indexes = [models.Index(fields=["plan_version", "-id"], name="plan_simulation_of_version")]

    def __str__(self) -> str:
        return f"{self.version_name} over {self.month_count} month{'' if self.month_count == 1 else 's'}"

    @property
    def months(self) -> list[Period]:
        """The calendar months that are quoted, the earliest first."""
        first: date = self.first_month
        found = [Period(first, next_month(first).start)]
        while len(found) < self.month_count:
            found.append(next_month(found[-1].start))
        return found

    @property
    def is_unfinished(self) -> bool:
        """Whether it waits for a worker or one is at it."""
        return self.status in UNFINISHED_SIMULATIONS

    @property
    def is_completed(self) -> bool:
        """Whether it has a result: until then, and where it failed, its sums and counts are not known."""
        return self.status == SimulationStatus.COMPLETED

    @property
    def difference(self) -> Decimal:
        """The amount that all of them together would have paid more; negative for less."""
        difference: Decimal = self.revenue_then - self.revenue_now
        return difference

    @property
    def margin_now(self) -> Decimal | None:
        """Revenue less cost, as it was; None where the cost isn't known."""
        return None if self.cost is None else self.revenue_now - self.cost

    @property
    def margin_then(self) -> Decimal | None:
        """Revenue less cost under the simulated terms; None where the cost isn't known."""
        return None if self.cost is None else self.revenue_then - self.cost


class PlanSimulationRow(models.Model):
    """One month of one subscriber, under the terms that it had and under the simulated ones, without tax.

    `cost` is what its deployment cost in the month, null where that isn't known, without the `unpriced` days
    of resources that have no list price. `crosses_into` are the billing kinds whose usage is over the
    allowance under the simulated terms alone, `loses_price` those that have an overage without a price under
    them alone. `size` is how much the two differ, for the order.
    """

    simulation = models.ForeignKey(PlanSimulation, models.CASCADE, related_name="rows", db_index=False)
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="+", db_index=False)
    # Its subscription's, which the database checks: a check of its own would be a third of a commit's time.
    deployment = models.ForeignKey(
        Deployment, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    tenant_id = models.TextField("tenant")
    month = models.DateField()
    revenue_now = _amount_field()
    revenue_then = _amount_field()
    cost = _amount_field(null=True, blank=True)
    # Null in rows of a release that didn't count them yet. Without a check, which would read the whole table.
    unpriced = models.IntegerField(null=True, blank=True)
    crosses_into = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    loses_price = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    size = models.GeneratedField(
        expression=Abs(F("revenue_then") - F("revenue_now")), output_field=_amount_field(), db_persist=True
    )

    class Meta:
        db_table = "plan_simulation_rows"
        constraints = [
            models.UniqueConstraint(
                fields=["simulation", "subscription", "month"], name="plan_simulation_row_once"
            )
        ]
        # A page has the largest differences of one simulation, and a file all of them in this order.
        indexes = [models.Index(fields=["simulation", "-size", "-id"], name="plan_simulation_row_largest")]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.month:%Y-%m}"

    @property
    def difference(self) -> Decimal:
        """The amount that the subscriber would have paid more; negative for less."""
        difference: Decimal = self.revenue_then - self.revenue_now
        return difference
