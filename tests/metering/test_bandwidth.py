"""Bandwidth from the provider's monitoring: exact sums, gaps as coverage, within the calls."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from arcadia_cloud.digitalocean.account_check import account_checks
from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.rate_limit.budget import RateBudget
from deployments.models import Deployment
from inventory.models import Resource, ResourceSpan
from metering.bandwidth import measure_bandwidth, set_bandwidth_source
from metering.bandwidth_rates import Samples, Stretch, sum_rates
from metering.errors import InvalidBandwidthSource
from metering.models import BandwidthMeasurement, UsageRecord
from metering.values import BandwidthOrigin
from tests.deployments.rows import deployed, on_sale, storage
from tests.deployments.rows import subscribed as subscribed_to
from tests.metering.rows import total
from tests.simulated import Simulated

SHOP_WEB: Final = 480_000_000
NOW: Final = datetime.now(UTC)
TODAY: Final = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
YESTERDAY: Final = TODAY - timedelta(days=1)


def samples(*rates: str, step: int = 100, since: int = 0) -> list[tuple[Decimal, str]]:
    """Return a sample every `step` seconds; "" is one that is missing."""
    return [(Decimal(since + step * place), rate) for place, rate in enumerate(rates) if rate]


@pytest.mark.parametrize(
    ("given", "stretch", "gigabytes", "covered"),
    [
        (samples("8", "8", "8"), (0, 200), "0.2", 200),
        (samples("8", "16", "0"), (0, 200), "0.3", 200),
        (samples("8", "16", "0"), (50, 150), "0.15", 100),  # 0.05 + 0.1, and no rate beyond its own time
        (samples("8", "8", "", "", "8", "8", "8"), (0, 600), "0.4", 400),  # two are missing
        (samples("8", "8", "8"), (0, 300), "0.2", 200),  # the last one has no end
        (samples("8", "NaN", "8", "8", "8"), (0, 400), "0.3", 300),
        (samples("8", "-8", "8", "8", "8"), (0, 400), "0.3", 300),  # below zero measures nothing
        (samples("8"), (0, 100), "0", 0),
        ([], (0, 100), "0", 0),
        (samples("8") + samples("8", "8", "8", step=90, since=130), (0, 310), "0.31", 310),  # late, not lost
    ],
)  # fmt: skip
def test_a_samples_rate_counts_until_the_next_and_a_gap_counts_nothing(
    given: Samples, stretch: tuple[int, int], gigabytes: str, covered: int
) -> None:
    traffic = sum_rates(given, Stretch(Decimal(stretch[0]), Decimal(stretch[1])))
    assert (traffic.gigabytes, traffic.covered) == (Decimal(gigabytes), Decimal(covered))


@pytest.fixture
def shop(simulator: Simulated, monkeypatch: pytest.MonkeyPatch, db: None) -> Deployment:
    """A deployment on a plan with bandwidth, and one droplet of the simulator since long ago."""
    monkeypatch.setattr(account_checks, "check", None)
    on_sale("studio", 5_000, bandwidth_gb=100)
    deployment = subscribed_to(at=NOW - timedelta(days=40)).deployment
    droplet_of(deployment, SHOP_WEB)
    return deployment


def droplet_of(deployment: Deployment, number: int, *, since: datetime | None = None) -> Resource:
    since = since or YESTERDAY
    droplet = Resource.objects.create(
        kind="droplet", provider_id=str(number), deployment=deployment, tenant_id=deployment.tenant_id,
        first_seen_at=since, last_seen_at=NOW,
    )  # fmt: skip
    ResourceSpan.objects.create(
        resource=droplet, during=DateTimeTZRange(since, None), deployment=deployment,
        tenant_id=deployment.tenant_id, active=True,
    )  # fmt: skip
    return droplet


def expected(number: int = SHOP_WEB, day: datetime = YESTERDAY) -> Decimal:
    """Return the sum of the simulator's own samples of a day: one every two minutes, from midnight on."""
    with DigitalOcean("METERING") as cloud:
        [series] = cloud.droplet_bandwidth(number, start=day, end=day + timedelta(days=1))
    rates = [Decimal(rate) for _, rate in series.values[:-1]]
    assert len(rates) == 720
    return (sum(rates, Decimal(0)) * 120 / 8_000).quantize(Decimal("0.000001"))


def asked(simulator: Simulated) -> list[Any]:
    return simulator.requests(path="/v2/monitoring/metrics/droplet/bandwidth")


@pytest.mark.django_db(transaction=True)
def test_yesterday_is_measured_once_and_recorded_for_its_deployment(
    shop: Deployment, simulator: Simulated
) -> None:
    result = measure_bandwidth(at=NOW)
    assert (result.measured, result.incomplete, result.refused, result.is_through) == (1, 0, 0, True)
    [record] = UsageRecord.objects.all()
    assert (record.deployment_id, record.resource_kind, record.granularity) == (
        shop.pk,
        "bandwidth_gb",
        "daily",
    )
    assert (record.period_start, record.qty) == (YESTERDAY, expected())
    [measured] = BandwidthMeasurement.objects.all()
    assert (measured.coverage, measured.gigabytes, measured.day) == (
        Decimal(1), record.qty, YESTERDAY.date(),
    )  # fmt: skip
    calls = len(asked(simulator))
    assert measure_bandwidth(at=NOW).measured == 0
    assert len(asked(simulator)) == calls


@pytest.mark.django_db(transaction=True)
def test_a_gap_is_coverage_and_never_filled_in(shop: Deployment, simulator: Simulated) -> None:
    whole = expected()
    simulator.fault(kind="missing_samples", hour=6, hours=6)
    assert measure_bandwidth(at=NOW).incomplete == 1
    [measured] = BandwidthMeasurement.objects.all()
    assert measured.coverage == Decimal("0.7500")
    assert 0 < total() < whole


@pytest.mark.django_db(transaction=True)
def test_a_droplet_that_changed_hands_is_measured_for_both_by_their_hours(
    shop: Deployment, simulator: Simulated
) -> None:
    wiki = subscribed_to(slug="wiki", at=NOW - timedelta(days=40)).deployment
    noon = YESTERDAY + timedelta(hours=12)
    ResourceSpan.objects.update(during=DateTimeTZRange(YESTERDAY, noon))
    [droplet] = Resource.objects.all()
    ResourceSpan.objects.create(
        resource=droplet, during=DateTimeTZRange(noon, None), deployment=wiki, tenant_id="acme", active=True
    )
    assert measure_bandwidth(at=NOW).measured == 1
    assert total() == expected()
    assert 0 < total(deployment=shop) < total(deployment=wiki), "more is sent in the afternoon"


@pytest.mark.django_db(transaction=True)
def test_the_calls_that_are_left_go_to_the_oldest_days_and_the_next_run_goes_on(
    shop: Deployment, simulator: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    ResourceSpan.objects.update(during=DateTimeTZRange(TODAY - timedelta(days=5), None))
    monkeypatch.setattr(RateBudget, "left_this_hour", lambda _budget: 502)
    monkeypatch.setattr(RateBudget, "hourly_limit", lambda _budget: 5_000)
    result = measure_bandwidth(at=NOW)
    assert (result.measured, result.is_through) == (2, False)
    days = [TODAY.date() - timedelta(days=ago) for ago in (5, 4, 3, 2, 1)]
    assert list(BandwidthMeasurement.objects.order_by("day").values_list("day", flat=True)) == days[:2]
    monkeypatch.undo()
    monkeypatch.setattr(account_checks, "check", None)
    monkeypatch.setenv("DO_API_TOKEN", simulator.token)
    assert measure_bandwidth(at=NOW).is_through
    assert list(BandwidthMeasurement.objects.order_by("day").values_list("day", flat=True)) == days


@pytest.mark.django_db(transaction=True)
def test_only_deployments_whose_plan_has_bandwidth_and_whose_source_is_the_provider_are_asked_for(
    shop: Deployment, simulator: Simulated
) -> None:
    storage()
    on_sale("starter", 1_000, dns_zones=5)
    plain = subscribed_to("starter", slug="plain", at=NOW - timedelta(days=40)).deployment
    droplet_of(plain, 480_002_026)
    droplet_of(deployed("never"), 480_012_156)
    tomorrow = TODAY + timedelta(days=1)
    set_bandwidth_source(
        deployment_pk=shop.pk, source=BandwidthOrigin.INTAKE, effective_from=TODAY.date(), actor="x", at=NOW
    )
    assert measure_bandwidth(at=tomorrow).measured == 1, "yesterday, which was the provider's"
    assert [row.day for row in BandwidthMeasurement.objects.all()] == [YESTERDAY.date()]


@pytest.mark.django_db(transaction=True)
def test_a_droplet_that_is_unknown_there_is_not_asked_for_again(
    shop: Deployment, simulator: Simulated
) -> None:
    simulator.fault(kind="missing", path="bandwidth")
    result = measure_bandwidth(at=NOW)
    assert (result.measured, result.refused) == (1, 1)
    assert UsageRecord.objects.count() == 0, "not measured is not nothing"
    [measured] = BandwidthMeasurement.objects.all()
    assert measured.coverage == 0
    assert "404" in measured.note


@pytest.mark.django_db(transaction=True)
def test_a_provider_that_is_away_leaves_the_rest_to_the_next_run(
    shop: Deployment, simulator: Simulated
) -> None:
    simulator.fault(kind="forbidden", path="bandwidth")
    result = measure_bandwidth(at=NOW)
    assert (result.measured, result.is_through) == (0, False)
    assert "403" in result.stopped
    assert measure_bandwidth(at=NOW).measured == 1


@pytest.mark.django_db
def test_a_source_begins_where_no_bandwidth_is_recorded_yet() -> None:
    shop = deployed()

    def set_from(day: date) -> object:
        return set_bandwidth_source(
            deployment_pk=shop.pk, source=BandwidthOrigin.NONE, effective_from=day, actor="x", at=NOW
        )

    with pytest.raises(InvalidBandwidthSource, match="today at the earliest"):
        set_from(YESTERDAY.date())
    UsageRecord.objects.create(
        deployment=shop, resource_kind="bandwidth_gb", period_start=TODAY,
        period_end=TODAY + timedelta(days=1), granularity="daily", qty=1,
    )  # fmt: skip
    with pytest.raises(InvalidBandwidthSource, match="recorded already"):
        set_from(TODAY.date())
    set_from(TODAY.date() + timedelta(days=1))
