"""The console's leftovers: the list with its total, and the clean-up behind a page that shows what goes."""

import html
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from inventory.models import Resource
from provisioning.models import SagaRun
from provisioning.services import protect
from tests.billing.rows import a_resource
from tests.billing.spans import give_spans
from tests.billing.test_cost_checks import BIRTH, a_price
from tests.console.conftest import Login
from tests.console.rows import queries_of

pytestmark = pytest.mark.django_db
LIST = "/admin/billing/dailycost/leftovers/"
CLEAN_UP = f"{LIST}clean-up/"


def a_volume(name: str, *, number: int, size: int | None = 100, **attrs: Any) -> Resource:
    volume = a_resource(
        name,
        kind="volume",
        provider_id=f"7f4d9c1e-2b6a-11f1-8d0c-{number:012}",
        attrs={"droplet_ids": [], **attrs},
        tenant_id="acme",
        attributed_by="operator",
    )
    give_spans(volume, [(BIRTH, None, {"size_gb": size})])
    return volume


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer
    return html.unescape(answer.content.decode())


@pytest.fixture
def volumes() -> list[Resource]:
    a_price("volume", "0.10", unit="gib_month")
    return [a_volume("old", number=1), a_volume("older", number=2, size=250), a_volume("kept", number=3)]


def test_the_list_has_what_each_costs_and_the_total(viewer: Client, volumes: list[Resource]) -> None:
    shown = text_of(viewer.get(LIST))
    assert "$45.00 a month" in shown
    assert shown.index("older") < shown.index("$25.00") < shown.index("kept")
    assert "Attached to nothing" in shown
    assert "There are no leftovers of these" in text_of(viewer.get(LIST, {"reason": "no_targets"}))
    a_volume("odd", number=4, size=None)
    assert "at least $45.00 a month (1 without a list price)" in text_of(viewer.get(LIST))
    assert viewer.get(LIST, {"reason": "nonsense"}).status_code == 400


def test_a_clean_up_of_many_says_what_goes_and_what_it_saves_and_leaves_the_protected(
    operator: Client, volumes: list[Resource]
) -> None:
    old, older, kept = volumes
    protect(resource_pk=kept.pk, actor="a test")
    answer = operator.post(CLEAN_UP, {"resource": [each.pk for each in volumes]})
    shown = text_of(answer)
    assert "$35.00 a month" in shown
    assert [each.name for each in answer.context["staying"]] == ["kept"]
    assert "is protected" in shown
    assert not SagaRun.objects.exists()
    # Protected after the page was drawn: refused by name, and holds up none of the others.
    protect(resource_pk=older.pk, actor="a test")
    sent = {"resource": [old.pk, older.pk], "key": answer.context["key"], "confirmed": "yes"}
    told = text_of(operator.post(CLEAN_UP, sent, follow=True))
    assert "older stays: volume" in told
    assert "1 saga started" in told
    (saga,) = SagaRun.objects.all()
    assert (saga.kind, saga.inputs) == ("delete_volume", {"volume_id": old.provider_id})
    assert saga.requested_by == "user:operator-1"
    assert LogEntry.objects.filter(object_repr=f"saga {saga.pk}").exists()
    # The same page sent twice starts nothing more.
    operator.post(CLEAN_UP, sent)
    assert SagaRun.objects.count() == 1


def test_one_that_is_no_leftover_any_more_is_left_alone(operator: Client, volumes: list[Resource]) -> None:
    old = volumes[0]
    Resource.objects.filter(pk=old.pk).update(attrs={"droplet_ids": ["4711"]})
    assert "no leftover any more" in text_of(operator.post(CLEAN_UP, {"resource": [old.pk]}))
    sent = {"resource": [old.pk], "key": "k", "confirmed": "yes"}
    assert "no leftover any more" in text_of(operator.post(CLEAN_UP, sent, follow=True))
    assert not SagaRun.objects.exists()


def test_a_droplet_that_is_off_links_to_its_destruction_and_is_in_no_clean_up(operator: Client) -> None:
    droplet = a_resource("web", provider_id="4711", status="off", tenant_id="a", attributed_by="operator")
    give_spans(droplet, [(BIRTH, None, {"sku": "s", "active": False})])
    running = a_resource("runs", provider_id="4712", status="active")
    give_spans(running, [(BIRTH, None, {"sku": "s"})])
    shown = text_of(operator.get(LIST))
    assert "start/destroy_droplet/?droplet_id=4711" in shown
    assert "runs" in shown
    assert "droplet_id=4712" not in shown, "it is unattributed alone, and may be in use"
    assert f'value="{droplet.pk}"' not in shown
    assert "no saga deletes it" in text_of(operator.post(CLEAN_UP, {"resource": [droplet.pk]}))


def test_more_than_a_page_has_further_pages_and_is_cleaned_up_whole_or_not_at_all(
    operator: Client, volumes: list[Resource]
) -> None:
    for number in range(10, 210):
        a_volume(f"v{number}", number=number)
    shown = operator.get(LIST, {"kind": "volume"})
    assert (len(shown.context["rows"]), shown.context["count"]) == (200, 203)
    assert "?kind=volume&page=2" in text_of(shown)
    rest = operator.get(LIST, {"kind": "volume", "page": "2"}).context["rows"]
    pks = [row.resource_id for row, *_ in (*shown.context["rows"], *rest)]
    assert sorted(pks) == sorted(Resource.objects.values_list("pk", flat=True))
    told = text_of(operator.post(CLEAN_UP, {"resource": pks}, follow=True))
    assert "203 are ticked, and at most 200 go at once. Nothing was started" in told
    plan = operator.post(CLEAN_UP, {"resource": pks[:200]})
    assert len(plan.context["going"]) == 200
    sent = {"resource": pks[:200], "key": plan.context["key"], "confirmed": "yes"}
    assert "200 sagas started" in text_of(operator.post(CLEAN_UP, sent, follow=True))
    assert SagaRun.objects.count() == 200


def test_nothing_ticked_and_nonsense_start_nothing(operator: Client) -> None:
    for sent in ({}, {"resource": ["x", "-1", "9" * 30]}, {"confirmed": "yes"}):
        assert "Tick leftovers first" in text_of(operator.post(CLEAN_UP, sent, follow=True))
    assert operator.get(CLEAN_UP).status_code == 302
    assert not SagaRun.objects.exists()


@pytest.mark.parametrize("group", ["viewer", "billing"])
def test_others_see_the_list_and_may_not_clean_up(login: Login, volumes: list[Resource], group: str) -> None:
    client = login(group)
    assert "Clean up the ticked" not in text_of(client.get(LIST))
    sent = {"resource": [volumes[0].pk], "key": "k", "confirmed": "yes"}
    assert client.post(CLEAN_UP, sent).status_code == 403
    assert not SagaRun.objects.exists()


def test_a_login_without_rights_sees_nothing(login: Login) -> None:
    assert login("").get(LIST).status_code == 403


def test_the_list_asks_as_many_queries_for_many_as_for_one(viewer: Client, volumes: list[Resource]) -> None:
    few = len(queries_of(viewer, LIST))
    for number in range(10, 40):
        a_volume(f"v{number}", number=number)
    assert len(queries_of(viewer, LIST)) == few
