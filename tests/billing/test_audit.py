"""The money audit: findings are opened, kept and closed; alerts, the command, the API and the console."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from arcadia_cloud.kernel.database import snapshot
from arcadia_cloud.kernel.leases import LeaseHeld, lease
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.queue.schedule.registry import registered_schedule
from arcadia_cloud.kernel.subject_links import url_of
from billing.costs.audit import run as audit_run
from billing.costs.audit.rules import RULES
from billing.models import AuditFinding, AuditRun
from billing.services import run_audit
from billing.tasks import audit_money
from deployments.models import Subscription
from inventory.models import Resource
from metering.models import MeteredPeriod, QuoteFingerprint, UsageRecord
from metering.services import record_closed_month
from tests.access import bearer, token_of
from tests.billing.book import AT, Book, a_sound_book
from tests.billing.rows import a_resource

pytestmark = pytest.mark.django_db(transaction=True)
NEXT = AT + timedelta(minutes=20)


@pytest.fixture
def book(time_machine: Any) -> Book:
    time_machine.move_to(AT, tick=False)
    return a_sound_book()


def unsubscribe() -> None:
    Subscription.objects.update(status="cancelled", cancelled_at=AT)


def audit(*arguments: str) -> str:
    output = StringIO()
    call_command("audit_money", *arguments, stdout=output)
    return output.getvalue()


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as refusal:
        audit(*arguments)
    return str(refusal.value)


def findings() -> list[tuple[Any, ...]]:
    rows = AuditFinding.objects.order_by("pk")
    return list(rows.values_list("rule", "first_seen_at", "last_seen_at", "closed_at"))


def test_a_finding_is_opened_seen_and_closed_and_opened_anew(book: Book) -> None:
    rule = "resource_without_subscription"
    unsubscribe()
    run_audit(at=AT, actor="a test")
    run_audit(at=NEXT, actor="a test")
    assert findings() == [(rule, AT, NEXT, None)]
    Subscription.objects.update(status="active", cancelled_at=None)
    run_audit(at=NEXT + timedelta(hours=1), actor="a test")
    closed = (rule, AT, NEXT, NEXT + timedelta(hours=1))
    assert findings() == [closed]
    unsubscribe()
    last = NEXT + timedelta(hours=2)
    run_audit(at=last, actor="a test")
    assert findings() == [closed, (rule, last, last, None)]
    counts = AuditRun.objects.order_by("pk").values_list("red", "yellow", "opened", "closed")
    assert list(counts) == [(1, 0, 1, 0), (1, 0, 0, 0), (0, 0, 0, 1), (1, 0, 1, 0)]


def test_a_sound_book_is_run_without_a_finding(book: Book) -> None:
    assert audit_money() == {}
    assert not AuditFinding.objects.exists()
    assert not Alert.objects.filter(code="money_audit").exists()


def test_findings_of_a_rule_that_is_gone_are_closed(book: Book) -> None:
    AuditFinding.objects.create(rule="gone", subject="x:1", first_seen_at=AT, last_seen_at=AT)
    run_audit(at=NEXT, actor="a test")
    assert findings() == [("gone", AT, AT, NEXT)]


def test_the_table_takes_one_open_finding_of_a_rule_and_subject(book: Book) -> None:
    row = {"rule": "x", "subject": "y:1", "first_seen_at": AT, "last_seen_at": AT}
    AuditFinding.objects.create(**row, closed_at=AT)
    AuditFinding.objects.create(**row)
    with pytest.raises(IntegrityError, match="audit_finding_open_once"), transaction.atomic():
        AuditFinding.objects.create(**row)


def test_red_findings_are_an_alert_that_links_to_their_list_until_they_are_gone(book: Book) -> None:
    unsubscribe()
    Resource.objects.filter(pk=book.resource.pk).update(provider_created_at=AT)  # a yellow finding
    run_audit(at=AT, actor="a test")
    alert = Alert.objects.get(code="money_audit")
    assert (alert.subject, alert.severity) == ("audit:resource_without_subscription", "critical")
    assert url_of(alert.subject) == "/admin/billing/auditfinding/?rule=resource_without_subscription"
    assert f"resource:{book.resource.pk}" in alert.message
    Subscription.objects.update(status="active", cancelled_at=None)
    run_audit(at=NEXT, actor="a test")
    alert.refresh_from_db()
    assert alert.resolved_by == "a test"


def test_the_number_of_queries_is_the_same_whatever_is_found(book: Book) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            run_audit(at=AT, actor="a test")
        # An alert is raised for each red rule, in a transaction of its own.
        statements = [each["sql"] for each in captured]
        return sum("alert" not in each and each not in ("BEGIN", "COMMIT") for each in statements)

    sound = queries()
    Resource.objects.update(provider_created_at=datetime(2026, 5, 1, 5, tzinfo=UTC))
    for number in range(20):
        resource = a_resource(f"other-{number}", deployment=book.deployment)
        assert resource.pk
    unsubscribe()
    assert queries() == sound
    assert AuditFinding.objects.count() > 40
    assert sound < 3 * len(RULES) + 15


def test_all_rules_see_one_moment(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    find = audit_run.find_faults

    def find_and_change(rule: Any, *, at: datetime) -> Any:
        seen.append(Resource.objects.count())
        # Committed by a session of its own, between the rules.
        with ThreadPoolExecutor(1) as threads:
            threads.submit(_add_resource, len(seen)).result()
        return find(rule, at=at)

    monkeypatch.setattr(audit_run, "find_faults", find_and_change)
    run_audit(at=AT, actor="a test")
    assert set(seen) == {1}
    assert Resource.objects.count() == 1 + len(RULES), "the others were there, and not seen"


def _add_resource(number: int) -> None:
    a_resource(f"unseen-{number}", provider_id=f"unseen-{number}")
    connection.close()


def test_a_snapshot_is_no_part_of_another_transaction(db: None) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside another"), snapshot():
        pass


def test_one_run_at_a_time(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_run, "_WAIT_SECONDS", 0)
    with lease("money audit"), pytest.raises(LeaseHeld):
        run_audit(at=AT, actor="a test")


def test_it_is_scheduled_nightly() -> None:
    (entry,) = [each for each in registered_schedule() if each.task == "billing.audit_money"]
    assert (entry.crontab, entry.queue) == ("55 3 * * *", "cloud_billing")


def test_the_command_prints_every_rule_and_fails_on_red_findings(book: Book) -> None:
    said = audit()
    assert all(rule.code in said for rule in RULES)
    Resource.objects.update(provider_created_at=AT)
    assert "line:" in audit(), "a yellow finding doesn't fail"
    unsubscribe()
    assert refused() == "red findings: 1 resource_without_subscription"
    assert AuditRun.objects.count() == 3


def test_quotes_of_the_closed_month_are_kept_once_and_compared(book: Book) -> None:
    assert refused("--quotes") == "no quote of 2026-04 was kept: nothing was compared"
    assert record_closed_month(at=AT) == 1
    assert record_closed_month(at=NEXT) == 0
    row = QuoteFingerprint.objects.get()
    assert (row.month, row.total, row.currency) == (date(2026, 4, 1), Decimal("50.00"), "AUD")
    assert "1 quotes of 2026-04 compared, 0 differ" in audit("--quotes")


def test_a_quote_that_the_book_changed_since_is_told_from_one_that_the_code_changed(book: Book) -> None:
    record_closed_month(at=AT)
    UsageRecord.objects.filter(period_start=datetime(2026, 4, 2, tzinfo=UTC)).update(qty=1000)
    output = StringIO()
    with pytest.raises(CommandError, match="1 quotes differ, 0 of them for equal inputs"):
        call_command("audit_money", "--quotes", stdout=output)
    assert re.search(
        r"acme/shop: .*50\.00 was kept, it is .*746\.00 now; changed by the book", output.getvalue()
    )
    UsageRecord.objects.filter(period_start=datetime(2026, 4, 2, tzinfo=UTC)).update(qty=24)
    QuoteFingerprint.objects.update(quote_digest="0" * 64)
    with pytest.raises(CommandError, match="1 quotes differ, 1 of them for equal inputs"):
        call_command("audit_money", "--quotes", stdout=output)
    assert "changed by the code" in output.getvalue()


def test_quotes_are_not_kept_while_a_day_of_the_month_isnt_metered(book: Book) -> None:
    MeteredPeriod.objects.filter(period_start=datetime(2026, 4, 30, tzinfo=UTC)).delete()
    assert record_closed_month(at=AT) == 0
    assert not QuoteFingerprint.objects.exists()


def test_the_api_lists_open_findings_for_operators(book: Book, client: Client) -> None:
    unsubscribe()
    Resource.objects.update(provider_created_at=AT)
    run_audit(at=AT, actor="a test")
    AuditFinding.objects.create(
        rule="gone", subject="x:1", first_seen_at=AT, last_seen_at=AT, closed_at=AT, expected="a", actual="b"
    )

    def rules(query: str = "") -> list[tuple[str, str]]:
        answer = client.get(f"/api/v1/costs/audit{query}", headers=bearer(token_of("platform_admin")))
        assert answer.status_code == 200, answer.content
        return sorted((row["rule"], row["severity"]) for row in answer.json()["results"])

    red, yellow = ("resource_without_subscription", "red"), ("line_outside_life", "yellow")
    assert rules() == [yellow, red]
    assert rules("?severity=red") == [red]
    assert rules("?rule=line_outside_life") == [yellow]
    assert rules("?state=closed") == [("gone", "")]
    assert len(rules("?state=all")) == 3
    assert (
        client.get("/api/v1/costs/audit?rule=x", headers=bearer(token_of("platform_admin"))).status_code
        == 400
    )
