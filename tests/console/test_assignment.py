"""Bulk assignment from the console: what is asked, what is shown before, and what is done."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deployments.models import Deployment
from inventory.admin import assignment_forms
from inventory.models import Resource, ResourceEvent
from tests.console.conftest import Login
from tests.inventory.observations import (
    a_project,
    last_changes,
    minute,
    observed,
    seen,
    the_resource,
    tombstone,
)

RESOURCES = "/admin/inventory/resource/"
ASSIGN = f"{RESOURCES}assign/"
CLEAR = f"{RESOURCES}clear-assignment/"
OURS = f"{RESOURCES}ours/"


@pytest.fixture
def shop(db: None) -> Deployment:
    """acme's shop; and four resources: one of globex's, three unattributed, the last one gone."""
    globex = a_project("globex", tenant_id="globex")
    observed(seen("1", project_id=globex.pk), seen("2"), seen("3"), seen("4"))
    tombstone(["4"], at=minute(5))
    return Deployment.objects.create(tenant_id="acme", slug="shop")


def choose(client: Client, action: str, *provider_ids: str, filters: str = "") -> Any:
    """Select rows in the list, and an action."""
    pks = [the_resource(provider_id).pk for provider_id in provider_ids]
    return client.post(f"{RESOURCES}{filters}", {"action": action, "_selected_action": pks})


def submit(client: Client, address: str, *provider_ids: str, **fields: str) -> Any:
    """Send the page's form."""
    pks = [the_resource(provider_id).pk for provider_id in provider_ids]
    return client.post(address, {"resources": ",".join(map(str, pks)), **fields})


def list_text(client: Client) -> str:
    return client.get(RESOURCES).content.decode()


def owner_of(provider_id: str) -> tuple[str | None, str | None, str]:
    row = the_resource(provider_id)
    return row.tenant_id, row.deployment.slug if row.deployment else None, row.attributed_by


def test_an_operator_assigns_the_selected_and_sees_before_what_will_happen(
    operator: Client, shop: Deployment
) -> None:
    asked = choose(operator, "assign_selected", "1", "2", filters="?life=all").content.decode()
    assert "2 resources will be the owner&rsquo;s that you choose" in asked
    assert "globex (1)" in asked
    assert "no tenant (1)" in asked
    assert "$12.00 a month" in asked
    assert owner_of("1") == ("globex", None, "project")
    assert not LogEntry.objects.exists()

    done = submit(operator, ASSIGN, "1", "2", owner="acme/shop", filters="life=all")
    assert done.headers["Location"] == f"{RESOURCES}?life=all"
    assert owner_of("1") == owner_of("2") == ("acme", "shop", "operator")
    assert owner_of("3") == (None, None, "")
    assert "2 assigned to acme/shop" in list_text(operator)


def test_history_and_log_tell_who_did_it(operator: Client, shop: Deployment) -> None:
    submit(operator, ASSIGN, "1", "2", owner="acme")

    assert last_changes("1")["tenant_id"] == ["globex", "acme"]
    event = ResourceEvent.objects.latest("pk")
    assert (event.actor, event.source) == ("user:operator-1", "console")
    entries = LogEntry.objects.order_by("object_id")
    assert [entry.object_id for entry in entries] == [str(the_resource(number).pk) for number in "12"]
    assert {entry.get_change_message() for entry in entries} == {
        "Assigned; owner: unattributed → acme",
        "Assigned; owner: globex → acme",
    }
    assert {entry.user.username for entry in entries} == {"operator-1"}


def test_it_can_be_cleared_and_the_rules_decide_again(operator: Client, shop: Deployment) -> None:
    submit(operator, ASSIGN, "1", "2", owner="acme")
    asked = choose(operator, "clear_selected", "1", "2", "3").content.decode()
    assert "2 of 3 selected resources are assigned, or marked as ours, by an operator" in asked

    submit(operator, CLEAR, "1", "2", "3")

    assert owner_of("1") == ("globex", None, "project")
    assert owner_of("2") == (None, None, "")
    assert "The rules decide again; 2 changed" in list_text(operator)
    cleared = [entry for entry in LogEntry.objects.all() if "cleared" in entry.get_change_message()]
    assert len(cleared) == 2


def test_where_nothing_is_assigned_there_is_nothing_to_clear(operator: Client, shop: Deployment) -> None:
    asked = choose(operator, "clear_selected", "1", "2").content.decode()

    assert "there is nothing to clear" in asked
    assert 'name="confirmed"' not in asked


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"owner": ""}, "This field is required"),
        ({"owner": "   "}, "This field is required"),
        ({"owner": "globex/shop"}, "globex has no deployment shop"),
        ({"owner": "acme/no-such", "is_new_tenant": "on"}, "acme has no deployment no-such"),
        ({"owner": "acne"}, "There is no tenant acne. Choose one that exists, or say that it is new."),
        ({"owner": "acne/shop"}, "There is no tenant acne/shop, nor acne with a deployment shop."),
        ({"owner": "a\0b"}, "Null characters are not allowed"),
    ],
)
def test_a_slip_is_told_and_nothing_is_done(
    operator: Client, shop: Deployment, fields: dict[str, str], words: str
) -> None:
    answer = submit(operator, ASSIGN, "1", "2", **fields)

    assert words in answer.content.decode()
    assert owner_of("1") == ("globex", None, "project")
    assert not LogEntry.objects.exists()


def test_a_new_tenant_is_made_on_purpose_alone(operator: Client, shop: Deployment) -> None:
    submit(operator, ASSIGN, "1", owner="initech")
    assert owner_of("1") == ("globex", None, "project")
    submit(operator, ASSIGN, "1", owner="initech", is_new_tenant="on")
    assert owner_of("1") == ("initech", None, "operator")
    submit(operator, ASSIGN, "2", owner="initech")
    assert owner_of("2") == ("initech", None, "operator")


def test_the_combobox_suggests_tenants_and_their_deployments(login: Login, shop: Deployment) -> None:
    operator = login("operator")

    def suggested(text: str) -> list[str]:
        owners: list[str] = operator.get(f"{RESOURCES}owners/", {"q": text}).json()["owners"]
        return owners

    assert suggested("") == ["acme", "acme/shop", "globex"]
    assert suggested("AC") == ["acme", "acme/shop"]
    assert suggested("acme/sh") == ["acme/shop"]
    assert suggested("acme/x") == suggested("nobody") == []
    assert login("viewer").get(f"{RESOURCES}owners/").status_code == 403


def test_a_resource_is_assigned_marked_and_cleared_on_its_own_page(login: Login, shop: Deployment) -> None:
    operator, page = login("operator"), f"{RESOURCES}{the_resource('2').pk}/change/"
    for address, fields, owner, words in (
        (ASSIGN, {"owner": "acme/shop"}, ("acme", "shop", "operator"), "assigned to acme/shop"),
        (OURS, {}, (None, None, "ours"), "marked as ours"),
        (CLEAR, {}, (None, None, ""), "The rules decide again"),
    ):
        answer = submit(operator, address, "2", **fields, from_page="on")
        assert answer.headers["Location"] == page
        assert owner_of("2") == owner
        assert words in operator.get(page).content.decode()
    refused = submit(operator, ASSIGN, "2", owner="acne", from_page="on").content.decode()
    assert f'href="{page}">Back' in refused
    assert "New owner" not in login("viewer").get(page).content.decode()


def test_what_is_ours_leaves_the_unattributed_and_comes_back(operator: Client, shop: Deployment) -> None:
    def listed(owner: str) -> list[str]:
        rows = operator.get(RESOURCES, {"owner": owner}).context["cl"].result_list
        return sorted(row.provider_id for row in rows)

    def unattributed_at_home() -> list[str]:
        home = operator.get("/admin/").context["dashboard"]
        figures = [*home.figures, *home.zeros]
        return [figure.value for figure in figures if figure.name == "Unattributed"]

    assert listed("unattributed") == ["2", "3"]
    asked = choose(operator, "mark_selected_ours", "2", "3").content.decode()
    assert "2 resources will be ours" in asked
    submit(operator, OURS, "2", "3")

    assert (listed("unattributed"), listed("ours"), unattributed_at_home()) == ([], ["2", "3"], ["0"])
    assert last_changes("2") == {"attributed_by": ["", "ours"]}
    assert ResourceEvent.objects.latest("pk").actor == "user:operator-1"
    assert {entry.get_change_message() for entry in LogEntry.objects.all()} == {
        "Marked as ours; owner: unattributed → ours"
    }
    submit(operator, CLEAR, "2")
    assert (listed("unattributed"), listed("ours"), unattributed_at_home()) == (["2"], ["3"], ["1"])


def test_what_is_gone_is_told(operator: Client, shop: Deployment) -> None:
    page = choose(operator, "assign_selected", "1", "4", filters="?life=all").content.decode()

    assert "1 of them is deleted already" in page


@pytest.mark.parametrize("group", ["viewer", "billing", ""])
@pytest.mark.parametrize("address", [ASSIGN, OURS, CLEAR])
def test_only_operators_assign(login: Login, shop: Deployment, group: str, address: str) -> None:
    client = login(group)
    Resource.objects.filter(provider_id="2").update(attributed_by="operator", tenant_id="acme")

    assert submit(client, address, "1", "2", owner="acme").status_code == 403
    choose(client, "assign_selected", "1")

    assert owner_of("1") == ("globex", None, "project")
    assert owner_of("2") == ("acme", None, "operator")
    assert "assign_selected" not in client.get(RESOURCES).content.decode()


def test_an_admin_assigns_too(login: Login, shop: Deployment) -> None:
    submit(login("admin"), ASSIGN, "1", owner="acme")

    assert owner_of("1") == ("acme", None, "operator")


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (("2", "3"), "They cost $12.00 a month at list price."),
        (("2", "3", "5"), "They cost at least $12.00 a month at list price; 1 without a price."),
        (("5",), "Their list price isn&rsquo;t known."),
    ],
)
def test_a_sum_that_lacks_prices_says_so(
    operator: Client, shop: Deployment, chosen: tuple[str, ...], words: str
) -> None:
    observed(seen("2"), seen("3"), seen("5", monthly_price_cents=None), at=minute(6))
    assert words in " ".join(choose(operator, "assign_selected", *chosen).content.decode().split())


@pytest.mark.parametrize("address", [ASSIGN, OURS, CLEAR])
@pytest.mark.parametrize(
    "resources", [None, "", "x", "1,,2", "-1", "9" * 30, "9" * 5000, ",".join(["1"] * 2001)]
)
def test_a_selection_that_is_none_leads_back_to_the_list(
    operator: Client, shop: Deployment, address: str, resources: str | None
) -> None:
    fields = {"owner": "acme"}
    if resources is not None:
        fields["resources"] = resources

    answer = operator.post(address, fields)

    assert answer.status_code == 302
    assert answer.headers["Location"] == RESOURCES
    assert operator.get(address).status_code == 302
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("address", [ASSIGN, OURS, CLEAR])
def test_a_resource_that_does_not_exist_stops_the_rest(
    operator: Client, shop: Deployment, address: str
) -> None:
    known = the_resource("1").pk
    fields = {"resources": f"{known},{2**40}", "owner": "acme"}

    answer = operator.post(address, fields, follow=True)

    assert "there is no resource" in answer.content.decode()
    assert owner_of("1") == ("globex", None, "project")
    assert not LogEntry.objects.exists()


def test_too_many_at_once_are_refused(
    operator: Client, shop: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assignment_forms, "MOST_AT_ONCE", 2)

    assert choose(operator, "assign_selected", "1", "2", "3").status_code == 302
    assert "At most 2 at once" in list_text(operator)
    assert choose(operator, "assign_selected", "1", "2").status_code == 200


def test_the_way_back_leads_nowhere_else(operator: Client, shop: Deployment) -> None:
    answer = submit(operator, CLEAR, "1", filters="//evil.example/?x=1\r\nSet-Cookie: a=b")

    assert answer.headers["Location"].startswith(f"{RESOURCES}?")
    assert "\n" not in answer.headers["Location"]


def test_what_the_provider_says_is_shown_as_text(operator: Client, db: None) -> None:
    evil = '<script>alert("1")</script>'
    observed(seen("1", name=evil, tenant_id=evil))

    assert evil not in choose(operator, "assign_selected", "1").content.decode()
    assert evil not in submit(operator, ASSIGN, "1", owner=evil).content.decode()


def test_many_cost_as_many_queries_as_few(operator: Client, db: None) -> None:
    observed(seen("of acme"))
    submit(operator, ASSIGN, "of acme", owner="acme")
    counts = []
    for first, last in ((0, 2), (2, 200)):
        observed(*(seen(str(number)) for number in range(first, last)))
        chosen = [str(number) for number in range(first, last)]
        for owner in ("no such", "acme"):
            with CaptureQueriesContext(connection) as queries:
                submit(operator, ASSIGN, *chosen, owner=owner)
            counts.append(len(queries) - len(chosen))  # the test reads each row itself

    assert counts[:2] == counts[2:]
