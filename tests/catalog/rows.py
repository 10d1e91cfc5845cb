"""Rows of the catalog for tests: plans with versions as they are wanted."""

from datetime import UTC, datetime
from typing import Any, Final

from catalog.models import Plan, PlanItem, PlanVersion
from catalog.services import publish_version

AT: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)


def stored_plan(code: str = "studio", **fields: Any) -> Plan:
    plan, _ = Plan.objects.get_or_create(code=code, defaults={"name": code.title(), **fields})
    return plan


def draft(plan: Plan, price_cents: int = 5000, **included: int) -> PlanVersion:
    """Store the plan's next version as a draft, with an item at 1.00 a unit for each kind."""
    version = PlanVersion.objects.create(
        plan=plan, number=plan.versions.count() + 1, base_price_cents=price_cents
    )
    for kind, allowance in included.items():
        PlanItem.objects.create(
            version=version, resource_kind=kind, included_qty=allowance, overage_price_cents=100
        )
    return version


def active(plan: Plan) -> PlanVersion | None:
    return plan.versions.filter(status="active").first()


def published(plan: Plan, price_cents: int = 5000, **included: int) -> PlanVersion:
    """Store and publish the plan's next version."""
    version = draft(plan, price_cents, **included)
    present = active(plan)
    return publish_version(
        version_pk=version.pk,
        replaces=present.pk if present else None,
        actor="a test",
        at=AT,
        note="of a test",
    )
