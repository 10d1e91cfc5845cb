"""Sagas in the console: the list, the pages and the operator's actions."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.console.formatting import duration
from arcadia_cloud.kernel.models import Alert
from inventory.models import Resource
from provisioning.admin.formatting import worker_label
from provisioning.models import ProtectedResource, SagaRun, SagaStepResult
from provisioning.queries import pause_state
from provisioning.services import pause
from tests.console.conftest import Login
from tests.console.rows import a_saga, queries_of
from tests.inventory.observations import observed, seen

pytestmark = pytest.mark.usefixtures("patient_broker")
SAGAS = "/admin/provisioning/sagarun/"
MARKS = "/admin/provisioning/protectedresource/"
SUBMITTED = {"_form_submitted": "on"}


def page_of(client: Client, saga: SagaRun) -> str:
    return client.get(f"{SAGAS}{saga.pk}/change/").content.decode()


def listed(client: Client, query: str = "") -> list[int]:
    """The numbers of the sagas on the list."""
    text = client.get(f"{SAGAS}{query}").content.decode()
    return sorted({int(pk) for pk in re.findall(rf"{SAGAS}(\d+)/change/", text)})


def ended(status: str = "rolled_back", **fields: Any) -> SagaRun:
    back: dict[str, Any] = {"direction": "backward"} if status == "rolled_back" else {}
    return a_saga(status=status, finished_at=timezone.now(), wake_at=None, **back, **fields)


def test_the_list_shows_what_was_not_wholly_compensated(viewer: Client) -> None:
    undone, partly = ended(), ended(compensation_failures=1)

    text = viewer.get(SAGAS).content.decode()

    assert text.count("rolled back, undo incomplete") == 1
    assert listed(viewer) == [undone.pk, partly.pk]
    assert listed(viewer, "?status=undo_incomplete") == [partly.pk]
    assert listed(viewer, "?status=rolled_back") == [undone.pk, partly.pk]
    assert listed(viewer, "?status=live") == []


def test_the_list_is_searched_by_number_and_by_subject(viewer: Client) -> None:
    first, second = a_saga(4711), a_saga(4712, kind="resize_droplet")

    assert listed(viewer, f"?q={second.pk}") == [second.pk]
    assert listed(viewer, "?q=droplet:4711") == [first.pk]
    assert listed(viewer, "?q=droplet:47") == []
    assert listed(viewer, f"?q={10**30}") == []
    assert listed(viewer, "?kind=echo") == [first.pk]


def test_a_page_shows_each_step_and_refreshes_only_while_the_saga_lives(viewer: Client) -> None:
    saga = a_saga()
    SagaStepResult.objects.filter(saga=saga, step_idx=0).update(attempts=3)

    live = page_of(viewer, saga)

    assert 'hx-trigger="every 2s"' in live
    for words in ("1. echo", "3 attempts", "waits: the provider is slow", "3. echo", "to come"):
        assert words in live, words
    SagaRun.objects.filter(pk=saga.pk).update(status="completed", finished_at=timezone.now(), wake_at=None)
    assert 'hx-trigger="every 2s"' not in page_of(viewer, saga)


def test_what_a_saga_works_on_is_a_link_where_it_has_a_page(viewer: Client) -> None:
    observed(seen("4711", name="shop-web-01"))
    saga = a_saga(subjects=["droplet:4711", "droplet:never-seen", "deployment:7"])

    text = page_of(viewer, saga)

    page = f"/admin/inventory/resource/{Resource.objects.get(provider_id='4711').pk}/change/"
    assert f'<a href="{page}" class="text-link">Droplet shop-web-01</a>' in text
    assert '<a href="/admin/deployments/deployment/7/change/" class="text-link">deployment:7</a>' in text
    assert "droplet:never-seen" in text


def test_a_page_shows_the_errors_of_a_step_and_of_its_compensation(viewer: Client) -> None:
    saga = ended(compensation_failures=1, error={"reason": "step_failed:resize", "compensate_from_idx": 0})
    undo = {"type": "ProviderRejected", "message": "Droplet is <b>locked</b>"}
    SagaStepResult.objects.filter(saga=saga, step_idx=0).update(
        status="compensation_failed", error={"compensation": undo}, compensation_started_at=timezone.now()
    )

    text = page_of(viewer, saga)

    assert "step failed: resize" in text
    assert "undo: ProviderRejected: Droplet is &lt;b&gt;locked&lt;/b&gt;" in text
    assert "Not everything was undone." in text


def test_a_page_asks_as_many_queries_at_forty_steps_as_at_two(viewer: Client) -> None:
    saga = a_saga()
    at_two = queries_of(viewer, f"{SAGAS}{saga.pk}/change/")
    SagaRun.objects.filter(pk=saga.pk).update(step_modules=["echo"] * 40)
    now = timezone.now()
    for idx in range(2, 40):
        SagaStepResult.objects.create(
            saga=saga, step_idx=idx, name="echo", status="completed", started_at=now, began_at=now
        )

    at_forty = queries_of(viewer, f"{SAGAS}{saga.pk}/change/")

    assert len(at_forty) == len(at_two), "\n".join(at_forty)


def test_an_operator_cancels_a_saga_and_that_is_logged(operator: Client) -> None:
    saga = a_saga()
    address = f"{SAGAS}{saga.pk}/cancel_this/"

    assert b"Cancel this saga?" in operator.get(address).content
    saga.refresh_from_db()
    assert not saga.cancel_requested
    answer = operator.post(address, SUBMITTED)

    assert answer.headers["HX-Redirect"] == f"{SAGAS}{saga.pk}/change/"
    saga.refresh_from_db()
    assert (saga.cancel_requested, saga.cancel_requested_by) == (True, "user:operator-1")
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.get_change_message()) == (str(saga.pk), "Cancelled from the console.")
    text = page_of(operator, saga)
    assert "Being cancelled." in text
    assert "cancel_this" not in text


@pytest.mark.parametrize(
    ("status", "hands"),
    [
        ("waiting", {"cancel_this", "requeue_this"}),
        ("completed", set()),
        ("rolled_back", {"retry_this"}),
        ("failed", {"cancel_this", "retry_this"}),
    ],
)
def test_a_page_offers_what_fits_the_sagas_state(operator: Client, status: str, hands: set[str]) -> None:
    saga = a_saga() if status == "waiting" else ended(status)

    text = page_of(operator, saga)

    assert set(re.findall(r'id="(\w+_this)"', text)) == hands


def test_a_retry_of_a_rolled_back_saga_leads_to_the_new_one(operator: Client) -> None:
    saga = ended(subjects=[])

    answer = operator.post(f"{SAGAS}{saga.pk}/retry_this/", SUBMITTED)

    new = SagaRun.objects.get(retry_of=saga)
    assert answer.headers["HX-Redirect"] == f"{SAGAS}{new.pk}/change/"
    assert f"{SAGAS}{new.pk}/change/" in page_of(operator, saga)
    assert f"{SAGAS}{saga.pk}/change/" in page_of(operator, new)


def test_a_refusal_is_shown_and_not_logged(operator: Client) -> None:
    saga = ended("completed")

    operator.post(f"{SAGAS}{saga.pk}/cancel_this/", SUBMITTED)

    assert "it can&#x27;t be cancelled any more" in page_of(operator, saga)
    assert not LogEntry.objects.exists()


def test_a_selection_is_retried_one_by_one(operator: Client) -> None:
    first, second, done = ended("failed"), ended("failed"), ended("completed")
    form = {"action": "retry_selected", "_selected_action": [first.pk, second.pk, done.pk]}

    text = operator.post(SAGAS, form, follow=True).content.decode()

    assert "2 done." in text
    assert f"saga {done.pk} is completed" in text
    assert set(SagaRun.objects.values_list("status", flat=True)) == {"running", "completed"}
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize("group", ["viewer", "billing"])
def test_who_only_looks_lends_no_hand(login: Login, group: str) -> None:
    client = login(group)
    saga, dead = a_saga(), ended("failed")
    observed(seen("1"))
    resource = Resource.objects.get()
    addresses = [f"{SAGAS}{saga.pk}/{hand}_this/" for hand in ("cancel", "retry", "requeue")]
    addresses += [f"{SAGAS}pause_all/", f"{SAGAS}lift_pause/"]
    addresses += [f"{MARKS}{hand}/{resource.pk}/" for hand in ("protect", "unprotect")]

    assert {client.post(address, {**SUBMITTED, "reason": "x"}).status_code for address in addresses} == {403}
    client.post(SAGAS, {"action": "retry_selected", "_selected_action": [dead.pk]})
    for text in (page_of(client, saga), client.get("/admin/").content.decode()):
        assert "_this" not in text
        assert "pause_all" not in text
    saga.refresh_from_db()
    dead.refresh_from_db()
    assert (saga.cancel_requested, dead.status, pause_state().paused) == (False, "failed", False)


def test_the_pause_is_set_shown_everywhere_and_lifted(operator: Client) -> None:
    saga = a_saga()
    assert b"pause_all" in operator.get("/admin/").content

    refused = operator.post(f"{SAGAS}pause_all/", SUBMITTED)
    assert b"required" in refused.content
    operator.post(f"{SAGAS}pause_all/", {**SUBMITTED, "reason": "a restore"})

    assert (pause_state().paused, pause_state().changed_by) == (True, "user:operator-1")
    for address in ("/admin/", SAGAS, f"{SAGAS}{saga.pk}/change/"):
        text = operator.get(address).content.decode()
        assert "Provisioning is paused" in text, address
        assert "a restore" in text, address
        assert "lift_pause" in text, address
    operator.post(f"{SAGAS}lift_pause/", SUBMITTED)
    assert not pause_state().paused
    assert "Provisioning is paused" not in operator.get("/admin/").content.decode()
    changes = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert changes == ["Paused from the console: a restore", "Pause lifted from the console."]


def test_a_mark_is_set_and_lifted_on_the_resources_page(operator: Client) -> None:
    observed(seen("1"))
    resource = Resource.objects.get()
    address = f"/admin/inventory/resource/{resource.pk}/change/"
    assert "Not protected" in operator.get(address).content.decode()

    answer = operator.post(f"{MARKS}protect/{resource.pk}/", {**SUBMITTED, "note": "holds the keys"})

    assert answer.headers["HX-Redirect"] == address
    mark = ProtectedResource.objects.get()
    assert (mark.protected_by, mark.note) == ("user:operator-1", "holds the keys")
    text = operator.get(address).content.decode()
    assert "holds the keys" in text
    assert f"{MARKS}unprotect/{resource.pk}/" in text
    operator.post(f"{MARKS}unprotect/{resource.pk}/", SUBMITTED)
    assert not ProtectedResource.objects.exists()
    assert LogEntry.objects.filter(object_id=str(resource.pk)).count() == 2
    assert operator.post(f"{MARKS}protect/{2**40}/", SUBMITTED).status_code == 404


def test_a_resource_links_to_its_sagas_and_an_alert_to_its_own(viewer: Client) -> None:
    saga = a_saga(1)
    a_saga(2)
    observed(seen("1"), source=f"saga:{saga.pk}")
    raise_alert(code="saga_dead_letter", subject=f"saga:{saga.pk}", message="it is stuck")
    address = f"{SAGAS}{saga.pk}/change/"
    alert, resource = Alert.objects.get(), Resource.objects.get()

    on_resource = viewer.get(f"/admin/inventory/resource/{resource.pk}/change/").content.decode()
    on_alerts = viewer.get("/admin/kernel/alert/").content.decode()
    on_alert = viewer.get(f"/admin/kernel/alert/{alert.pk}/change/").content.decode()

    assert on_resource.count(f'href="{address}"') == 2  # its sagas, and its history
    assert f'href="{address}"' in on_alerts
    assert f'href="{address}"' in on_alert


def test_home_shows_live_sagas_and_those_that_need_attention(viewer: Client) -> None:
    a_saga(1)
    a_saga(2, status="running", wake_at=None)
    ended("failed")
    raise_alert(code="saga_compensation_failed", subject="saga:9", message="left behind")

    text = " ".join(viewer.get("/admin/").content.decode().split())

    for name, value in (
        ("Live sagas", 2),
        ("Waiting sagas", 1),
        ("Dead letters", 1),
        ("Failed compensations", 1),
    ):
        assert re.search(rf"{name}</span> <strong[^>]*>{value}</strong>", text), name


@pytest.mark.parametrize("fault", ["paused", "1 dead letters", "1 undo failures"])
@pytest.mark.django_db(transaction=True)
def test_readiness_is_degraded_by_what_needs_a_hand(client: Client, fault: str) -> None:
    well = client.get("/api/health/ready").json()["checks"]["sagas"]
    assert well == {"ok": True, "words": "0 live"}
    if fault == "paused":
        pause(actor="operator-1", reason="a secret reason")
    elif "dead" in fault:
        ended("failed")
    else:
        raise_alert(code="saga_compensation_failed", subject="saga:9", message="left behind")

    answer = client.get("/api/health/ready")

    assert answer.json()["checks"]["sagas"] == {"ok": False, "words": f"{fault}; 0 live"}
    assert "secret" not in answer.content.decode()


def test_a_desired_state_is_only_looked_at(login: Login) -> None:
    client = login("superuser")
    for name in ("sagarun", "provisioned", "protectedresource"):
        assert client.get(f"/admin/provisioning/{name}/add/").status_code == 403


def test_a_duration_is_shown_in_the_units_that_fit() -> None:
    spans = {0.03: "30 ms", 4.25: "4.2 s", 200: "3 min 20 s", 7320: "2 h 2 min", 200_000: "2 d 7 h"}
    for seconds, words in spans.items():
        assert duration(timedelta(seconds=seconds)).replace("\xa0", " ") == words


def test_the_times_of_a_saga_say_their_zone(viewer: Client) -> None:
    began = timezone.now()
    saga = a_saga(started_at=began)

    assert f"{began:%H:%M:%S} UTC</dd>" in page_of(viewer, saga)
    saga.lease_holder, saga.lease_expires_at = "vm:1", began
    assert worker_label(saga) == f"vm:1, until {began:%H:%M:%S} UTC at the latest"
