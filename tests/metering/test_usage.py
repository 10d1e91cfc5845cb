"""A day's usage: what each kind of resource uses, from when to when, whose, and that it stays so."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arcadia_cloud.kernel.periods import Period
from catalog.services import seed_catalog
from catalog.values.lines import LineType
from deployments.queries import get_subscription_for_deployment
from deployments.services import create_deployment, create_subscription
from inventory.models import ResourceSpan
from inventory.values import Kind
from metering.errors import PeriodNotOver, PeriodPruned
from metering.models import UsageRecord
from metering.queries import fleet_usage_for_period, quote_usage, usage_for_period
from metering.services import meter_day, meter_hour
from metering.values import MeteringCounts
from tests.metering.rows import (
    LATER,
    Stretch,
    a_deployment,
    hourly,
    instant,
    lived,
    march,
    metered,
    recorded,
    total,
    whole,
)

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 10)
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))


def test_the_reference_deployment_of_ten_days_is_quoted_at_studios_base_price() -> None:
    seed_catalog(at=instant(1, month=2))
    deployment = create_deployment(tenant_id="acme", slug="shop", actor="a test", at=instant(1))
    create_subscription(deployment_pk=deployment.pk, plan_code="studio", actor="a test", at=instant(1))
    for _ in range(2):
        whole(Kind.DROPLET, deployment)
        whole(Kind.DNS_ZONE, deployment)
    for size in ("8", "15", "25"):
        whole(Kind.SNAPSHOT, deployment, size)
    metered(*march(10))

    assert UsageRecord.objects.count() == 70
    usage = usage_for_period(deployment.pk, MARCH)
    assert {kind: quantity.quantize(Decimal("0.01")) for kind, quantity in usage.items()} == {
        "droplet_hours": Decimal("480.00"),
        "dns_zones": Decimal("0.65"),
        "snapshot_gb_month": Decimal("15.48"),
    }
    subscription = get_subscription_for_deployment(deployment.pk)
    assert subscription is not None
    quote = quote_usage(subscription, MARCH)
    assert quote.subtotal.amount == Decimal("50.00")
    usages = [line for line in quote.lines if line.type == LineType.USAGE]
    assert {line.code for line in usages if line.used} == set(usage)
    assert not any(line.overage for line in usages)


@pytest.mark.parametrize(
    ("kind", "size", "billing_kind", "a_month"),
    [
        (Kind.DROPLET, None, "droplet_hours", "744"),
        (Kind.DATABASE, None, "database_hours", "744"),
        (Kind.LOAD_BALANCER, None, "load_balancer_hours", "744"),
        (Kind.RESERVED_IP, None, "reserved_ip_hours", "744"),
        (Kind.SPACES_BUCKET, "17.000001", "spaces_gb_month", "17.000001"),
        (Kind.SNAPSHOT, "2.36", "snapshot_gb_month", "2.36"),
        (Kind.DROPLET_BACKUP, "7", "backup_gb_month", "7"),
        (Kind.VOLUME, "100", "volume_gb_month", "100"),
        (Kind.DNS_ZONE, None, "dns_zones", "1"),
    ],
)
def test_a_full_month_of_a_kind_is_exactly_its_hours_its_size_or_one(
    kind: Kind, size: str | None, billing_kind: str, a_month: str
) -> None:
    whole(kind, a_deployment(), size)
    metered(*march())
    assert UsageRecord.objects.count() == 31
    assert total(resource_kind=billing_kind) == Decimal(a_month)


def test_what_is_free_is_not_metered() -> None:
    for kind in (Kind.FIREWALL, Kind.VPC, Kind.CERTIFICATE, Kind.IMAGE):
        whole(kind, a_deployment())
    metered(DAY)
    assert recorded() == []


def test_a_droplet_that_is_off_has_a_record_of_nothing() -> None:
    whole(Kind.DROPLET, a_deployment(), active=False)
    metered(DAY)
    assert [row[-1] for row in recorded()] == [Decimal(0)]


def test_an_unattributed_resource_has_no_usage() -> None:
    lived(Kind.DROPLET, Stretch(instant(1), None, None))
    metered(DAY)
    assert recorded() == []


def test_a_droplet_has_usage_from_its_beginning_to_its_end_and_not_before() -> None:
    lived(
        Kind.DROPLET,
        Stretch(instant(10, 10 + 4 / 60), instant(10, 15), a_deployment()),
        Stretch(instant(10, 15), instant(10, 18.5), a_deployment(), active=False),
        Stretch(instant(10, 18.5), instant(10, 20), a_deployment()),
    )
    metered(*march(12))
    assert [(row[4], row[-1]) for row in recorded()] == [(instant(10), Decimal("6.433333"))]


def test_one_that_is_handed_over_at_one_in_the_afternoon_has_its_hours_split_there() -> None:
    seller, buyer = a_deployment("shop"), a_deployment("crm", "globex")
    lived(
        Kind.DROPLET,
        Stretch(instant(1), instant(10, 13), seller),
        Stretch(instant(10, 13), None, buyer),
    )
    metered(date(2026, 3, 9), DAY, date(2026, 3, 11))
    assert [(row[0], row[4].day, row[-1]) for row in recorded()] == [  # type: ignore[attr-defined]
        (seller.pk, 9, Decimal(24)),
        (seller.pk, 10, Decimal(13)),
        (buyer.pk, 10, Decimal(11)),
        (buyer.pk, 11, Decimal(24)),
    ]


def test_one_that_changes_its_size_in_the_middle_of_a_day_is_metered_for_each_part() -> None:
    lived(
        Kind.VOLUME,
        Stretch(instant(1), instant(10, 6), a_deployment(), size=Decimal(31)),
        Stretch(instant(10, 6), None, a_deployment(), size=Decimal(62)),
    )
    metered(DAY)
    assert total() == Decimal("1.75")  # a quarter of a day of 31 GB, three of 62, in a month of 31 days


def test_a_month_of_three_owners_adds_up_to_the_size() -> None:
    one, two = a_deployment("one"), a_deployment("two")
    size = Decimal("10.000001")
    lived(
        Kind.SNAPSHOT,
        Stretch(instant(1, month=2), instant(7, 1 / 3), one, size=size),
        Stretch(instant(7, 1 / 3), instant(20, 5.7), two, size=size),
        Stretch(instant(20, 5.7), None, one, size=size),
    )
    metered(*march())
    assert total() == size


def test_a_size_that_is_not_known_is_counted_as_none_and_reported() -> None:
    whole(Kind.SPACES_BUCKET, a_deployment())
    assert meter_day(DAY, at=LATER) == MeteringCounts(inserted=1, unsized=1)
    assert total() == 0


def test_a_second_run_changes_nothing() -> None:
    whole(Kind.DROPLET, a_deployment())
    assert meter_day(DAY, at=LATER).inserted == 1
    assert meter_day(DAY, at=LATER) == MeteringCounts()


def test_a_wrong_record_is_corrected_and_one_too_many_removed() -> None:
    droplet, other = whole(Kind.DROPLET, a_deployment()), whole(Kind.DROPLET, a_deployment())
    metered(DAY)
    before = recorded()
    UsageRecord.objects.filter(resource=droplet).update(qty=7)
    UsageRecord.objects.filter(resource=other).update(deployment=a_deployment("crm", "globex"))
    assert meter_day(DAY, at=LATER) == MeteringCounts(inserted=1, corrected=1, removed=1)
    assert recorded() == before


def test_what_intake_recorded_stays() -> None:
    shop = a_deployment()
    UsageRecord.objects.create(
        deployment=shop,
        resource_kind="llm_tokens",
        period_start=instant(10),
        period_end=instant(11),
        granularity="daily",
        qty=5,
    )
    assert meter_day(DAY, at=LATER) == MeteringCounts()
    assert total(resource_kind="llm_tokens") == 5


def test_a_reassigned_resource_leaves_no_row_behind() -> None:
    resource = whole(Kind.DROPLET, a_deployment())
    metered(DAY)
    other = a_deployment("crm", "globex")
    ResourceSpan.objects.filter(resource=resource).update(deployment=other)
    assert meter_day(DAY, at=LATER) == MeteringCounts(inserted=1, removed=1)
    assert [row[0] for row in recorded()] == [other.pk]


def test_a_day_of_three_months_ago_is_metered_as_it_was_then() -> None:
    resource = lived(
        Kind.VOLUME, Stretch(instant(1, month=1), None, a_deployment(), size=Decimal("33.333333"))
    )
    meter_day(DAY, at=instant(11, 1))
    then = recorded()
    # Resized and handed over in May, gone in June.
    span = ResourceSpan.objects.get()
    ResourceSpan.objects.filter(pk=span.pk).update(during=(instant(1, month=1), instant(5, month=5)))
    ResourceSpan.objects.create(
        resource=resource,
        during=(instant(5, month=5), instant(1, month=6)),
        deployment=a_deployment("crm", "globex"),
        active=True,
        size_gb=99,
    )
    assert meter_day(DAY, at=instant(10, month=6)) == MeteringCounts()
    UsageRecord.objects.all().delete()
    assert meter_day(DAY, at=instant(10, month=6)).inserted == 1
    assert recorded() == then


def test_a_day_that_is_not_over_is_refused() -> None:
    whole(Kind.DROPLET, a_deployment())
    with pytest.raises(PeriodNotOver, match="2026-03-10 isn't over before 2026-03-11 00:00 UTC"):
        meter_day(DAY, at=instant(11) - timedelta(microseconds=1))
    assert recorded() == []
    assert meter_day(DAY, at=instant(11)).inserted == 1


def test_a_day_that_no_retention_keeps_is_refused() -> None:
    with pytest.raises(PeriodPruned, match="2020-03-10"):
        meter_day(date(2020, 3, 10), at=LATER)


def test_an_hour_that_is_not_over_is_refused() -> None:
    with pytest.raises(PeriodNotOver, match="2026-03-10 14:00"):
        meter_hour(instant(10, 13), at=instant(10, 13.99))


def test_an_hour_is_metered_for_hourly_kinds_alone() -> None:
    hourly("droplet_hours", since=DAY)
    whole(Kind.DROPLET, a_deployment())
    whole(Kind.DATABASE, a_deployment())
    assert meter_hour(instant(9, 13), at=LATER) == MeteringCounts()
    assert meter_hour(instant(10, 13), at=LATER).inserted == 1
    assert [row[2:] for row in recorded()] == [
        ("droplet_hours", "hourly", instant(10, 13), instant(10, 14), Decimal(1))
    ]
    # The day adds the other hours, and the other kind's day.
    assert meter_day(DAY, at=LATER).inserted == 23 + 1
    assert total(resource_kind="droplet_hours") == 24


def test_a_day_takes_as_many_statements_for_a_hundred_resources_as_for_one() -> None:
    def count_statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            meter_day(DAY, at=LATER)
        return len([each for each in captured if not each["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    whole(Kind.DROPLET, a_deployment())
    for_one = count_statements()
    for _ in range(100):
        whole(Kind.DROPLET, a_deployment())
    assert (for_one, count_statements()) == (3, 3)


def test_sums_of_any_dates_are_one_query() -> None:
    shop, crm = a_deployment(), a_deployment("crm", "globex")
    whole(Kind.DROPLET, shop)
    whole(Kind.DATABASE, shop)
    whole(Kind.DROPLET, crm)
    metered(*march(5))
    some = Period(date(2026, 3, 2), date(2026, 3, 4))
    with CaptureQueriesContext(connection) as captured:
        assert usage_for_period(shop.pk, some) == {"droplet_hours": 48, "database_hours": 48}
        assert fleet_usage_for_period(some) == {
            shop.pk: {"droplet_hours": 48, "database_hours": 48},
            crm.pk: {"droplet_hours": 48},
        }
    assert len(captured) == 2


def test_the_command_meters_days_and_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    whole(Kind.DROPLET, a_deployment())
    call_command("meter_day", "--from", "2026-03-01", "--to", "2026-03-03")
    assert "3 days: 3 records inserted, 0 corrected, 0 removed" in capsys.readouterr().out
    call_command("meter_day", "--date", "2026-03-02")
    assert "2026-03-02: 0 records inserted" in capsys.readouterr().out
