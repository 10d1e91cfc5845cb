"""Rows for the tests of deployments: tenants' deployments, and a catalog to subscribe to."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from arcadia_cloud.kernel.periods import Period, month_of
from catalog.models import Addon, PlanVersion
from catalog.queries import price_book
from catalog.quote import quote
from catalog.services import publish_version
from catalog.values.lines import Quote
from deployments.models import Deployment, DeploymentEvent, Subscription
from deployments.queries import get_subscription_for_deployment, quote_inputs
from deployments.services import create_deployment, create_subscription
from tests.catalog.rows import active, draft, stored_plan

JUNE: Final = month_of(date(2026, 6, 1))
JULY: Final = month_of(date(2026, 7, 1))
BY: Final = "a test"


def noon(day: int, month: int = 6) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


def on_sale(code: str, price_cents: int, *, proration: str = "none", **included: int) -> PlanVersion:
    """Publish the next version of a plan."""
    plan = stored_plan(code)
    version = draft(plan, price_cents, **included)
    PlanVersion.objects.filter(pk=version.pk).update(proration=proration)
    present = active(plan)
    return publish_version(
        version_pk=version.pk,
        replaces=present.pk if present else None,
        actor=BY,
        at=noon(1),
        note="of a test",
    )


def storage(code: str = "storage_50gb", price_cents: int = 750) -> Addon:
    return Addon.objects.create(
        code=code, name=code, resource_kind="spaces_gb_month", qty=Decimal(50), price_cents=price_cents
    )


def deployed(
    slug: str = "shop", *, tenant: str = "acme", at: datetime | None = None, **more: Any
) -> Deployment:
    return create_deployment(tenant_id=tenant, slug=slug, actor=BY, at=at or noon(1), **more)


def subscribed(
    plan: str = "studio", *addons: str, slug: str = "shop", at: datetime | None = None, **more: Any
) -> Subscription:
    """Make a deployment with a subscription, on the first of June by default."""
    deployment = deployed(slug, at=at, trial=more.pop("trial", False))
    return create_subscription(
        deployment_pk=deployment.pk, plan_code=plan, addons=addons, actor=BY, at=at or noon(1), **more
    )


def quoted(subscription: Subscription, period: Period = JUNE) -> Quote:
    """Quote a period of a subscription as it is stored now, without usage."""
    found = get_subscription_for_deployment(subscription.deployment_id)
    assert found is not None
    return quote(quote_inputs(found, period, price_book(period, found.plan_version.currency)))


def total(subscription: Subscription, period: Period = JUNE) -> str:
    return f"{quoted(subscription, period).total.amount:.2f}"


def days_of(subscription: Subscription) -> list[tuple[str, str, str | None]]:
    """Return each version's plan with its days."""
    return [
        (
            row.plan_version.plan.code,
            row.starts_on.isoformat(),
            row.ends_on.isoformat() if row.ends_on else None,
        )
        for row in subscription.versions.select_related("plan_version__plan")
    ]


def told(deployment: Deployment) -> list[tuple[str, str, str]]:
    """Return the events of a deployment, the oldest first."""
    events = DeploymentEvent.objects.filter(deployment=deployment).order_by("id")
    return [(event.event_type, event.from_value, event.to_value) for event in events]
