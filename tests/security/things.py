"""One thing of a tenant for every address that has a parameter: `MAKERS` by the beginning of the route."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from billing.models import (
    BalanceSnapshot,
    CostAnomaly,
    CostLine,
    DailyCost,
    PlanSimulation,
    PlanSimulationRow,
    ProviderInvoice,
)
from catalog.models import Addon, Plan, PlanTenant, PlanVersion
from deployments.models import Deployment, Subscription
from deployments.services import create_deployment, create_subscription
from drift.models import Drift
from inventory.models import Resource, ResourceEvent
from metering.models import UsageRecord
from provisioning.models import SagaRun, SagaStepResult
from tests.catalog.rows import published
from tests.security.addresses import Endpoint

# Values that no other tenant may ever read, and a price that no tenant may.
CANARY = "canary-of-"
SECRET_PRICE_CENTS = 1_987_654_321


def resource_of(tenant: str) -> Mapping[str, Any]:
    """A resource with history and cost; everything readable in it bears the tenant's canary."""
    now = timezone.now()
    mark = CANARY + tenant
    resource = Resource.objects.create(
        kind="droplet",
        provider_id=mark,
        name=mark,
        region="syd1",
        status="active",
        tenant_id=tenant,
        tags=[mark],
        attrs={"mark": mark},
        deployment=Deployment.objects.get_or_create(tenant_id=tenant, slug=mark)[0],
        monthly_price_cents=SECRET_PRICE_CENTS,
        first_seen_at=now,
        last_seen_at=now,
    )
    ResourceEvent.objects.create(
        resource=resource,
        event_type="discovered",
        changes={"name": [None, mark], "monthly_price_cents": [None, SECRET_PRICE_CENTS]},
        at=now,
        actor=mark,
    )
    return {"pk": resource.pk}


def invoice_of(tenant: str) -> Mapping[str, Any]:
    """An invoice with a line about the tenant's resource, and a balance."""
    now = timezone.now()
    mark = CANARY + tenant
    invoice = ProviderInvoice.objects.create(
        invoice_uuid=mark, period=now.date().replace(day=1), amount=SECRET_PRICE_CENTS, ingest_error=mark
    )
    CostLine.objects.create(
        invoice=invoice,
        line_no=1,
        product="Droplets",
        description=mark,
        started_at=now,
        ended_at=now,
        amount=SECRET_PRICE_CENTS,
        project_name=mark,
        kind="droplet",
        name=mark,
        is_tax=False,
        resource_id=resource_of(tenant)["pk"],
        match="id",
    )
    figures = ("month_to_date_balance", "account_balance", "month_to_date_usage")
    BalanceSnapshot.objects.get_or_create(
        hour=now.replace(minute=0, second=0, microsecond=0),
        defaults={**dict.fromkeys(figures, SECRET_PRICE_CENTS), "generated_at": now, "captured_at": now},
    )
    return {"pk": invoice.pk}


def saga_of(tenant: str) -> Mapping[str, Any]:
    """A dead letter with one step; what only operators may read of it shows a price."""
    now = timezone.now()
    mark = CANARY + tenant
    secret = {"monthly_price_cents": SECRET_PRICE_CENTS}
    saga = SagaRun.objects.create(
        kind=mark,
        status="failed",
        step_modules=[mark],
        inputs=secret,
        context=secret,
        error={"reason": f"unregistered_step:{mark}", "compensate_from_idx": None, **secret},
        wait_reason=f"monthly_price {SECRET_PRICE_CENTS}",
        subjects=[f"droplet:{SECRET_PRICE_CENTS}"],
        requested_by=f"monthly_price {SECRET_PRICE_CENTS}",
        tenant_id=tenant,
        deployment=Deployment.objects.get_or_create(tenant_id=tenant, slug=mark)[0],
        finished_at=now,
    )
    SagaStepResult.objects.create(
        saga=saga,
        step_idx=0,
        name=mark,
        status="failed",
        output=secret,
        error={"type": "ProviderRejected", "message": f"422 monthly_price {SECRET_PRICE_CENTS}"},
        started_at=now,
        began_at=now,
    )
    return {"pk": saga.pk}


def plan_of(tenant: str) -> Mapping[str, Any]:
    """A plan that is offered to the tenant alone, with a version on sale; and an add-on."""
    mark = CANARY + tenant
    plan = Plan.objects.create(code=mark, name=mark, description=mark, public=False)
    PlanTenant.objects.create(plan=plan, tenant_id=tenant)
    published(plan, dns_zones=5)
    Addon.objects.create(
        code=f"addon-{plan.pk}", name="More", resource_kind="dns_zones", qty=5, price_cents=100
    )
    return {"code": plan.code}


def deployment_of(tenant: str) -> Mapping[str, Any]:
    """A subscribed deployment; everything readable in it bears the tenant's canary."""
    mark = CANARY + tenant
    code = plan_of(tenant)["code"]
    Addon.objects.create(code=mark, name=mark, resource_kind="dns_zones", qty=1, price_cents=100)
    deployment = create_deployment(tenant_id=tenant, slug=f"{mark}-app", actor=mark, at=timezone.now())
    create_subscription(
        deployment_pk=deployment.pk, plan_code=code, addons=[mark], actor=mark, at=timezone.now()
    )
    return {"pk": deployment.pk, "code": mark}


def usage_of(tenant: str) -> Mapping[str, Any]:
    """Usage of a deployment, whose sub-account bears the tenant's canary."""
    values = deployment_of(tenant)
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    UsageRecord.objects.create(
        deployment_id=values["pk"],
        resource_kind="llm_tokens",
        period_start=today,
        period_end=today + timedelta(days=1),
        granularity="daily",
        qty=7,
        sub_account=CANARY + tenant,
    )
    return values


def drift_of(tenant: str) -> Mapping[str, Any]:
    """An open difference of the tenant's resource."""
    now = timezone.now()
    drift = Drift.objects.create(
        resource_id=resource_of(tenant)["pk"],
        kind="droplet",
        field="name",
        expected=CANARY + tenant,
        actual="renamed",
        cause=tenant,
        detected_at=now,
        last_seen_at=now,
    )
    return {"pk": drift.pk}


def event_of(tenant: str) -> Mapping[str, Any]:
    """Events of a resource, a deployment and a saga of the tenant."""
    resource_of(tenant)
    deployment_of(tenant)
    saga_of(tenant)
    return {}


def version_of(tenant: str) -> Mapping[str, Any]:
    """A version of a plan that is offered to the tenant alone."""
    return {"pk": PlanVersion.objects.get(plan__code=plan_of(tenant)["code"]).pk}


def simulation_of(tenant: str) -> Mapping[str, Any]:
    """A completed price simulation with a month of the tenant's."""
    now = timezone.now()
    subscription = Subscription.objects.get(deployment=deployment_of(tenant)["pk"])
    first = now.date().replace(day=1)
    simulation = PlanSimulation.objects.create(
        plan_version=subscription.plan_version,
        version_name=CANARY + tenant,
        terms_digest="0" * 64,
        currency="AUD",
        first_month=first,
        month_count=1,
        status="completed",
        requested_by=CANARY + tenant,
        requested_at=now,
        finished_at=now,
        cost=SECRET_PRICE_CENTS,
    )
    PlanSimulationRow.objects.create(
        simulation=simulation,
        subscription=subscription,
        deployment=subscription.deployment,
        tenant_id=tenant,
        month=first,
        revenue_now=1,
        revenue_then=2,
        cost=SECRET_PRICE_CENTS,
    )
    return {"pk": simulation.pk}


def anomaly_of(tenant: str) -> Mapping[str, Any]:
    """An open cost anomaly of the tenant."""
    now = timezone.now()
    anomaly = CostAnomaly.objects.create(
        tenant_id=tenant,
        kind="droplet",
        direction="up",
        source="accrued",
        began_on=now.date(),
        last_day=now.date(),
        amount=SECRET_PRICE_CENTS,
        expected=1,
        cause=CANARY + tenant,
        detected_at=now,
    )
    return {"pk": anomaly.pk}


def closed_month_of(tenant: str) -> Mapping[str, Any]:
    """An invoice of April 2026, issued in May, and a billed day of the tenant."""
    first = date(2026, 4, 1)
    ProviderInvoice.objects.create(
        invoice_uuid=f"closed {tenant}", period=first, amount=1, issued_on=date(2026, 5, 1)
    )
    DailyCost.objects.create(
        day=first, source="billed", part="matched", tenant_id=tenant, kind="droplet", amount=1, resources=1
    )
    return {}


MAKERS: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
    "api/v1/catalog/plan-versions": version_of,  # before the shorter one
    "api/v1/catalog/simulations": simulation_of,
    "api/v1/catalog": plan_of,
    "api/v1/deployments": deployment_of,
    "api/v1/metering": usage_of,
    "api/v1/inventory": resource_of,
    "api/v1/billing": invoice_of,
    "api/v1/costs/anomalies": anomaly_of,
    "api/v1/costs/accuracy": closed_month_of,
    "api/v1/costs/undercharges": closed_month_of,
    "api/v1/sagas": saga_of,
    "api/v1/drift": drift_of,
    "api/v1/events": event_of,
}


def thing_of(endpoint: Endpoint, tenant: str) -> Mapping[str, Any]:
    """Make what the endpoint is about, for that tenant; return the path's values."""
    for prefix, maker in MAKERS.items():
        if endpoint.route.startswith(prefix):
            return maker(tenant)
    assert not endpoint.parameters, f"say in MAKERS how to make what {endpoint.route} is about"
    return {}
