"""`provision_droplet`: what it makes, and that it leaves nothing when it turns back."""

import time

import pytest
from pytest_django.fixtures import Settings

from arcadia_cloud.kernel.errors import InvalidInput
from arcadia_cloud.kernel.models import Alert
from deployments.models import Deployment
from inventory.models import Project, Resource, ResourceEvent, ResourceSpan
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.engine.runner import run
from provisioning.errors import SubjectBusy
from provisioning.models import SagaRun
from provisioning.services import cancel_saga
from tests.kernel.threads import in_thread
from tests.provisioning.sagas import ledger, run_to_end, start, start_and_run
from tests.provisioning.workflows.cloud import ORDER, ZONE, Cloud
from tests.provisioning.workflows.conftest import FailAfter
from tests.provisioning.workflows.outcomes import (
    PROVISION_STEPS as STEPS,
)
from tests.provisioning.workflows.outcomes import (
    assert_made_once,
    assert_nothing_left,
    last_undone,
    reason,
    words,
)
from tests.simulator.api import Api


def test_it_makes_a_droplet_in_its_project_with_a_name_and_a_desired_state(cloud: Cloud) -> None:
    saga = start_and_run("provision_droplet", **ORDER)
    assert_made_once(cloud, saga)
    (event,) = ResourceEvent.objects.filter(resource__name="new-01")
    assert (event.event_type, event.source, event.actor) == ("discovered", f"saga:{saga.pk}", "a test")


def test_without_a_zone_no_record_is_looked_for_or_made(cloud: Cloud) -> None:
    saga = start_and_run("provision_droplet", **{**ORDER, "domain": "", "record_name": ""})
    assert saga.status == "completed"
    assert [name for name, _ in ledger(saga)] == STEPS[1:6] + STEPS[7:]
    assert not cloud.simulator.requests(path="/v2/domains", method="POST")


def test_what_it_makes_for_a_deployment_is_its_tenants(cloud: Cloud) -> None:
    deployment = Deployment.objects.create(tenant_id="acme", slug="shop")
    saga = start_and_run("provision_droplet", **ORDER, deployment_id=deployment.pk)
    assert (saga.tenant_id, saga.deployment_id) == ("acme", deployment.pk)
    row = Resource.objects.get(name="new-01")
    assert (row.tenant_id, row.deployment_id, row.attributed_by) == ("acme", deployment.pk, "saga")


def test_what_it_made_for_a_deployment_and_removed_again_leaves_no_usage(
    cloud: Cloud, fail_after: FailAfter
) -> None:
    deployment = Deployment.objects.create(tenant_id="acme", slug="shop")
    saga = start_and_run(fail_after("provision_droplet", len(STEPS)), **ORDER, deployment_id=deployment.pk)
    assert saga.status == "rolled_back"
    droplet = Resource.objects.get(name="new-01")
    assert (droplet.tenant_id, droplet.deleted_at is None) == ("acme", False)
    spans = ResourceSpan.objects.filter(resource=droplet)
    assert spans.exists()
    assert not spans.exclude(tenant_id__isnull=True, deployment_id__isnull=True).exists()


def test_a_project_that_is_there_is_used_and_stays_when_the_saga_is_compensated(cloud: Cloud) -> None:
    cloud.fault("errored_action", type="create")
    saga = start_and_run("provision_droplet", **{**ORDER, "project": "globex"}, deployment_id=None)
    assert_nothing_left(cloud, saga)


def test_a_name_that_is_taken_stops_it_before_anything_is_made(cloud: Cloud) -> None:
    saga = start_and_run("provision_droplet", **{**ORDER, "record_name": "www"})
    assert (saga.status, reason(saga)) == ("rolled_back", "step_failed:require_free_name")
    assert {each["method"] for each in cloud.simulator.requests()} == {"GET"}
    assert f"www in {ZONE} points to" in words(saga, "require_free_name")


@pytest.mark.parametrize("done", range(len(STEPS) + 1))
def test_it_is_compensated_from_wherever_it_fails(cloud: Cloud, fail_after: FailAfter, done: int) -> None:
    saga = start_and_run(fail_after("provision_droplet", done), **ORDER)
    assert saga.error == {"reason": "step_failed:fail", "compensate_from_idx": last_undone(STEPS[:done])}
    assert_nothing_left(cloud, saga)


def test_it_is_compensated_when_it_is_cancelled_while_the_droplet_is_being_made(cloud: Cloud) -> None:
    cloud.simulator.control("POST", "faults", kind="slow_actions", factor=10_000)
    saga = start("provision_droplet", **ORDER)
    while saga.context.get("droplet_id") is None:
        run(saga.pk)
        saga.refresh_from_db()
    cancel_saga(saga_id=saga.pk, actor="a test")
    run(saga.pk)
    assert cloud.named("new-01")  # it is busy being made, and can't be deleted yet
    cloud.simulator.control("POST", "advance", seconds=300_000)
    run_to_end(saga)
    assert reason(saga) == "cancelled"
    assert not cloud.named("new-01")
    assert cloud.everything() == cloud.before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"domain": ""}, "domain"),
        ({"record_name": ""}, "record_name"),
        ({"size": "gpu-h100x1-80gb"}, "size"),
        ({"tags": ["saga:1-1"]}, "tags"),
        ({"deployment_id": 4711}, "deployment_id"),
        ({"name": "not_a_host"}, "name"),
        ({"name": "new-01\n"}, "name"),
        ({"region": "fra1\n"}, "region"),
        ({"size": "s-1vcpu-1gb\n"}, "size"),
        ({"domain": f"{ZONE}\n"}, "domain"),
        ({"record_name": "new\n"}, "record_name"),
        ({"record_ttl": 5}, "record_ttl"),
        ({"image": ""}, "image"),
        ({"project": ""}, "project"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_an_order_that_cannot_be_is_refused_by_its_field(
    cloud: Cloud, change: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        start("provision_droplet", **{**ORDER, **change})
    assert list(refusal.value.errors) == [f"inputs.{field}"]
    assert not SagaRun.objects.exists()
    assert not cloud.simulator.requests()


def test_another_tenants_project_is_refused(cloud: Cloud) -> None:
    Project.objects.filter(name="globex").update(tenant_id="globex")
    deployment = Deployment.objects.create(tenant_id="acme", slug="shop")
    with pytest.raises(InvalidInput, match="project globex is tenant globex's"):
        start("provision_droplet", **{**ORDER, "project": "globex"}, deployment_id=deployment.pk)


def test_another_tenants_zone_is_refused(cloud: Cloud) -> None:
    sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["dns_zone"])
    Resource.objects.filter(kind="dns_zone", provider_id=ZONE).update(
        tenant_id="globex", attributed_by="operator"
    )
    deployment = Deployment.objects.create(tenant_id="acme", slug="shop")
    with pytest.raises(InvalidInput, match=f"domain {ZONE.upper()} is tenant globex's"):
        start("provision_droplet", **{**ORDER, "domain": ZONE.upper()}, deployment_id=deployment.pk)


def test_names_that_differ_in_capitals_are_one_subject(cloud: Cloud) -> None:
    start("provision_droplet", **ORDER)
    with pytest.raises(SubjectBusy):
        start(
            "provision_droplet", **{**ORDER, "name": "new-02", "record_name": "NEW", "domain": ZONE.upper()}
        )


@pytest.mark.parametrize("name", ["www", "WWW", "wWw"])
def test_a_name_is_taken_whatever_its_capitals(cloud: Cloud, name: str) -> None:
    saga = start_and_run("provision_droplet", **{**ORDER, "record_name": name})
    assert reason(saga) == "step_failed:require_free_name"
    assert cloud.everything() == cloud.before


@pytest.mark.parametrize(
    ("name", "kind", "data"),
    [
        ("new", "A", "192.0.2.1"),
        ("New", "A", "192.0.2.2"),
        ("new", "AAAA", "2001:db8::1"),
        ("new", "CNAME", "elsewhere.example."),
    ],
)
def test_a_name_that_is_taken_since_the_check_has_one_record(
    cloud: Cloud, name: str, kind: str, data: str
) -> None:
    saga = start("provision_droplet", **ORDER)
    while "droplet_id" not in saga.context:
        run(saga.pk)
        saga.refresh_from_db()
    cloud.api.post(f"/v2/domains/{ZONE}/records", {"type": kind, "name": name, "data": data, "ttl": 1800})
    assert_only_theirs(cloud, run_to_end(saga), kind)


def test_a_name_that_is_taken_between_the_last_look_and_the_create_has_one_record(cloud: Cloud) -> None:
    """The saga's create is on its way for a second; another, with another token, is faster."""
    records, token = f"/v2/domains/{ZONE}/records", "dop_v1_another"
    cloud.simulator.control("POST", "tokens", token=token, team="arcadia")
    cloud.fault("latency", seconds=1, method="POST", path="/records$", token=cloud.simulator.token)
    saga = start("provision_droplet", **ORDER)
    running = in_thread(lambda: run_to_end(saga))
    while len(cloud.simulator.requests(method="GET", path=records)) < 2:  # the check, and the last look
        time.sleep(0.01)
    with Api(cloud.simulator.url, token) as others:
        others.post(records, {"type": "A", "name": "New", "data": "192.0.2.1", "ttl": 1800})
    running.join()
    saga.refresh_from_db()
    assert_only_theirs(cloud, saga, "A")


def assert_only_theirs(cloud: Cloud, saga: SagaRun, kind: str) -> None:
    assert (saga.status, reason(saga)) == ("rolled_back", "step_failed:add_dns_record")
    records = [each for each in cloud.records() if each["name"].lower() == "new"]
    assert [each["type"] for each in records] == [kind]
    assert not cloud.named("new-01")


def test_a_rolled_back_saga_leaves_the_project_that_its_sibling_counts_on(cloud: Cloud) -> None:
    first = start("provision_droplet", **ORDER)
    while "project_id" not in first.context:
        run(first.pk)
        first.refresh_from_db()
    sibling = start("provision_droplet", **{**ORDER, "name": "new-02", "record_name": "new2"})
    while "droplet_id" not in sibling.context:
        run(sibling.pk)
        sibling.refresh_from_db()
    project = cloud.projects()["acme-new"]
    cancel_saga(saga_id=first.pk, actor="a test")
    assert run_to_end(first).status == "rolled_back"
    assert cloud.projects()["acme-new"] == project, "the sibling's droplet isn't in it yet"
    assert run_to_end(sibling).status == "completed"
    assert cloud.members("acme-new") == {f"do:droplet:{sibling.context['droplet_id']}"}


def test_a_project_that_is_removed_in_the_middle_is_made_again(cloud: Cloud) -> None:
    """By hand, or by another installation's saga: neither is known here."""
    saga = start("provision_droplet", **ORDER)
    while "droplet_id" not in saga.context:
        run(saga.pk)
        saga.refresh_from_db()
    cloud.api.delete(f"/v2/projects/{cloud.projects()['acme-new']}")
    assert_made_once(cloud, run_to_end(saga))


def test_a_droplet_of_the_same_name_is_not_made_at_the_same_time(cloud: Cloud) -> None:
    first = start("provision_droplet", **ORDER)
    with pytest.raises(SubjectBusy, match=f"saga {first.pk}"):
        start("provision_droplet", **{**ORDER, "region": "nyc3"})


def test_over_the_cap_it_waits_and_an_alert_is_raised(cloud: Cloud, settings: Settings) -> None:
    settings.ARCADIA_CREATES_PER_HOUR = 1
    start_and_run("provision_droplet", **ORDER)
    saga = start("provision_droplet", **{**ORDER, "name": "new-02", "record_name": "new2"})
    run(saga.pk)
    saga.refresh_from_db()
    assert saga.status == "waiting"
    assert not cloud.named("new-02")
    assert Alert.objects.filter(code="creates_capped").exists()
