"""Rows for the console to show."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from axes.models import AccessAttempt
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.models import Lease
from billing.models import (
    AuditFinding,
    BalanceSnapshot,
    BillingEntry,
    CostAnomaly,
    CostLine,
    DailyCost,
    ExchangeRate,
    PlanSimulation,
    ProviderInvoice,
    ProviderPrice,
)
from catalog.models import Addon, ResourcePrice, TaxRate
from catalog.values.kinds import BillingKind
from deployments.models import Deployment, DeploymentTemplate
from deployments.services import create_subscription
from drift.models import Drift, DriftIgnoreRule
from inventory.models import Project, Resource, ResourceEvent, SyncRun
from inventory.values import RunMode, RunOutcome
from metering.models import BandwidthMeasurement, BandwidthSource, MeteringConfig, UsageRecord
from metering.values import BandwidthOrigin, Granularity
from provisioning.models import Provisioned, SagaRun, SagaStepResult
from provisioning.services import protect
from tests.catalog.rows import published, stored_plan
from tests.inventory.observations import START, a_project, minute, observed, seen

EVERY_LIST = (
    "inventory/resource",
    "inventory/project",
    "inventory/syncrun",
    "inventory/resourceevent",
    "catalog/plan",
    "catalog/planversion",
    "catalog/addon",
    "catalog/resourceprice",
    "catalog/taxrate",
    "deployments/deployment",
    "deployments/subscription",
    "deployments/deploymenttemplate",
    "provisioning/sagarun",
    "provisioning/provisioned",
    "provisioning/protectedresource",
    "drift/drift",
    "drift/driftignorerule",
    "metering/usagerecord",
    "metering/meteringconfig",
    "metering/bandwidthsource",
    "metering/bandwidthmeasurement",
    "billing/providerinvoice",
    "billing/costline",
    "billing/balancesnapshot",
    "billing/billingentry",
    "billing/providerprice",
    "billing/dailycost",
    "billing/auditfinding",
    "billing/plansimulation",
    "billing/costanomaly",
    "billing/exchangerate",
    "kernel/alert",
    "kernel/lease",
    "django_celery_beat/periodictask",
    "django_celery_beat/crontabschedule",
    "django_celery_beat/intervalschedule",
)
ACCESS_LISTS = ("auth/user", "auth/group", "axes/accessattempt", "admin/logentry")


def a_run(number: int = 1, *, kind: str = "droplet", outcome: str = RunOutcome.COMPLETE) -> SyncRun:
    """A run; a running one has seen 40 of 100."""
    running = outcome == RunOutcome.RUNNING
    return SyncRun.objects.create(
        kind=kind,
        mode=RunMode.FULL,
        requested_by="a test",
        started_at=minute(number),
        finished_at=None if running else minute(number) + timedelta(seconds=72),
        outcome=outcome,
        seen=40,
        expected=100,
        error="DigitalOcean answered 503" if outcome == RunOutcome.FAILED else "",
    )


def a_saga(number: int = 1, **fields: Any) -> SagaRun:
    """An echo that waits in its second step of three; it works on droplet `number`."""
    values: dict[str, Any] = {"kind": "echo", "status": "waiting", "step_modules": ["echo"] * 3}
    values |= {"inputs": {"message": "hello"}, "subjects": [f"droplet:{number}"], "requested_by": "a test"}
    values |= {"current_step_idx": 1, "wait_reason": "the provider is slow", "started_at": minute(number)}
    values |= {"wake_at": minute(number + 1)}
    saga = SagaRun.objects.create(**values | fields)
    for idx, status in enumerate(("completed", "waiting")):
        SagaStepResult.objects.create(
            saga=saga,
            step_idx=idx,
            name="echo",
            status=status,
            output={f"echoed_at_step_{idx}": "hello"},
            started_at=minute(number),
            began_at=minute(number),
            finished_at=minute(number) if status == "completed" else None,
        )
    return saga


def some_of_everything(count: int) -> None:
    """So many rows of every table that has a list, each resource in a project and with a deployment."""
    first = Resource.objects.count()
    for number in range(first, first + count):
        project = a_project(f"project-{number}", tenant_id=f"tenant-{number}")
        deployment = Deployment.objects.create(tenant_id=f"tenant-{number}", slug=f"app-{number}")
        DeploymentTemplate.objects.create(code=f"template-{number}", version=1, spec={})
        observed(seen(str(number), project_id=project.pk), source=f"run:{a_run(number).pk}")
        raise_alert(code="test", subject=f"saga:{a_saga(number).pk}", message="Something is wrong")
        _one_of_the_console(number)
        _one_of_the_catalog(number)
        create_subscription(
            deployment_pk=deployment.pk, plan_code=f"plan-{number}", actor="a test", at=timezone.now()
        )
    for resource in Resource.objects.filter(deployment=None, tenant_id__startswith="tenant-"):
        deployment = Deployment.objects.get(tenant_id=resource.tenant_id)
        Resource.objects.filter(pk=resource.pk).update(deployment=deployment)
        Provisioned.objects.create(
            resource=resource, spec={"size": "s-1vcpu-1gb"}, saga=SagaRun.objects.first()
        )
        protect(resource_pk=resource.pk, actor="a test", note="keep it")
        billed(resource)
        a_drift(resource)
        _metered(resource, deployment)


def _metered(resource: Resource, deployment: Deployment) -> None:
    """A day's usage of the resource, its bandwidth, and terms from a day of its own on."""
    start = minute(0).replace(hour=0, minute=0) + timedelta(days=resource.pk % 10_000)
    day = start.date()
    UsageRecord.objects.create(
        deployment=deployment,
        resource=resource,
        resource_kind=BillingKind.DROPLET_HOURS,
        period_start=start,
        period_end=start + timedelta(days=1),
        granularity=Granularity.DAILY,
        qty=24,
    )
    by: dict[str, Any] = {"set_by": "a test", "set_at": start}
    MeteringConfig.objects.create(resource_kind=BillingKind.DROPLET_HOURS, effective_from=day, **by)
    BandwidthSource.objects.create(
        deployment=deployment, source=BandwidthOrigin.NONE, effective_from=day, **by
    )
    BandwidthMeasurement.objects.create(
        resource=resource,
        day=day,
        gigabytes=1,
        coverage=1,
        samples=288,
        measured_at=start + timedelta(days=1),
    )


def a_drift(resource: Resource, **fields: Any) -> Drift:
    """An open row of the resource, and a rule that covers nothing of it."""
    at = minute(1)
    DriftIgnoreRule.objects.create(kind=resource.kind, field="x", reason="a test", created_by="a test")
    values: dict[str, Any] = {
        "kind": resource.kind,
        "field": "size_slug",
        "expected": "s-2vcpu-4gb",
        "actual": "s-1vcpu-1gb",
        "cause": "0123",
    }
    return Drift.objects.create(resource=resource, detected_at=at, last_seen_at=at, **{**values, **fields})


def billed(resource: Resource) -> None:
    """An invoice with a line about the resource, and what comes with invoices."""
    at = minute(60 * resource.pk).replace(minute=0)
    invoice = ProviderInvoice.objects.create(
        invoice_uuid=f"uuid-{resource.pk}", period=at.date().replace(day=1), amount=5
    )
    CostLine.objects.create(
        invoice=invoice,
        line_no=1,
        description="web (s-1vcpu-1gb)",
        started_at=at,
        ended_at=at,
        amount=5,
        kind="droplet",
        is_tax=False,
        resource=resource,
        match="unique",
    )
    BillingEntry.objects.create(type="Payment", date=at, amount=-5)
    ProviderPrice.objects.create(
        kind="droplet", sku=f"size-{at:%j}-{invoice.pk}", price=6, source="a test", read_on=at.date()
    )
    DailyCost.objects.create(
        day=at.date(), source="accrued", kind="droplet", tenant_id=f"t{invoice.pk}", amount=1, resources=1
    )
    AuditFinding.objects.create(
        rule="line_outside_life",
        subject=f"line:{invoice.pk}/{resource.pk}",
        link=f"resource:{resource.pk}",
        expected="lines of hours in which it lived",
        actual="1 line of other hours",
        first_seen_at=at,
        last_seen_at=at,
    )
    PlanSimulation.objects.create(
        version_name=f"plan-{invoice.pk}/1",
        terms_digest="0" * 64,
        currency="AUD",
        first_month=at.date().replace(day=1),
        month_count=1,
        requested_by="a test",
        requested_at=at,
    )
    CostAnomaly.objects.create(
        tenant_id=f"t{invoice.pk}",
        kind="droplet",
        direction="up",
        source="accrued",
        began_on=at.date(),
        last_day=at.date(),
        amount=15,
        expected=5,
        cause="Cost of t +200 %.",
        parts=[{"cause": "rest", "text": "nothing in our history", "amount": "10"}],
        detected_at=at,
    )
    ExchangeRate.objects.create(
        from_currency="AUD",
        day=START.date() + timedelta(days=resource.pk % 10_000),
        rate=Decimal("0.65"),
        source="a test",
    )
    BalanceSnapshot.objects.create(
        hour=at,
        month_to_date_balance=5,
        account_balance=0,
        month_to_date_usage=5,
        generated_at=at,
        captured_at=at,
    )


def queries_of(client: Client, address: str, *, again: bool = False) -> list[str]:
    """The statements of one page; `again` when the test has counted this page before."""
    if not again:
        client.get(address)  # what a process reads once isn't the page's cost
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in captured.captured_queries]


def _one_of_the_catalog(number: int) -> None:
    """A plan with a published version and one item, an add-on, and a dated price and tax in force since."""
    since = START.date() + timedelta(days=number)
    published(stored_plan(f"plan-{number}"), dns_zones=5)
    Addon.objects.create(
        code=f"addon-{number}", name="More", resource_kind="dns_zones", qty=5, price_cents=100
    )
    until = since + timedelta(days=1)
    ResourcePrice.objects.create(
        resource_kind="dns_zones", price_cents=50, effective_from=since, effective_to=until
    )
    TaxRate.objects.create(code="GST", percent=10, effective_from=since, effective_to=until)


def _one_of_the_console(number: int) -> None:
    """A lease, a scheduled task, a login in a group of its own, one that failed, and a change it made."""
    now = timezone.now()
    Lease.objects.create(
        name=f"test:{number}",
        token=uuid4(),
        holder="a test",
        acquired_at=now,
        heartbeat_at=now,
        expires_at=now,
    )
    every = IntervalSchedule.objects.create(every=1000 + number, period=IntervalSchedule.MINUTES)
    at = CrontabSchedule.objects.create(minute=str(number % 60), hour="3")
    when = {"crontab": at} if number % 2 else {"interval": every}
    PeriodicTask.objects.create(name=f"task-{number}", task="inventory.sync", **when)
    user = User.objects.create_user(f"user-{number}", is_staff=True)
    user.groups.add(Group.objects.create(name=f"group-{number}"))
    AccessAttempt.objects.create(username=f"user-{number}", failures_since_start=1)
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(user.pk),
        object_repr="x",
        action_flag=CHANGE,
        change_message="x",
    )


__all__ = ["START", "Project", "ResourceEvent", "a_run", "a_saga", "queries_of", "some_of_everything"]
