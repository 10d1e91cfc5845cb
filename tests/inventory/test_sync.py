"""The sync against a simulated DigitalOcean, over HTTP."""

from datetime import timedelta

import pytest
from django.utils import timezone

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.rate_limit.budget import RateBudget
from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.models import Alert
from inventory.models import CloudAccount, Project, Resource, ResourceEvent, SyncRun
from inventory.queries import sync_ages
from inventory.readiness import sync_age
from inventory.services import sync_inventory
from inventory.sync.projects import ensure_operators_project
from inventory.values import RunMode
from tests.inventory.conftest import SyncNow
from tests.inventory.fleet import assert_nothing_lost_or_doubled, event_counts, made
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)


def operators_projects(simulator: Simulated) -> int:
    """Count them at the provider."""
    with DigitalOcean() as cloud:
        return [project.name for project in cloud.projects()].count("skyai-internal")


def test_the_reference_fleet_becomes_five_rows(simulator: Simulated, sync: SyncNow) -> None:
    simulator.reset(fleet="reference")
    runs = sync()
    assert {kind: run.outcome for kind, run in runs.items()} == {"project": "complete", "droplet": "complete"}
    run = runs["droplet"]
    assert (run.seen, run.discovered, run.updated, run.restored) == (5, 5, 0, 0)
    assert (run.struck, run.deleted, run.error, run.mode) == (0, 0, "", "full")
    assert set(Resource.objects.values_list("name", flat=True)) == {
        "acme-web-01",
        "acme-web-02",
        "acme-db-01",
        "globex-app-01",
        "bastion-01",
    }
    assert event_counts() == {"discovered": 5}
    assert set(ResourceEvent.objects.values_list("source", "actor")) == {(f"run:{run.pk}", "a test")}
    assert operators_projects(simulator) == 1
    assert Project.objects.filter(name="skyai-internal", deleted_at=None).count() == 1


def test_a_second_run_tells_nothing_new(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    before = event_counts()
    run = sync()["droplet"]
    assert (run.outcome, run.seen, run.discovered, run.updated) == ("complete", 13, 0, 0)
    assert event_counts() == before
    assert len(simulator.requests(method="POST", path="/v2/projects")) == 1
    assert_nothing_lost_or_doubled(simulator)


def test_a_row_says_what_the_provider_says(simulator: Simulated, sync: SyncNow) -> None:
    simulator.reset(fleet="reference", today="2026-06-01")
    sync()
    row = Resource.objects.get(name="acme-db-01")
    assert (row.kind, row.region, row.status) == ("droplet", "nyc3", "active")
    assert row.urn == f"do:droplet:{row.provider_id}"
    assert row.tags == ["deployment:site", "role:db", "tenant:acme"]
    assert row.project is not None
    assert row.project.name == "acme"
    assert row.monthly_price_cents == 2400
    assert (row.attrs["size_slug"], row.attrs["vcpus"], row.attrs["memory_mb"]) == ("s-2vcpu-4gb", 2, 4096)
    assert row.provider_created_at is not None
    assert row.provider_created_at < row.first_seen_at


def test_gpu_droplets_are_among_them(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    assert Resource.objects.get(name="assist-gpu-01").attrs["gpu"]["count"] == 1


def test_counts_of_a_run_are_of_that_run(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    droplet = Resource.objects.get(name="wiki-01").provider_id
    simulator.control("PATCH", f"droplets/{droplet}", status="off")
    made(simulator, name="new-01")
    run = sync()["droplet"]
    assert (run.seen, run.discovered, run.updated) == (14, 1, 1)
    assert run.pages == 2
    assert run.api_calls == 2
    assert run.finished_at is not None


def test_a_fast_run_reads_no_projects_and_keeps_them(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    runs = sync(RunMode.FAST)
    assert set(runs) == {"droplet"}
    assert runs["droplet"].outcome == "complete"
    assert not Resource.objects.filter(project=None).exists()
    assert event_counts() == {"discovered": 13}


def test_what_a_fast_run_discovers_gets_its_project_from_the_next_full_one(
    simulator: Simulated, sync: SyncNow
) -> None:
    sync(RunMode.FAST)
    assert Resource.objects.filter(project=None).count() == 13
    sync()
    Project.objects.filter(name="globex").update(tenant_id="globex")
    sync()
    assert Resource.objects.get(name="sandbox-01").tenant_id == "globex"
    assert event_counts() == {"discovered": 13, "updated": 13 + 1}  # the first full run decides by tags, too


# --- Projects --------------------------------------------------------------------------------------


def test_what_the_operator_says_of_a_project_is_never_overwritten(
    simulator: Simulated, sync: SyncNow
) -> None:
    sync()
    Project.objects.filter(name="acme").update(tenant_id="acme", purpose="tenant")
    sync()
    project = Project.objects.get(name="acme")
    assert (project.tenant_id, project.purpose) == ("acme", "tenant")
    assert project.attrs == {"purpose": "Service or API"}


def test_a_droplet_that_moves_between_projects_is_recorded(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    droplet = Resource.objects.get(name="wiki-01").provider_id
    simulator.control("PATCH", f"droplets/{droplet}", project="globex")
    sync()
    event = ResourceEvent.objects.get(event_type="updated")
    assert event.changes == {"project": ["acme", "globex"]}


def test_a_project_deleted_at_the_provider_is_marked_and_may_return(
    simulator: Simulated, sync: SyncNow
) -> None:
    with DigitalOcean() as cloud:
        project = cloud.create_project(name="short-lived", purpose="Service or API")
        sync()
        cloud.delete(f"/v2/projects/{project.id}")
    sync()
    row = Project.objects.get(name="short-lived")
    assert row.deleted_at is not None
    assert Project.objects.filter(deleted_at=None).count() == 5


def test_the_operators_project_is_made_once_though_its_answer_was_lost(
    simulator: Simulated, sync: SyncNow
) -> None:
    simulator.fault(kind="drop_after", method="POST", path="^/v2/projects$")
    first = sync()
    assert first["project"].outcome == "failed"
    assert first["droplet"].outcome == "complete"
    assert sync()["project"].outcome == "complete"
    assert operators_projects(simulator) == 1


def test_the_operators_project_is_not_made_again_when_it_is_there(simulator: Simulated) -> None:
    with DigitalOcean() as cloud:
        ensure_operators_project(cloud)
        ensure_operators_project(cloud)
    assert len(simulator.requests(method="POST")) == 1


def test_projects_that_cannot_be_read_keep_what_is_known(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    simulator.fault(kind="forbidden", path="^/v2/projects", count=0)
    runs = sync()
    assert runs["project"].outcome == "failed"
    assert "403 forbidden" in runs["project"].error
    assert runs["droplet"].outcome == "complete"
    assert not Resource.objects.filter(project=None).exists()
    assert event_counts() == {"discovered": 13}


# --- The pinned account ----------------------------------------------------------------------------


def test_the_first_sync_pins_the_account(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    account = CloudAccount.objects.get()
    sync()
    assert CloudAccount.objects.get() == account


def test_a_token_of_another_account_reads_nothing(
    simulator: Simulated, sync: SyncNow, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync()
    simulator.control("POST", "tokens", token="dop_v1_" + "ab" * 32, team="others")
    simulator.control("DELETE", "requests")
    monkeypatch.setenv("DO_API_TOKEN", "dop_v1_" + "ab" * 32)
    runs = sync()
    assert {run.outcome for run in runs.values()} == {"failed"}
    assert "the token belongs to account" in runs["droplet"].error
    assert [request["path"] for request in simulator.requests()] == ["/v2/account"]
    assert event_counts() == {"discovered": 13}
    assert not Resource.objects.filter(stale_strike_count__gt=0).exists()
    assert Alert.objects.get().subject == "kind:droplet"


def test_a_token_that_is_swapped_in_the_middle_of_a_run_strikes_nothing(
    simulator: Simulated, sync: SyncNow, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.reset(fleet="droplets", seed=1, droplets=450, today=None)
    sync()
    other = "dop_v1_" + "ab" * 32
    simulator.control("POST", "tokens", token=other, team="others")
    simulator.control("DELETE", "requests")

    def swap(_kind: str, _progress: object) -> None:
        monkeypatch.setenv("DO_API_TOKEN_SYNC", other)

    (run,) = sync_inventory(mode=RunMode.FAST, actor="a test", kinds=["droplet"], report=swap)
    assert (run.outcome, "the token belongs to account" in run.error) == ("failed", True)
    paths = [request["path"].partition("?")[0] for request in simulator.requests()]
    assert paths == ["/v2/account", "/v2/droplets", "/v2/account"]
    assert not Resource.objects.filter(stale_strike_count__gt=0).exists()
    assert Resource.objects.filter(deleted_at=None).count() == 463


def test_a_refused_token_fails_in_words(
    simulator: Simulated, sync: SyncNow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DO_API_TOKEN", "dop_v1_" + "cd" * 32)
    run = sync()["droplet"]
    assert run.outcome == "failed"
    assert "401 unauthorized: Unable to authenticate you" in run.error
    assert "cdcd" not in run.error


# --- What does not take place ------------------------------------------------------------------------


def test_a_spent_hour_skips_every_run_and_says_so(simulator: Simulated, sync: SyncNow) -> None:
    sync()
    budget = RateBudget("SYNC")
    budget.correct({"ratelimit-limit": "5000", "ratelimit-remaining": "1"})
    budget.take()
    simulator.control("DELETE", "requests")
    run = sync()["droplet"]
    assert run.outcome == "skipped"
    assert "the hour's calls of the SYNC token are spent" in run.error
    assert simulator.requests() == []
    assert not Alert.objects.exists()


@pytest.mark.parametrize("hours_ago", [3, None])
def test_a_kind_that_the_hours_calls_do_not_reach_is_reported(
    simulator: Simulated, sync: SyncNow, hours_ago: int | None
) -> None:
    simulator.control("POST", "limits", enabled=True)
    if hours_ago is not None:
        sync()
        then = timezone.now() - timedelta(hours=hours_ago)
        SyncRun.objects.update(started_at=then, finished_at=then, api_calls=6000)
    budget = RateBudget("SYNC")
    budget.correct({"ratelimit-limit": "5000", "ratelimit-remaining": "1"})
    budget.take()
    assert sync()["droplet"].outcome == "skipped"

    alert = Alert.objects.get(subject="kind:droplet")
    assert alert.code == "sync_short_of_calls"
    (age,) = (age for age in sync_ages(at=timezone.now()) if age.kind == "droplet")
    assert age.is_stale
    assert "the hour's calls of the SYNC token are spent" in age.reason
    assert f"({age.reason})" in sync_age().message


def test_the_next_complete_run_closes_the_report(simulator: Simulated, sync: SyncNow) -> None:
    raise_alert(code="sync_short_of_calls", subject="kind:droplet", message="a test")
    sync()
    assert not Alert.objects.filter(resolved_at=None).exists()
