"""Subscribers with usage and costs of past months, and drafts to simulate."""

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.apps import apps
from django.db import connection

from arcadia_cloud.kernel.periods import Period, month_of
from billing.models import CostDay, DailyCost, PlanSimulation
from billing.services import request_plan_simulation, run_simulation
from billing.values import CostSource
from catalog.models import PlanVersion
from catalog.services import create_draft_from
from deployments.models import Subscription
from metering.models import UsageRecord
from tests.deployments.rows import BY, noon

JULY_2: Final = noon(2, 7)  # June is the last complete month then
MAY_1: Final = noon(1, 5).replace(hour=0)
JUNE: Final = month_of(date(2026, 6, 1))
_MANY = """
    WITH made AS (
        INSERT INTO cloud_deployments (tenant_id, slug, display_name, region, state)
        SELECT 'tenant-' || n, 'app-' || n || '-' || %(many)s, '', '', 'active'
        FROM generate_series(1, %(many)s) AS n
        RETURNING id
    ), bound AS (
        INSERT INTO subscriptions (deployment_id, plan_version_id, status, current_period_start,
                                   current_period_end, created_at)
        SELECT id, %(version)s, 'active', '2026-07-01', '2026-08-01', '2026-01-01Z' FROM made
        RETURNING id, deployment_id
    ), used AS (
        INSERT INTO usage_records (deployment_id, resource_kind, period_start, period_end, granularity, qty)
        SELECT deployment_id, 'spaces_gb_month', '2026-06-03Z', '2026-06-04Z', 'daily', deployment_id %% 300
        FROM bound
    )
    INSERT INTO subscription_versions (subscription_id, plan_version_id, starts_on)
    SELECT id, %(version)s, '2026-01-01' FROM bound
"""


def used(subscription: Subscription, kind: str, quantity: str, *, day: date = date(2026, 6, 10)) -> None:
    """Record a usage of a day."""
    bounds = Period(day, date.fromordinal(day.toordinal() + 1))
    UsageRecord.objects.create(
        deployment_id=subscription.deployment_id,
        resource_kind=kind,
        granularity="daily",
        period_start=bounds.starts_at,
        period_end=bounds.ends_at,
        qty=Decimal(quantity),
    )


def computed(month: Period = JUNE) -> None:
    """Have every day of a month computed."""
    CostDay.objects.bulk_create(
        CostDay(day=day, source=source, computed_at=noon(1, 7)) for day in month for source in CostSource
    )


def costs(
    subscription: Subscription, amount: str, *, day: date = date(2026, 6, 10), source: str = "accrued",
    unpriced: int = 0,
) -> None:  # fmt: skip
    """Store what a day of a deployment cost, without so many resources that have no list price."""
    DailyCost.objects.create(
        day=day,
        source=source,
        tenant_id=subscription.deployment.tenant_id,
        deployment=subscription.deployment,
        kind="droplet",
        amount=Decimal(amount),
        resources=1 + unpriced,
        unpriced=unpriced,
    )


def in_dollars(*versions: PlanVersion) -> None:
    """Have drafts priced in US dollars, as costs are: their margin needs no exchange rate."""
    PlanVersion.objects.filter(pk__in=[version.pk for version in versions]).update(currency="USD")


def simulated(version: PlanVersion, months: int = 1, *, at: datetime = JULY_2) -> PlanSimulation:
    """Ask for a simulation, and run it."""
    asked = request_plan_simulation(version_pk=version.pk, months=months, actor=BY, at=at, enqueue=False)
    return run_simulation(simulation_pk=asked.pk)


def changes(simulation: PlanSimulation) -> list[tuple[str, str, str, str]]:
    """Return slug, month, revenue now and then of each row, the largest difference first."""
    return [
        (
            row.deployment.slug,
            f"{row.month:%Y-%m}",
            f"{row.revenue_now:.2f}",
            f"{row.revenue_then:.2f}",
        )
        for row in simulation.rows.select_related("deployment").order_by("-size", "pk")
    ]


def contents_of_book() -> dict[str, tuple[int, str]]:
    """Count and sum up the rows of every table but those that a simulation is kept in, and its lease."""
    own = {"plan_simulations", "plan_simulation_rows", "leases"}
    tables = {model._meta.db_table for model in apps.get_models() if model._meta.managed} - own
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(tables):
            cursor.execute(
                f"SELECT count(*), coalesce(md5(string_agg(md5(row::text), '' ORDER BY md5(row::text))), '')"  # noqa: S608 - our own tables' names
                f' FROM "{table}" AS row'
            )
            found[table] = cursor.fetchone()
    return found


def cheaper(version: PlanVersion, price_cents: int = 4500) -> PlanVersion:
    """Make a draft of the version with another base price."""
    made = create_draft_from(version_pk=version.pk, actor=BY)
    made.base_price_cents = price_cents
    made.save()
    return made


def subscribe_many(version: PlanVersion, many: int) -> None:
    """Store so many subscribers of a version since January, with usage in June."""
    with connection.cursor() as cursor:
        cursor.execute(_MANY, {"many": many, "version": version.pk})
