"""`simulate`: a month of every subscriber quoted again under a draft and kept, against the bare quotes.

The floor reads the month's usage of the fleet at once, and quotes each month as it was and under the draft.
It has subscriptions and terms in memory, compares nothing, knows no costs and keeps nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from django.db import connection

from arcadia_cloud.kernel.periods import month_of
from bench.harness import Contender, Row, bench, compare
from bench.scratch import scratch_database
from billing.models import PlanSimulation, PlanSimulationRow
from billing.services import request_plan_simulation, run_simulation
from catalog.models import Plan, PlanItem, PlanVersion, TaxRate
from catalog.queries import price_book
from catalog.quote import quote
from catalog.services import create_draft_from, publish_version
from catalog.values.kinds import BillingKind
from catalog.values.terms import PlanTerms, QuoteInputs, Segment
from deployments.models import Subscription
from metering.queries import fleet_usage_for_period

SUBSCRIBERS: Final = 10_000
TARGET: Final = 1.5
JUNE: Final = month_of(date(2026, 6, 1))
AT: Final = datetime(2026, 7, 2, 3, tzinfo=UTC)
_FILL: Final = """
    INSERT INTO cloud_deployments (tenant_id, slug, display_name, region, state)
    SELECT 'tenant-' || n %% 2000, 'app-' || n, '', '', 'active'
    FROM generate_series(1, %(subscribers)s) AS n;

    INSERT INTO subscriptions (deployment_id, plan_version_id, status, current_period_start,
                               current_period_end, created_at)
    SELECT id, %(version)s, 'active', '2026-07-01', '2026-08-01', '2026-01-01Z' FROM cloud_deployments;

    INSERT INTO subscription_versions (subscription_id, plan_version_id, starts_on)
    SELECT id, plan_version_id, '2026-01-01' FROM subscriptions;

    INSERT INTO usage_records (deployment_id, resource_kind, period_start, period_end, granularity, qty,
                               sub_account)
    SELECT deployment.id, kind, day, day + interval '1 day', 'daily', (deployment.id * 7 + n) %% 97 / 8.0, ''
    FROM generate_series(timestamptz '2026-06-01Z', '2026-06-30Z', interval '1 day') AS day
    CROSS JOIN cloud_deployments AS deployment
    CROSS JOIN unnest(%(kinds)s::text[]) WITH ORDINALITY AS kinds(kind, n);

    INSERT INTO cost_days (day, source, computed_at)
    SELECT day, 'accrued', now()
    FROM generate_series(date '2026-06-01', date '2026-06-30', interval '1 day') AS day;

    INSERT INTO daily_costs (day, source, part, tenant_id, deployment_id, kind, amount, resources, unpriced)
    SELECT cost.day, 'accrued', 'matched', deployment.tenant_id, deployment.id, 'droplet', 0.8, 1, 0
    FROM cost_days AS cost
    CROSS JOIN cloud_deployments AS deployment;
"""


@bench("simulate")
def simulate(scale: float) -> Iterator[Row]:
    """A plan in US dollars, six kinds metered by the day, a tax; costs are accrued."""
    many = max(100, round(SUBSCRIBERS * scale))
    with scratch_database():
        draft = _fill(many)
        terms = PlanVersion.objects.get(pk=draft.pk).terms()
        subscribed = _subscribed()
        yield compare(
            "simulate",
            f"{many} subscriber-months",
            ours=Contender(lambda pk: run_simulation(simulation_pk=pk), lambda: _request(draft)),
            floor=Contender(lambda: _quote_twice(subscribed, terms)),
            target=TARGET,
        )
        # A simulation that keeps something else would be faster for nothing.
        assert PlanSimulation.objects.get().difference == _quote_twice(subscribed, terms)


def _request(draft: PlanVersion) -> int:
    PlanSimulationRow.objects.all().delete()
    PlanSimulation.objects.all().delete()
    asked = request_plan_simulation(version_pk=draft.pk, months=1, actor="a bench", at=AT, enqueue=False)
    return asked.pk


def _quote_twice(subscribed: Sequence[tuple[int, PlanTerms]], terms: PlanTerms) -> Decimal:
    """Return what the draft would have brought more."""
    book, usage = price_book(JUNE, "USD"), fleet_usage_for_period(JUNE)
    more = Decimal(0)
    for deployment, own in subscribed:
        now, later = (
            quote(
                QuoteInputs(
                    period=JUNE,
                    currency="USD",
                    segments=(Segment(days=JUNE, terms=each, usage=usage[deployment]),),
                    book=book,
                )
            )
            for each in (own, terms)
        )
        more += later.subtotal.amount - now.subtotal.amount
    return more


def _fill(subscribers: int) -> PlanVersion:
    """Store the book; return a draft with other prices."""
    plan = Plan.objects.create(code="studio", name="Studio")
    version = PlanVersion.objects.create(plan=plan, number=1, base_price_cents=5000, currency="USD")
    kinds = list(BillingKind.values)[:6]
    for number, kind in enumerate(kinds):
        PlanItem.objects.create(
            version=version, resource_kind=kind, included_qty=60 * number, overage_price_cents=2
        )
    publish_version(version_pk=version.pk, replaces=None, actor="a bench", at=AT)
    TaxRate.objects.create(code="VAT", currency="USD", percent=10, effective_from=date(2020, 1, 1))
    draft = create_draft_from(version_pk=version.pk, actor="a bench")
    draft.base_price_cents = 4500
    draft.save()
    draft.items.update(overage_price_cents=3)
    with connection.cursor() as cursor:
        for statement in _FILL.split(";\n"):
            if statement.strip():
                cursor.execute(statement, {"subscribers": subscribers, "version": version.pk, "kinds": kinds})
        cursor.execute("VACUUM ANALYZE")
    return draft


def _subscribed() -> list[tuple[int, PlanTerms]]:
    """Return each subscription's deployment and the terms that it has."""
    terms = {version.pk: version.terms() for version in PlanVersion.objects.filter(status="active")}
    rows = Subscription.objects.values_list("deployment", "plan_version")
    return [(deployment, terms[version]) for deployment, version in rows]
