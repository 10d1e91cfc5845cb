"""The home page's strip: one entry per cause, the most severe first, each with a link to the thing itself."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from arcadia_cloud.console.attention.provider_faults import provider_fault
from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.models import Alert, ProcessHeartbeat
from arcadia_cloud.kernel.processes import record_heartbeat
from arcadia_cloud.kernel.queue.job_runs import record_end, record_request, record_start
from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from billing.models import AuditRun, CostDay, DailyCost
from inventory.kinds import registry
from inventory.models import Resource, SyncRun
from inventory.values import Kind, RunOutcome, kind_label
from provisioning.models import SagaRun
from provisioning.services import pause
from tests.billing.rows import a_balance, an_invoice
from tests.console.conftest import Login
from tests.console.rows import EVERY_LIST, a_drift, a_run, a_saga, some_of_everything
from tests.inventory.observations import observed, seen

ENTRY = re.compile(
    r'<li> <span class="console-severity[^"]*">(critical|warning)</span> '
    r'<span class="console-strip-text"> <a class="text-link" href="([^"]+)">([^<]+)</a>'
)
HEADING = re.compile(r"</span> ([^<>]+) </h2>")
ALERTS = "/admin/kernel/alert/"
RUNS = "/admin/inventory/syncrun/"
SAGAS = "/admin/provisioning/sagarun/"
PAUSED = "Nothing new starts, and sagas stop at their next step"
ANSWER = "500 server_error: Unexpected server-side error (request 1a2b)"


def strip_of(client: Client) -> tuple[str, str, list[tuple[str, str, str]]]:
    """The strip's colour, its heading, and severity, words and link of each entry."""
    text = " ".join(client.get("/admin/").content.decode().split())
    text = text.replace("&#x27;", "'").replace("&amp;", "&")
    strip = text[text.index('id="home-strip"') : text.index("</section>")]
    tone, heading = re.search(r"console-strip-(\w+)", strip), HEADING.search(strip)
    assert tone is not None
    assert heading is not None
    return tone[1], heading[1], [(severity, words, href) for severity, href, words in ENTRY.findall(strip)]


def an_alert(
    code: str, subject: str, message: str = "It is wrong", severity: str = "warning", **details: Any
) -> None:
    raise_alert(
        code=code, subject=subject, message=message, severity=Alert.Severity(severity), details=details
    )


@pytest.fixture
def all_runs(db: None) -> None:
    """Every queue has a worker, and a beat runs."""
    at = timezone.now()
    record_heartbeat("one@host", queues=settings.QUEUES, started_at=at, at=at)
    record_heartbeat("beat@host", queues=[], started_at=at, at=at)


@pytest.fixture
def all_read(all_runs: None) -> None:
    """Every kind was read a moment ago, and so was billing; the audit found nothing."""
    at = timezone.now()
    for entry in registry.SPECS:
        a_run(kind=entry.kind)
    SyncRun.objects.update(started_at=at, finished_at=at)
    a_balance(at, "1.00")
    an_invoice(ingest_status="ingested", push_status="pushed", pushed_to_finance_at=at)
    AuditRun.objects.create(
        started_at=at, finished_at=at, requested_by="a test", red=0, yellow=0, opened=0, closed=0
    )
    CostDay.objects.create(day=at.date() - timedelta(days=1), source="accrued", computed_at=at)
    DailyCost.objects.create(
        day=at.date() - timedelta(days=1), source="accrued", kind="droplet", amount=1, resources=1
    )


def test_nothing_needs_a_hand_only_where_all_is_known_to_be_good(all_read: None, viewer: Client) -> None:
    assert strip_of(viewer) == ("good", "Nothing needs a hand", [])
    AuditRun.objects.all().delete()
    assert strip_of(viewer) == ("unknown", "Nothing known needs a hand; 1 not known yet", [])
    SyncRun.objects.filter(kind="droplet").delete()
    assert strip_of(viewer)[:2] == ("unknown", "Nothing known needs a hand; 2 not known yet")
    a_drift(_a_droplet())
    assert strip_of(viewer)[:2] == ("warning", "1 warning")


def _dead_letter(number: int) -> SagaRun:
    return a_saga(number, status="failed", wake_at=None, finished_at=timezone.now())


def _a_droplet(provider_id: str = "4711") -> Resource:
    observed(seen(provider_id, name="shop-web-02"))
    return Resource.objects.get(provider_id=provider_id)


def test_a_fault_of_the_provider_is_one_entry_however_many_things_it_fails(
    all_read: None, viewer: Client
) -> None:
    for number, kind in enumerate(Kind.values):
        path = "account" if number % 2 else f"{kind}s"
        an_alert("sync_failed", f"kind:{kind}", f"Sync of {kind_label(kind)}: GET /v2/{path}: {ANSWER}")
        if number == 0:
            (one,) = strip_of(viewer)[2]
            sentence = f"Sync of {kind_label(kind)} fails: DigitalOcean answers 500"
            assert one == ("warning", sentence, f"{RUNS}?kind={kind}")
    an_alert("billing_unread", "billing:balance", f"The balance can't be read: GET /v2/customers: {ANSWER}")
    # The newest run says so as well: the kinds aren't counted twice.
    SyncRun.objects.update(outcome=RunOutcome.FAILED, error=f"GET /v2/account: {ANSWER}")

    words = "DigitalOcean answers 500: 17 kinds and 1 billing call affected"
    assert strip_of(viewer)[2] == [("warning", words, f"{RUNS}?outcome=failed")]
    an_alert("sync_failed", "kind:app", "Sync of App: GET /v2/apps: 403 forbidden: no scope")
    assert [entry[1] for entry in strip_of(viewer)[2]] == [
        "DigitalOcean answers 500: 16 kinds and 1 billing call affected",
        "Sync of App fails: DigitalOcean refuses the token with 403",
    ]
    assert viewer.get(f"{RUNS}?outcome=failed").context["cl"].result_count == 17


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"Sync of VPC: GET /v2/vpcs?page=2&per_page=200: {ANSWER}", "DigitalOcean answers 500"),
        (
            "GET /v2/account: 401 unauthorized: Unable to authenticate",
            "DigitalOcean refuses the token with 401",
        ),
        ("GET Spaces nyc3 (ListBuckets): 503 SlowDown", "Spaces answers 503"),
        ("GET /v2/droplets: no answer within 30 s (request 1)", "DigitalOcean: no answer within 30 s"),
        ("the hour's calls are spent", ""),
    ],
)
def test_a_fault_is_told_from_the_words_of_the_call(text: str, fault: str) -> None:
    assert provider_fault(text) == fault


def test_the_most_severe_comes_first_then_the_oldest_and_each_leads_to_the_thing_itself(
    all_read: None, viewer: Client
) -> None:
    droplet, saga, dead = _a_droplet(), a_saga(1), _dead_letter(2)
    invoice = an_invoice("b", ingest_status="mismatch")
    begun = datetime(2026, 5, 1, 14, 19, tzinfo=UTC)
    left = f"Saga {saga.pk} left droplet shop-web-02 off: it was on before"
    stuck = f"Saga {dead.pk} (echo) can't go on at echo: no"
    resources, bills = "/admin/inventory/resource/", "/admin/billing/providerinvoice/"
    wanted = [
        ("invoice_mismatch", f"invoice:{invoice.pk}", "0.01 is missing", f"{bills}{invoice.pk}/change/"),
        ("limit_near", "limit:droplet", "Droplets: 8 of 10", f"{resources}?kind=droplet"),
        ("creates_capped", "creates:all", "Sagas wait: 100 creates", f"{SAGAS}?status=waiting"),
        ("a_code", "nowhere", "Something of no page", ""),
        ("droplet_left_off", "droplet:4711", left, f"{resources}{droplet.pk}/change/"),
        ("saga_dead_letter", f"saga:{dead.pk}", stuck, f"{SAGAS}{dead.pk}/change/"),
    ]
    severities = ["warning"] * 4 + ["critical"] * 2
    for number, (code, subject, message, _) in enumerate(wanted):
        an_alert(code, subject, message, severities[number], saga=saga.pk)
        Alert.objects.filter(subject=subject).update(raised_at=begun + timedelta(hours=number))
    # Of the saga that left the droplet off, and of the dead letter, there are more alerts: the same matters.
    an_alert("saga_compensation_failed", f"saga:{saga.pk}", "It could not undo", "critical")
    an_alert("saga_overdue", f"saga:{dead.pk}", "It is failed after an hour")
    alert = Alert.objects.get(subject="nowhere")

    tone, heading, entries = strip_of(viewer)

    assert (tone, heading) == ("bad", "2 critical, 4 warnings")
    by_severity = sorted(zip(severities, wanted, strict=True), key=lambda each: each[0])
    assert entries == [
        (severity, message, href or f"{ALERTS}{alert.pk}/change/")
        for severity, (_, _, message, href) in by_severity
    ]
    assert all(viewer.get(href).status_code == 200 for _, _, href in entries)
    assert "since <time" in viewer.get("/admin/").content.decode()
    assert "1 May 18:19 UTC" in viewer.get("/admin/").content.decode()
    # Somebody resolved the alert by hand, and the saga stays a dead letter.
    Alert.objects.filter(subject=f"saga:{dead.pk}").update(resolved_at=timezone.now(), resolved_by="x")
    words = f"Saga {dead.pk} (echo) can't go on, and waits for a retry or a cancel"
    assert ("critical", words, f"{SAGAS}{dead.pk}/change/") in strip_of(viewer)[2]


def test_sagas_that_end_for_one_reason_are_one_entry(all_read: None, viewer: Client) -> None:
    for number in (1, 2, 3):
        saga = _dead_letter(number)
        an_alert(
            "saga_dead_letter",
            f"saga:{saga.pk}",
            f"Saga {saga.pk} (echo) can't go on at echo: no",
            "critical",
        )
    words = "(echo) can't go on at echo: no: 3 sagas affected"
    assert strip_of(viewer)[2] == [("critical", words, f"{SAGAS}?status=failed")]


def test_a_missing_worker_is_one_entry_with_what_comes_of_it(all_read: None, viewer: Client) -> None:
    SyncRun.objects.update(finished_at=timezone.now() - timedelta(days=3))
    assert [entry[1] for entry in strip_of(viewer)[2]] == ["Not read in time: 17 kinds affected"]
    old = timezone.now() - timedelta(minutes=5)
    record_heartbeat("one@host", queues=settings.QUEUES, started_at=old, at=old)
    for queue in settings.QUEUES:
        an_alert("no_worker", f"queue:{queue}", "No worker takes tasks", "critical")

    words = "No worker runs: nothing is taken from any queue; 17 kinds not read in time"
    assert strip_of(viewer)[2] == [("critical", words, "#home-workers")]
    at = timezone.now()
    record_heartbeat("two@host", queues=settings.QUEUES[1:], started_at=at, at=at)
    record_heartbeat("beat@host", queues=[], started_at=old, at=old)
    beat = "No beat runs: nothing is scheduled; 17 kinds not read in time"
    assert [entry[1] for entry in strip_of(viewer)[2]] == [beat, "No worker takes from provisioning"]
    # Who has snoozed the queue's alert isn't told by its heartbeat either.
    Alert.objects.filter(subject="queue:provisioning").update(snoozed_until=at + timedelta(hours=1))
    assert [entry[1] for entry in strip_of(viewer)[2]] == [beat]


def test_what_rows_show_needs_no_alert_and_has_one_entry_with_it(
    all_read: None, login: Login, settings: Any
) -> None:
    operator = login("operator")
    pause(actor="operator-1", reason="a restore")
    a_drift(_a_droplet())
    an_alert("new_drift", "drift:open", "1 new difference")
    for number in (1, 2):
        an_invoice(f"w{number}", ingest_status="ingested", push_error="finance answered 503")
    an_invoice("waits its turn", ingest_status="ingested")
    AuditRun.objects.update(red=2)
    entries = strip_of(operator)[2]
    assert sorted(entry[1] for entry in entries) == [
        "1 difference from the desired state",
        "2 invoices are not pushed to finance: finance answered 503",
        f"Provisioning is paused by operator-1: a restore. {PAUSED}",
        "The money audit found 2 red findings",
    ]
    assert {href for _, _, href in entries} == {
        SAGAS,
        "/admin/drift/drift/",
        "/admin/billing/providerinvoice/?push_status=waiting",
        "/admin/billing/auditfinding/?severity=red",
    }
    assert 'id="lift-pause"' in operator.get("/admin/").content.decode()
    an_alert("money_audit", "audit:spans_overlap", "Spans overlap: 2", "critical")
    Alert.objects.filter(subject="drift:open").update(snoozed_until=timezone.now() + timedelta(hours=1))
    settings.SKYAI_FINANCE_ENABLED = False
    words = [entry[1] for entry in strip_of(operator)[2]]
    assert words[0] == "Spans overlap: 2"
    assert len(words) == 2


def test_a_job_that_is_not_done_is_an_entry_unless_its_cause_has_one(all_read: None, viewer: Client) -> None:
    seed_schedule()
    at = timezone.now()
    keys, trials, usage = (
        PeriodicTask.objects.get(name=name)
        for name in (
            "kernel: forget expired idempotency keys",
            "deployments: end trials",
            "metering: prune old usage",
        )
    )
    ended_run(keys, ("failed", "OperationalError: the disk is full"), at=at)
    ended_run(trials, ("failed", f"ProviderUnavailable: GET /v2/droplets: {ANSWER}"), at=at)
    record_request(task_id="waits", job=usage.name, actor="schedule", at=at - timedelta(minutes=2))

    tone, heading, entries = strip_of(viewer)
    assert (tone, heading) == ("warning", "3 warnings")
    assert entries == [
        (
            "warning",
            "Job metering: prune old usage waiting: asked for 2 minutes ago, no worker took it",
            f"/admin/jobs/{usage.pk}/",
        ),
        (
            "warning",
            "Job deployments: end trials failed: DigitalOcean answers 500",
            f"/admin/jobs/{trials.pk}/",
        ),
        (
            "warning",
            "Job kernel: forget expired idempotency keys failed: OperationalError: the disk is full",
            f"/admin/jobs/{keys.pk}/",
        ),
    ]
    page = viewer.get("/admin/").content.decode()
    assert "asked for 2 minutes ago, no worker took it</span>" in page[page.index('id="home-workers"') :]

    # The same fault of the provider elsewhere, an alert in a job's words, no worker on a job's queue.
    an_alert("sync_stale", "kind:volume", f"Sync of volume: GET /v2/volumes: {ANSWER}")
    an_alert("disk", "disk", "the disk is full")
    queues = [name for name in settings.QUEUES if name != "metering"]
    ProcessHeartbeat.objects.filter(name="one@host").update(queues=queues)
    words = [text for _, text, _ in strip_of(viewer)[2]]
    assert "DigitalOcean answers 500: 1 job and 1 kind affected" in words
    assert not [text for text in words if text.startswith("Job ")]


def ended_run(job: PeriodicTask, end: tuple[str, str], *, at: datetime) -> None:
    record_start(task_id=job.name, job=job.name, worker="one@host", at=at)
    record_end(task_id=job.name, outcome=end[0], message=end[1], at=at)


def test_every_page_has_a_bell_with_the_number_of_alerts_that_are_awake(login: Login) -> None:
    some_of_everything(1)
    client = login("admin")
    Alert.objects.all().delete()
    assert 'aria-label="No open alert"' in client.get("/admin/").content.decode()
    for number in range(3):
        an_alert("x", f"saga:{number}", severity="critical" if number == 2 else "warning")
    Alert.objects.filter(subject="saga:0").update(snoozed_until=timezone.now() + timedelta(hours=1))
    an_alert("x", "saga:9")
    Alert.objects.filter(subject="saga:9").update(resolved_at=timezone.now(), resolved_by="x")
    saga = a_saga(7)
    pages = ["", *(f"{name}/" for name in EVERY_LIST[::6]), f"provisioning/sagarun/{saga.pk}/change/"]
    pages += ["billing/dailycost/margin/", "billing/dailycost/leftovers/", "password_change/"]
    for page in pages:
        text = client.get(f"/admin/{page}").content.decode()
        assert text.count('aria-label="2 open alerts"') == 1, page
    (href,) = re.findall(r'id="bell" href="([^"]+)"', client.get("/admin/").content.decode())
    found = client.get(href).context["cl"].result_list
    assert [alert.subject for alert in found] == ["saga:2", "saga:1"]
    assert 'id="bell"' not in client.get("/admin/login/").content.decode()
    assert 'id="bell"' not in login("").get("/admin/").content.decode()
