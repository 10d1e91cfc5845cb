"""Rows for the tests of margin: subscriptions of April 2026, costs of days, rates."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from arcadia_cloud.kernel.periods import Period, month_of
from billing.costs.margin_months import compute_margin_month
from billing.models import CostDay, DailyCost, ExchangeRate
from billing.queries import MarginBy, MarginReport, SpreadRule, report_margin
from billing.values import CostSource
from catalog.models import PlanVersion
from deployments.models import Deployment, Subscription
from deployments.services import create_subscription
from tests.catalog.rows import active, published, stored_plan

APRIL: Final = month_of(date(2026, 4, 1))
LATER: Final = datetime(2026, 5, 10, 12, tzinfo=UTC)


def a_rate(rate: str = "0.65", *, day: date = date(2026, 4, 30), pair: str = "AUD USD") -> ExchangeRate:
    source, target = pair.split()
    return ExchangeRate.objects.create(
        from_currency=source, to_currency=target, day=day, rate=Decimal(rate), source="a test"
    )


def a_plan(code: str = "studio", cents: int = 5000, **included: int) -> PlanVersion:
    plan = stored_plan(code)
    return active(plan) or published(plan, cents, **included)


def sold(
    slug: str = "shop", *, tenant: str = "acme", plan: str = "studio", cents: int = 5000, day: int = 1
) -> Subscription:
    """A deployment with a subscription since that day of April."""
    a_plan(plan, cents)
    deployment = Deployment.objects.get_or_create(tenant_id=tenant, slug=slug)[0]
    return create_subscription(
        deployment_pk=deployment.pk, plan_code=plan, actor="a test", at=datetime(2026, 4, day, tzinfo=UTC)
    )


def cost_of(amount: str, deployment: Deployment | None = None, **fields: Any) -> DailyCost:
    """A cost of the first of April; `fields` override."""
    tenant = None if deployment is None else deployment.tenant_id
    plain = {"day": APRIL.start, "source": "billed", "kind": "droplet", "resources": 1, "tenant_id": tenant}
    return DailyCost.objects.create(amount=Decimal(amount), deployment=deployment, **{**plain, **fields})


def a_computed_day(day: date) -> CostDay:
    """A day whose costs were computed, whatever they are."""
    return CostDay.objects.create(day=day, source=CostSource.ACCRUED, computed_at=LATER)


def margin(
    by: MarginBy = MarginBy.DEPLOYMENT,
    spread: SpreadRule = SpreadRule.NONE,
    *,
    month: Period = APRIL,
    at: datetime = LATER,
) -> MarginReport:
    """Compute a month and report it."""
    compute_margin_month(month)
    return report_margin(month=month, by=by, spread=spread, at=at)


def figures_of(report: MarginReport) -> dict[str, tuple[str, str, str]]:
    """Return revenue, cost and margin of each row, in cents."""
    return {
        row.name: (
            f"{row.figures.revenue:.2f}",
            f"{row.figures.cost + row.figures.shared:.2f}",
            f"{row.figures.margin:.2f}",
        )
        for row in report.rows
    }
