"""The console's money audit: its list, its figure on the home page, and its button."""

from typing import Any

import pytest
import redis
from django.test import Client

from billing.models import AuditFinding, AuditRun
from tests.billing.book import AT
from tests.console.conftest import Login
from tests.console.test_actions import queued
from tests.console.test_home import figures, zeros

pytestmark = pytest.mark.usefixtures("patient_broker")
LIST = "/admin/billing/auditfinding/"


def a_run(red: int = 0, yellow: int = 0) -> AuditRun:
    counts = {"red": red, "yellow": yellow, "opened": red + yellow, "closed": 0}
    return AuditRun.objects.create(started_at=AT, finished_at=AT, requested_by="schedule", **counts)


def a_finding(rule: str = "day_not_metered", subject: str = "day:2026-04-12", **fields: Any) -> AuditFinding:
    seen = {"first_seen_at": AT, "last_seen_at": AT, "expected": "usage", "actual": "none of it"}
    return AuditFinding.objects.create(rule=rule, subject=subject, **{**seen, **fields})


def subjects(client: Client, query: str = "") -> list[str]:
    return [row.subject for row in client.get(f"{LIST}{query}").context["cl"].result_list]


def test_the_home_page_is_red_only_where_a_run_found_red_ones(viewer: Client) -> None:
    assert figures(viewer)["Money audit"] == ("-", "not run yet; not in the schedule", "", LIST)
    a_run().delete()
    for run, value, caption, tone in (
        ({"red": 2, "yellow": 1}, "3", "2 red, 1 yellow", "bad"),
        ({"yellow": 1}, "1", "1 yellow", "warning"),
    ):
        AuditRun.objects.all().delete()
        a_run(**run)
        as_of = f"{caption}; as of 2 May at 03:55 UTC"
        assert figures(viewer)["Money audit"] == (value, as_of, tone, LIST)
    AuditRun.objects.all().delete()
    a_run()
    assert zeros(viewer)["Money audit"] == LIST


def test_the_list_shows_open_findings_and_filters_by_rule_and_severity(viewer: Client) -> None:
    assert "The audit has not run yet" in viewer.get(LIST).content.decode()
    a_run(red=1, yellow=1)
    a_finding()
    a_finding("line_outside_life", "line:1/2")
    a_finding(subject="day:2026-04-01", closed_at=AT)
    page = viewer.get(LIST).content.decode()
    for text in (
        "A day is not metered",
        "none of it",
        "1 red and 1 yellow",
        "Last run 2 May 2026, 03:55 UTC",
    ):
        assert text in page, text
    assert subjects(viewer) == ["line:1/2", "day:2026-04-12"]
    assert subjects(viewer, "?rule=day_not_metered") == ["day:2026-04-12"]
    assert subjects(viewer, "?severity=yellow") == ["line:1/2"]
    assert subjects(viewer, "?state=closed") == ["day:2026-04-01"]
    assert len(subjects(viewer, "?state=all")) == 3


def test_a_findings_page_says_what_the_rule_means_and_links_to_its_subject(viewer: Client) -> None:
    finding = a_finding("usage_outside_life", "resource:7", link="resource:7")
    page = viewer.get(f"{LIST}{finding.pk}/change/").content.decode()
    assert "charged for what it" in page
    assert 'href="/admin/inventory/resource/7/change/"' in page
    finding = a_finding("gone", "x:1")
    assert "one of an earlier version" in viewer.get(f"{LIST}{finding.pk}/change/").content.decode()


def test_run_now_asks_a_worker(login: Login, valkey_client: redis.Redis) -> None:
    client = login("billing")
    assert client.post(f"{LIST}audit_now/", {"_form_submitted": "on"}).headers["HX-Redirect"] == LIST
    assert "A worker was asked to run the audit." in client.get(LIST).content.decode()
    assert queued(valkey_client, "cloud_billing") == [("billing.audit_money", "{'actor': 'user:billing-1'}")]


def test_a_viewer_runs_nothing(viewer: Client, valkey_client: redis.Redis) -> None:
    assert viewer.post(f"{LIST}audit_now/", {"_form_submitted": "on"}).status_code == 403
    assert queued(valkey_client, "cloud_billing") == []
