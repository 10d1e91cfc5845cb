"""Starting a saga in the console: the form from the workflow's schema, the plan, then the start."""

import html
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from inventory.models import Resource
from provisioning.models import SagaRun
from provisioning.registry import workflows
from provisioning.services import protect
from tests.console.conftest import Login
from tests.console.rows import a_saga
from tests.provisioning.offers import offer
from tests.provisioning.sagas import droplet_row

pytestmark = pytest.mark.usefixtures("patient_broker")
START = "/admin/provisioning/sagarun/start/"


def page(client: Client, kind: str, **query: Any) -> str:
    return html.unescape(client.get(f"{START}{kind}/", query).content.decode())


def post(client: Client, kind: str, **values: Any) -> Any:
    return client.post(f"{START}{kind}/", {"key": "k", **values})


def test_every_workflow_has_a_page_with_a_field_for_each_input(operator: Client) -> None:
    listed = operator.get(START).content.decode()
    for kind, workflow in workflows().items():
        assert f"{START}{kind}/" in listed
        form = page(operator, kind)
        for name in (*workflow.inputs.__struct_fields__, "start_at", "not_after"):
            assert f'name="{name}"' in form, (kind, name)
    assert operator.get(f"{START}teleport/").status_code == 404


def test_the_plan_is_shown_before_anything_starts_and_then_it_starts_once(operator: Client) -> None:
    droplet_row()
    offer()
    form = page(operator, "resize_droplet", droplet_id=1)
    assert re.search(r'<input(?=[^>]*name="droplet_id")(?=[^>]*value="1")', form)
    inputs = {"droplet_id": "1", "size": "s-2vcpu-4gb"}
    plan = html.unescape(post(operator, "resize_droplet", **inputs).content.decode())
    for words in (
        "What will happen",
        "size s-1vcpu-1gb to s-2vcpu-4gb",
        "$18.00",
        "web-1 is off while it is resized",
    ):
        assert words in plan, words
    assert not SagaRun.objects.exists()
    for _ in range(2):
        answer = post(operator, "resize_droplet", **inputs, confirmed="yes")
        saga = SagaRun.objects.get()
        assert answer.headers["Location"] == f"/admin/provisioning/sagarun/{saga.pk}/change/"
    assert saga.inputs["size"] == "s-2vcpu-4gb"
    assert saga.requested_by == "user:operator-1"
    assert LogEntry.objects.filter(change_message="Started from the console.").exists()


def test_lists_numbers_and_texts_are_read_as_the_schema_has_them(operator: Client) -> None:
    offer()
    inputs = {
        "name": "new-01", "region": "fra1", "size": "s-1vcpu-1gb", "image": "4711", "project": "acme",
        "tags": "role:web\r\nenv:test", "ssh_keys": "12\r\nab:cd", "backups": "on", "record_ttl": "600",
        "confirmed": "yes",
    }  # fmt: skip
    assert post(operator, "provision_droplet", **inputs).status_code == 302
    saga = SagaRun.objects.get()
    assert saga.inputs.items() >= {
        "image": 4711, "tags": ["role:web", "env:test"], "ssh_keys": [12, "ab:cd"], "backups": True,
        "monitoring": False, "record_ttl": 600,
    }.items()  # fmt: skip


def test_a_bad_input_is_shown_at_its_field(operator: Client) -> None:
    offer()
    answer = post(operator, "resize_droplet", droplet_id="77", size="s-2vcpu-4gb").content.decode()
    assert "the inventory has no droplet 77" in html.unescape(answer)
    empty = post(operator, "resize_droplet", size="s-2vcpu-4gb").content.decode()
    assert "This field is required." in empty
    assert not SagaRun.objects.exists()


def test_what_can_not_be_started_says_why_and_offers_no_start(operator: Client) -> None:
    row = droplet_row()
    protect(resource_pk=row.pk, actor="jo")
    plan = html.unescape(post(operator, "power_off_droplet", droplet_id="1").content.decode())
    assert "be started now: droplet 1 is protected" in plan
    assert 'name="confirmed"' not in plan
    answer = post(operator, "power_off_droplet", droplet_id="1", confirmed="yes")
    assert "Nothing was started" in html.unescape(answer.content.decode())
    assert not SagaRun.objects.exists()


def test_a_saga_is_scheduled_and_begun_before_its_time(operator: Client) -> None:
    inputs = {"message": "hello", "times": "1", "start_at": "2099-01-01T02:00", "confirmed": "yes"}
    post(operator, "echo", **inputs)
    saga = SagaRun.objects.get()
    assert saga.is_scheduled
    shown = operator.get(f"/admin/provisioning/sagarun/{saga.pk}/change/").content.decode()
    for words in ("scheduled", "begins at 1 Jan 2099, 02:00 UTC", "begin_this"):
        assert words in shown, words
    operator.post(f"/admin/provisioning/sagarun/{saga.pk}/begin_this/", {"_form_submitted": "on"})
    saga.refresh_from_db()
    assert saga.begun_at is not None


def test_a_viewer_may_not(login: Login) -> None:
    viewer = login("viewer")
    assert viewer.get(START).status_code == 403
    assert post(viewer, "echo", message="hello", confirmed="yes").status_code == 403
    assert "Start a saga" not in viewer.get("/admin/provisioning/sagarun/").content.decode()
    assert not SagaRun.objects.exists()


def test_a_droplets_page_links_to_what_can_be_done_to_it(login: Login) -> None:
    row = droplet_row()
    offer()
    operator, address = login("operator"), f"/admin/inventory/resource/{row.pk}/change/"

    def offered() -> list[str]:
        return re.findall(rf'action="{START}(\w+)/"', operator.get(address).content.decode())

    running = ["power_off_droplet", "resize_droplet", "snapshot_droplet", "destroy_droplet"]
    assert offered() == running
    page = html.unescape(operator.get(address).content.decode())
    assert "s-2vcpu-4gb, $24.00 a month" in page
    assert not {"s-gone", "s-1vcpu-1gb, "} & set(re.findall(r"s-gone|s-1vcpu-1gb, ", page))
    Resource.objects.update(status="off")
    assert offered() == ["power_on_droplet", *running[1:]]
    assert START not in login("viewer").get(address).content.decode()

    # As the page posts it: what isn't shown has the workflow's own default, such as a last snapshot.
    form = page[page.index(f'action="{START}destroy_droplet/"') :].partition("</form>")[0]
    inputs = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    plan = html.unescape(operator.post(f"{START}destroy_droplet/", inputs).content.decode())
    assert "What will happen" in plan
    assert "snapshot_droplet" in plan

    protect(resource_pk=row.pk, actor="jo")
    assert offered() == ["power_on_droplet", "snapshot_droplet"]
    saga = a_saga(1)
    assert offered() == []
    assert f"Saga {saga.pk} works on it" in operator.get(address).content.decode()


def test_where_the_sizes_are_not_known_yet_the_form_asks_for_one_and_blames_nobody(operator: Client) -> None:
    row = droplet_row()
    shown = operator.get(f"/admin/inventory/resource/{row.pk}/change/").content.decode()
    form = shown[: shown.index(f'action="{START}resize_droplet/"')].rpartition("<form")[2]
    assert 'method="get"' in form
    asked = operator.get(f"{START}resize_droplet/", {"droplet_id": row.provider_id, "size": ""})
    assert f'value="{row.provider_id}"' in asked.content.decode()
    assert "This field is required" not in asked.content.decode()
