"""A small book that is sound: a subscribed deployment with a droplet, its usage, an invoice and its days."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from arcadia_cloud.kernel.periods import month_of
from billing.costs.days import compute_due_days, make_days_due
from billing.models import CostDay, ProviderInvoice
from billing.values import CostSource
from deployments.models import Deployment
from deployments.services import create_subscription
from inventory.models import Resource
from metering.models import SpanChange
from metering.services import meter_day
from provisioning.models import Provisioned, SagaRun, SagaSubject
from tests.billing.csv_files import a_line
from tests.billing.rows import APRIL, a_resource, an_invoice, store_lines
from tests.billing.spans import give_spans
from tests.catalog.rows import published, stored_plan

AT: Final = datetime(2026, 5, 2, 3, 55, tzinfo=UTC)
BORN: Final = datetime(2026, 3, 31, tzinfo=UTC)
METERED: Final = [date(2026, 4, 1) + timedelta(days=number) for number in range(31)]  # to 1 May


@dataclass(frozen=True)
class Book:
    """Its rows that tests name."""

    deployment: Deployment
    resource: Resource
    invoice: ProviderInvoice


def a_sound_book() -> Book:
    """Store it, as of the 2nd of May."""
    published(stored_plan("studio"), droplet_hours=1000)
    deployment = Deployment.objects.create(tenant_id="acme", slug="shop")
    create_subscription(
        deployment_pk=deployment.pk,
        plan_code="studio",
        actor="a test",
        at=datetime(2026, 4, 1, tzinfo=UTC),
    )
    owner: dict[str, Any] = {"deployment": deployment, "tenant_id": "acme"}
    resource = a_resource("web-01", provider_created_at=BORN, first_seen_at=BORN, **owner)
    give_spans(resource, [(BORN, None, owner)])
    Provisioned.objects.create(resource=resource, spec={"size": "s-1vcpu-1gb"})
    saga = SagaRun.objects.create(
        kind="echo", step_modules=["echo"], inputs={}, subjects=["droplet:1"], requested_by="a test"
    )
    SagaSubject.objects.create(subject="droplet:1", saga=saga)
    for day in METERED:
        meter_day(day, at=AT)
    SpanChange.objects.all().delete()  # as a metering run does
    invoice = bill_april()
    return Book(deployment, resource, invoice)


def bill_april() -> ProviderInvoice:
    """Store April's invoice, a droplet's line and tax on it, and spread it over its days."""
    invoice = an_invoice(amount="6.60")
    totals = store_lines([a_line(), a_line(2, "GST", "0.60", product="Taxes", category="")], invoice=invoice)
    ProviderInvoice.objects.filter(pk=invoice.pk).update(
        ingest_status="ingested", line_count=2, lines_total=Decimal("6.60")
    )
    assert totals.total == Decimal("6.60")
    spread_april()
    return ProviderInvoice.objects.get(pk=invoice.pk)


def spread_april() -> None:
    """Compute April's billed days."""
    CostDay.objects.bulk_create(
        (CostDay(day=day, source=CostSource.BILLED) for day in month_of(APRIL)), ignore_conflicts=True
    )
    make_days_due(CostSource.BILLED, month_of(APRIL))
    compute_due_days()
