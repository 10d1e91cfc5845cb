"""The drift inbox: what an operator sees, and the actions behind their page."""

import html
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from drift.models import Drift, DriftIgnoreRule
from inventory.models import Resource
from provisioning.models import Provisioned, SagaRun
from tests.console.conftest import Login
from tests.console.rows import queries_of
from tests.drift.rows import copy_rows, drifted

pytestmark = pytest.mark.django_db
LIST = "/admin/drift/drift/"
SUBMITTED = {"_form_submitted": "on"}
RESOLVE = f"{LIST}resolve/"


def page(client: Client, address: str, **data: Any) -> str:
    """The page's text, where the answer is one."""
    answer = client.get(address, data)
    assert answer.status_code == 200, answer
    return html.unescape(answer.content.decode())


def chosen(client: Client, action: str, rows: list[Drift]) -> Any:
    """Choose an action of the list for these rows."""
    return client.post(LIST, {"action": f"{action}_selected", "_selected_action": [row.pk for row in rows]})


def confirmed(client: Client, asked: Any, **fields: str) -> str:
    """Send the page on that asked; the messages that follow."""
    form = asked.context["form"]
    hidden = {name: form.initial[name] for name in ("action", "rows", "filters")}
    answer = client.post(RESOLVE, {**hidden, **fields}, follow=True)
    return html.unescape(answer.content.decode())


def test_expected_and_actual_stand_side_by_side_with_the_difference_marked(viewer: Client) -> None:
    drifted("web", spec={"tags": ["env:prod", "env:test"]}, tenant="acme", tags=["env:test", "old"])
    text = page(viewer, LIST)
    assert "<ins>env:prod</ins>" in text
    assert "<del>old</del>" in text
    assert "<div>env:test</div>" in text
    assert "acme" in text


def test_rows_are_grouped_by_cause_the_largest_first(viewer: Client) -> None:
    drifted("a", "b", "c", spec={"region": "ams3"})
    drifted("d", spec={"region": "nyc3"})
    groups = viewer.get(LIST).context["causes"]
    assert [(group.count, expected, actual) for group, expected, actual in groups] == [
        (3, "ams3", "fra1"),
        (1, "nyc3", "fra1"),
    ]
    cause = groups[0][0].cause
    assert len(viewer.get(LIST, {"cause": cause}).context["cl"].result_list) == groups[0][0].count


def test_the_page_says_what_a_revert_will_do_and_what_it_will_leave(operator: Client) -> None:
    rows = drifted("web", spec={"region": "ams3", "name": "wap"})
    asked = chosen(operator, "revert", rows)
    text = html.unescape(asked.content.decode())
    assert "it is renamed" in text
    assert "region can't be put back: DigitalOcean moves nothing to another region" in text
    told = confirmed(operator, asked)
    assert "1 are being put back by 1 sagas" in told
    saga = SagaRun.objects.get()
    assert saga.inputs["fields"] == ["name"]
    assert saga.requested_by == "user:operator-1"
    assert LogEntry.objects.filter(change_message="Revert from the console.").count() == 1
    assert "being put back" in page(operator, LIST)


def test_accepted_in_bulk_the_live_values_are_desired(operator: Client) -> None:
    rows = drifted("web", "db")
    confirmed(operator, chosen(operator, "accept", rows), reason="as it shall be")
    assert {row.spec["region"] for row in Provisioned.objects.all()} == {"fra1"}
    assert {(row.status, row.note) for row in Drift.objects.all()} == {("accepted", "as it shall be")}


def test_of_two_operators_the_second_is_told(operator: Client, login: Login) -> None:
    rows = drifted("web")
    first, second = chosen(operator, "accept", rows), chosen(login("superuser"), "accept", rows)
    confirmed(operator, first)
    assert "was accepted by user:operator-1" in confirmed(operator, second)


def test_a_snooze_takes_a_reason_and_ends_by_itself(operator: Client) -> None:
    rows = drifted("web")
    asked = chosen(operator, "ignore", rows)
    assert "This field is required" in confirmed(operator, asked, days="7")
    confirmed(operator, asked, reason="a trial", days="7")
    (rule,) = DriftIgnoreRule.objects.all()
    assert rule.reason == "a trial"
    assert rule.expires_at is not None
    assert viewable(operator, "") == 0
    assert viewable(operator, "?status=ignored") == 1
    assert "1 ignored" in page(operator, LIST)


def viewable(client: Client, query: str) -> int:
    return len(client.get(LIST + query).context["cl"].result_list)


def test_a_group_is_resolved_from_its_link(operator: Client) -> None:
    rows = drifted("a", "b", spec={"region": "ams3"})
    asked = operator.get(RESOLVE, {"action": "accept", "cause": rows[0].cause})
    assert asked.context["count"] == 2
    confirmed(operator, asked)
    assert Drift.objects.filter(status="accepted").count() == 2
    assert operator.get(RESOLVE, {"action": "accept", "cause": rows[0].cause}).status_code == 302
    assert operator.get(RESOLVE, {"action": "nonsense", "cause": "x"}).status_code == 302


def test_a_row_has_its_dialogs_and_each_acts_once(operator: Client) -> None:
    (row,) = drifted("web", spec={"name": "wap"})
    buttons = operator.get(f"{LIST}{row.pk}/change/").context["buttons"]
    assert [button.name for button in buttons] == ["accept_this", "revert_this", "ignore_this"]
    for _ in range(2):
        assert operator.get(buttons[1].href).status_code == 200
    operator.post(buttons[1].href, {**SUBMITTED, "note": "as it was"})
    row.refresh_from_db()
    assert row.revert_saga is not None
    assert operator.get(f"{LIST}{row.pk}/change/").context["buttons"] == []


def test_what_cannot_be_put_back_has_no_button_for_it(operator: Client) -> None:
    (row,) = drifted("web")
    answer = operator.get(f"{LIST}{row.pk}/change/")
    assert [button.name for button in answer.context["buttons"]] == ["accept_this", "ignore_this"]
    assert "moves nothing to another region" in answer.content.decode()


@pytest.mark.parametrize("group", ["viewer", "billing"])
def test_others_see_the_inbox_and_may_not_act(login: Login, group: str) -> None:
    (row,) = drifted("web")
    client = login(group)
    assert "Accept" not in page(client, LIST).partition('id="causes"')[2].partition("</table>")[0]
    assert client.get(f"{LIST}{row.pk}/change/").context["buttons"] == []
    assert client.get(RESOLVE, {"action": "accept", "cause": row.cause}).status_code == 403
    rows = f"{row.pk}:{row.cause}"
    assert client.post(RESOLVE, {"action": "accept", "rows": rows}).status_code == 403
    assert client.post(f"{LIST}coverage/droplet/", {"all": "yes"}).status_code == 403
    row.refresh_from_db()
    assert row.status == "open"


def test_what_is_not_covered_is_a_list_from_which_it_is_adopted(operator: Client) -> None:
    (row,) = drifted("web")
    Provisioned.objects.all().delete()
    assert "1 without a desired state" in page(operator, f"{LIST}coverage/")
    address = f"{LIST}coverage/droplet/"
    assert "web" in page(operator, address)
    told = operator.post(address, {"resource": [row.resource_id]}, follow=True).content.decode()
    assert "1 adopted" in told
    assert Provisioned.objects.get().spec["name"] == "web"
    assert "Each has a desired state" in html.unescape(page(operator, address))


def test_the_inbox_asks_as_many_queries_among_thousands_of_open_rows(viewer: Client) -> None:
    (row,) = drifted("web")
    few = len(queries_of(viewer, LIST))
    copy_rows(row, 3000)
    assert len(queries_of(viewer, LIST)) == few
    assert len(viewer.get(LIST).context["cl"].result_list) == 50
    assert Resource.objects.count() == 1


def test_an_ended_rule_brings_its_rows_back(operator: Client) -> None:
    rows = drifted("web")
    confirmed(operator, chosen(operator, "ignore", rows), reason="a trial", days="0")
    (rule,) = DriftIgnoreRule.objects.all()
    (button,) = operator.get(f"/admin/drift/driftignorerule/{rule.pk}/change/").context["buttons"]
    operator.post(button.href, SUBMITTED)
    assert Drift.objects.open().count() == 1
    assert operator.get(f"/admin/drift/driftignorerule/{rule.pk}/change/").context["buttons"] == []


def test_ages_narrow_the_inbox_and_nonsense_is_refused(viewer: Client) -> None:
    drifted("web")
    assert [viewable(viewer, f"?age={age}") for age in ("day", "week", "older")] == [1, 0, 0]
    assert viewer.get(f"{LIST}?age=century").status_code == 302
