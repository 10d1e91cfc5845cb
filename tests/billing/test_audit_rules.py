"""Every rule of the money audit: its fault is found, and nothing else is; a sound book has none."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.costs.audit.rules import RULES, find_rule
from billing.costs.audit.run import Fault, find_faults
from billing.models import CostDay, CostLine, DailyCost, ProviderInvoice
from deployments.models import Deployment, Subscription
from inventory.models import Resource, ResourceSpan
from metering.models import MeteredPeriod, SpanChange, UsageRecord
from provisioning.models import SagaRun, SagaSubject
from tests.billing.book import AT, BORN, Book, a_sound_book, spread_april

pytestmark = pytest.mark.django_db


@pytest.fixture
def book() -> Book:
    return a_sound_book()


def faults_of(code: str, at: datetime = AT) -> list[Fault]:
    rule = find_rule(code)
    assert rule is not None
    return find_faults(rule, at=at)


def all_faults(at: datetime = AT) -> dict[str, list[str]]:
    """The subjects of each rule that has faults."""
    found = {rule.code: [fault.subject for fault in find_faults(rule, at=at)] for rule in RULES}
    return {code: subjects for code, subjects in found.items() if subjects}


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def cancel(book: Book) -> None:
    Subscription.objects.update(status="cancelled", cancelled_at=AT)


def archive(book: Book) -> None:
    Deployment.objects.update(state="archived")


def forget_a_day(book: Book) -> None:
    MeteredPeriod.objects.filter(period_start=datetime(2026, 4, 12, tzinfo=UTC)).delete()


def end_life_early(book: Book) -> None:
    noon = datetime(2026, 4, 28, 12, tzinfo=UTC)
    sql("UPDATE resource_spans SET during = tstzrange(lower(during), %s)", noon)
    Resource.objects.update(deleted_at=noon + timedelta(hours=1), last_seen_at=noon)
    SpanChange.objects.all().delete()


def lose_a_days_cost(book: Book) -> None:
    DailyCost.objects.filter(source="billed", day=date(2026, 4, 3), part="tax").delete()


def lose_a_line(book: Book) -> None:
    CostLine.objects.filter(line_no=2).delete()


def make_it_later(book: Book) -> None:
    Resource.objects.update(provider_created_at=datetime(2026, 5, 1, 2, tzinfo=UTC))


def cut_a_gap(book: Book) -> None:
    sql(
        "UPDATE resource_spans SET during = tstzrange(lower(during), %s)", datetime(2026, 5, 1, 1, tzinfo=UTC)
    )
    span = ResourceSpan.objects.get()
    ResourceSpan.objects.create(
        resource=span.resource,
        during=(datetime(2026, 5, 1, 3, tzinfo=UTC), None),
        deployment=span.deployment,
        tenant_id="acme",
        active=True,
    )


def tombstone(book: Book) -> None:
    Resource.objects.update(deleted_at=AT, last_seen_at=AT)


def complete_the_saga(book: Book) -> None:
    SagaRun.objects.update(status="running")
    SagaRun.objects.update(status="completed", finished_at=AT)


FAULTS: dict[str, tuple[Callable[[Book], None], str]] = {
    "resource_without_subscription": (cancel, "resource:{resource}"),
    "subscription_of_archived": (archive, "subscription:{subscription}"),
    "day_not_metered": (forget_a_day, "day:2026-04-12"),
    "usage_outside_life": (end_life_early, "resource:{resource}"),
    "billed_days_differ": (lose_a_days_cost, "month:2026-04"),
    "lines_differ": (lose_a_line, "invoice:{invoice}"),
    "line_outside_life": (make_it_later, "line:{invoice}/{resource}"),
    "spans_gap": (cut_a_gap, "resource:{resource}"),
    "span_after_end": (tombstone, "resource:{resource}"),
    "desired_without_resource": (tombstone, "resource:{resource}"),
    "subject_without_saga": (complete_the_saga, "subject:droplet:1"),
}


def test_a_sound_book_has_no_fault(book: Book) -> None:
    assert all_faults() == {}


def test_an_empty_book_has_no_fault() -> None:
    assert all_faults() == {}


def test_every_rule_is_tried() -> None:
    assert FAULTS.keys() | {"spans_overlap"} == {rule.code for rule in RULES}


@pytest.mark.parametrize("code", FAULTS)
def test_a_rule_finds_its_fault(book: Book, code: str) -> None:
    make_fault, subject = FAULTS[code]
    make_fault(book)
    expected = subject.format(
        resource=book.resource.pk, invoice=book.invoice.pk, subscription=Subscription.objects.get().pk
    )
    (fault,) = faults_of(code)
    assert fault.subject == expected
    assert fault.expected
    assert fault.actual
    related = {code} | ({"span_after_end", "desired_without_resource"} if make_fault is tombstone else set())
    related |= {"desired_without_resource"} if make_fault is end_life_early else set()
    assert all_faults().keys() == related, "and no other rule is disturbed"


def test_two_spans_at_one_time_are_refused_by_the_table_and_found_without_its_constraint(book: Book) -> None:
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    span = {"resource": book.resource, "during": (AT - timedelta(days=1), AT), "active": True}
    with pytest.raises(IntegrityError, match="span_overlaps_none"), transaction.atomic():
        ResourceSpan.objects.create(**span)
    sql("ALTER TABLE resource_spans DROP CONSTRAINT span_overlaps_none")
    ResourceSpan.objects.create(**span)
    (fault,) = faults_of("spans_overlap")
    assert (fault.subject, fault.actual) == (f"resource:{book.resource.pk}", "two from 2026-05-01 03:55")


def test_a_subject_of_no_saga_at_all_is_refused_by_the_table(book: Book) -> None:
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match="saga_subjects"), transaction.atomic():
        sql("INSERT INTO saga_subjects (subject, saga_id) VALUES ('droplet:2', 0)")


def test_a_trial_and_what_a_saga_works_on_need_no_subscription(book: Book) -> None:
    cancel(book)
    Deployment.objects.update(state="trial")
    assert faults_of("resource_without_subscription") == []
    Deployment.objects.update(state="cancelled")
    assert len(faults_of("resource_without_subscription")) == 1
    SagaRun.objects.update(deployment=book.deployment)
    assert faults_of("resource_without_subscription") == []


def test_a_dead_letter_keeps_its_subject(book: Book) -> None:
    SagaRun.objects.update(status="running")
    SagaRun.objects.update(status="failed", finished_at=AT)
    assert SagaSubject.objects.count() == 1
    assert faults_of("subject_without_saga") == []


def test_a_day_is_missing_two_hours_after_its_end(book: Book) -> None:
    MeteredPeriod.objects.filter(period_start=datetime(2026, 5, 1, tzinfo=UTC)).delete()
    assert faults_of("day_not_metered", datetime(2026, 5, 2, 1, 59, tzinfo=UTC)) == []
    assert [each.subject_key for each in faults_of("day_not_metered")] == ["2026-05-01"]


def test_where_no_day_was_ever_metered_the_last_one_is_missing(book: Book) -> None:
    MeteredPeriod.objects.all().delete()
    assert [each.subject_key for each in faults_of("day_not_metered")] == ["2026-05-01"]
    ResourceSpan.objects.all().delete()
    assert faults_of("day_not_metered") == []


def test_usage_that_the_next_metering_run_corrects_is_no_fault(book: Book) -> None:
    end_life_early(book)
    assert "3 records of droplet_hours from 2026-04-29 00:00" in faults_of("usage_outside_life")[0].actual
    SpanChange.objects.create(resource_id=book.resource.pk, since=BORN)
    assert faults_of("usage_outside_life") == []


def test_usage_with_another_deployment_than_had_the_resource_is_a_fault(book: Book) -> None:
    other = Deployment.objects.create(tenant_id="acme", slug="blog")
    UsageRecord.objects.filter(period_start=datetime(2026, 4, 2, tzinfo=UTC)).update(deployment=other)
    (fault,) = faults_of("usage_outside_life")
    assert fault.actual.startswith("1 records of droplet_hours from 2026-04-02 00:00")


def test_a_month_is_judged_once_its_days_are_computed(book: Book) -> None:
    lose_a_days_cost(book)
    (fault,) = faults_of("billed_days_differ")
    assert (fault.expected, fault.actual) == ("6.6 USD in invoices", "6.58 USD in its days")
    due = CostDay.objects.filter(day=date(2026, 4, 30))
    due.update(computed_at=None)
    assert faults_of("billed_days_differ") == []
    spread_april()
    assert faults_of("billed_days_differ") == []


def test_billed_days_of_a_month_without_its_last_invoice_are_a_fault(book: Book) -> None:
    ProviderInvoice.objects.update(issued_on=date(2026, 4, 20))
    (fault,) = faults_of("billed_days_differ")
    assert fault.expected == "0 USD in invoices"


def test_a_difference_that_an_operator_accepted_is_no_fault(book: Book) -> None:
    ProviderInvoice.objects.update(amount=Decimal("7.00"))
    (fault,) = faults_of("lines_differ")
    assert fault.actual == "2 lines of 6.6 USD"
    ProviderInvoice.objects.update(accepted_at=AT, accepted_note="a rounding of theirs")
    assert faults_of("lines_differ") == []


def test_an_hour_before_its_creation_is_the_rounding_of_hours(book: Book) -> None:
    Resource.objects.update(provider_created_at=datetime(2026, 5, 1, 1, tzinfo=UTC))
    assert faults_of("line_outside_life") == []
    Resource.objects.update(provider_created_at=None)
    assert faults_of("line_outside_life") == []


def test_an_id_that_came_back_for_another_resource_has_no_gap(book: Book) -> None:
    cut_a_gap(book)
    assert len(faults_of("spans_gap")) == 1
    Resource.objects.update(provider_created_at=datetime(2026, 5, 1, 2, tzinfo=UTC))
    assert faults_of("spans_gap") == []


def test_a_live_resource_whose_last_span_ended_has_a_gap(book: Book) -> None:
    sql("UPDATE resource_spans SET during = tstzrange(lower(during), %s)", AT)
    (fault,) = faults_of("spans_gap")
    assert fault.actual == "none from 2026-05-02 03:55 on"
    ResourceSpan.objects.all().delete()
    assert faults_of("spans_gap")[0].actual == "none from its first hour on"
