"""A draft for ten thousand subscribers: each row by hand, and nothing written to the book."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from django.db import connection

from billing.models import PlanSimulationRow
from catalog.services import create_draft_from
from tests.billing.simulations import contents_of_book, simulated
from tests.deployments.rows import BY, on_sale

pytestmark = pytest.mark.django_db(transaction=True)  # a lease is committed by itself
CENT = Decimal("0.01")
FILL = """
INSERT INTO cloud_deployments (tenant_id, slug, display_name, region, state)
SELECT 'tenant-' || n %% 700, 'app-' || n, '', '', 'active' FROM generate_series(1, %(many)s) AS n;

INSERT INTO subscriptions (deployment_id, plan_version_id, status, current_period_start, current_period_end,
                           created_at)
SELECT id, %(version)s, 'active', '2026-07-01', '2026-08-01', '2026-01-01Z' FROM cloud_deployments;

INSERT INTO subscription_versions (subscription_id, plan_version_id, starts_on)
SELECT id, plan_version_id, '2026-01-01' FROM subscriptions;

INSERT INTO usage_records (deployment_id, resource_kind, period_start, period_end, granularity, qty,
                           sub_account)
SELECT deployment.id, 'spaces_gb_month', day, day + interval '1 day', 'daily',
       (deployment.id * 7) %% 97 / 8.0, ''
FROM generate_series(timestamptz '2026-06-01Z', '2026-06-30Z', interval '10 days') AS day
CROSS JOIN cloud_deployments AS deployment
"""


def month_of(used: Decimal, *, base: str, included: int, price: str) -> Decimal:
    """A month without tax, as one would reckon it on paper."""
    overage = max(used - included, Decimal(0)) * Decimal(price)
    return Decimal(base) + overage.quantize(CENT, ROUND_HALF_UP)


def test_every_subscriber_of_a_large_book_pays_what_is_reckoned_by_hand_and_nothing_is_written(
    request: pytest.FixtureRequest,
) -> None:
    many = 10_000 if request.config.getoption("--matrix") else 1_200  # more than a batch
    first = on_sale("studio", 5000, spaces_gb_month=20)

    version = create_draft_from(version_pk=first.pk, actor=BY)
    version.base_price_cents = 4500
    version.save()
    version.items.update(included_qty=12, overage_price_cents=150)
    with connection.cursor() as cursor:
        for statement in FILL.split(";\n"):
            cursor.execute(statement, {"many": many, "version": first.pk})
    before = contents_of_book()

    simulation = simulated(version)

    assert contents_of_book() == before
    rows = list(PlanSimulationRow.objects.filter(simulation=simulation))
    assert len(rows) == simulation.subscribers == many
    crossing = 0
    for row in rows:
        used = 3 * Decimal(row.deployment_id * 7 % 97) / 8
        now = month_of(used, base="50.00", included=20, price="1.00")
        later = month_of(used, base="45.00", included=12, price="1.50")
        assert (row.revenue_now, row.revenue_then) == (now, later), row.deployment_id
        assert row.crosses_into == (["spaces_gb_month"] if 12 < used <= 20 else [])
        crossing += 12 < used <= 20
    assert simulation.cross_into_overage == crossing > 0
    assert simulation.difference == sum(row.revenue_then - row.revenue_now for row in rows)
    assert simulation.pay_more == sum(row.revenue_then > row.revenue_now for row in rows) > 0
    assert simulation.pay_less == sum(row.revenue_then < row.revenue_now for row in rows) > 0
