"""The console's pages of customers: what they show, and what may be done to whom."""

import json
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from catalog.services import seed_catalog
from deployments.admin import templates
from deployments.models import Deployment, DeploymentTemplate, Subscription, SubscriptionDiscount
from deployments.services import (
    create_deployment,
    create_subscription,
    create_template,
    publish_template,
    transition,
    update_template_draft,
)
from deployments.templates import SEEDED
from tests.access import bearer, token_of
from tests.console.conftest import Login
from tests.console.rows import queries_of
from tests.deployments.rows import BY, noon, told

pytestmark = pytest.mark.django_db
PAGE = "/admin/deployments/deployment/{}/change/"


@pytest.fixture
def deployment() -> Deployment:
    seed_catalog(at=noon(1))
    made = create_deployment(tenant_id="acme", slug="shop", actor=BY, at=timezone.now())
    create_subscription(
        deployment_pk=made.pk, plan_code="studio", addons=["storage_50gb"], actor=BY, at=timezone.now()
    )
    return made


def buttons(client: Client, deployment: Deployment) -> list[str]:
    return [button.name for button in client.get(PAGE.format(deployment.pk)).context["actions"]]


def act(client: Client, deployment: Deployment, name: str, **values: Any) -> Any:
    address = f"/admin/deployments/deployment/{deployment.pk}/{name}/"
    return client.post(address, {"_form_submitted": "on", **values})


def test_the_page_shows_the_subscription_its_fees_and_the_history(
    login: Login, deployment: Deployment
) -> None:
    page = login("viewer").get(PAGE.format(deployment.pk)).content.decode()
    for text in ("Studio, version 1", "50 GB of storage", "63.25", "Subscribed", "studio/1", BY):
        assert text in page


def test_only_the_moves_that_the_state_allows_are_buttons(login: Login, deployment: Deployment) -> None:
    operator = login("operator")
    assert [name for name in buttons(operator, deployment) if name.startswith("move_to")] == [
        "move_to_past_due", "move_to_paused", "move_to_suspended", "move_to_cancelled",
    ]  # fmt: skip
    transition(deployment_pk=deployment.pk, to="cancelled", actor=BY, at=timezone.now())
    assert buttons(operator, deployment) == ["move_to_archived", "suspend_billing_actions"]


def test_a_button_asks_then_moves_and_logs(login: Login, deployment: Deployment) -> None:
    operator = login("operator")
    asked = operator.get(f"/admin/deployments/deployment/{deployment.pk}/move_to_paused/").content.decode()
    assert "Pause?" in asked
    assert Deployment.objects.get().state == "active"
    act(operator, deployment, "move_to_paused", reason="winter")
    assert (Deployment.objects.get().state, Subscription.objects.get().status) == ("paused", "paused")
    assert told(deployment)[-2] == ("transitioned", "active", "paused")
    assert deployment.events.order_by("id").last().actor == "user:operator-1"  # type: ignore[union-attr]
    assert LogEntry.objects.get().change_message == "Pause, from the console; state: active → paused"
    refused = act(operator, deployment, "move_to_archived", reason="")
    assert "Allowed from paused: active, cancelled." in str(list(get_messages(refused.wsgi_request))[-1])
    assert LogEntry.objects.count() == 1


def test_its_plan_and_addons_are_changed_from_its_page(login: Login, deployment: Deployment) -> None:
    operator = login("operator")
    act(operator, deployment, "change_plan", plan_code="pro", when="")
    act(operator, deployment, "attach", code="storage_250gb")
    act(operator, deployment, "detach", code="storage_50gb")
    subscription = Subscription.objects.get()
    assert str(subscription.plan_version) == "pro/1"
    assert [row.addon.code for row in subscription.addons.order_by("id")] == ["storage_50gb", "storage_250gb"]
    assert "detach" not in str(act(operator, deployment, "detach", code="no-such").status_code)
    act(operator, deployment, "suspend_billing_actions")
    assert Deployment.objects.get().billing_action_suspended
    act(operator, deployment, "allow_billing_actions")
    assert not Deployment.objects.get().billing_action_suspended


def test_a_deployment_is_subscribed_from_its_page(login: Login) -> None:
    seed_catalog(at=noon(1))
    bare = create_deployment(tenant_id="acme", slug="shop", actor=BY, at=timezone.now())
    act(login("operator"), bare, "subscribe", plan_code="starter")
    assert str(Subscription.objects.get().plan_version) == "starter/1"


def test_discounts_are_given_and_ended_by_billing_alone(login: Login, deployment: Deployment) -> None:
    terms = {"percent": "10", "scope": "all", "reason": "a friend"}
    assert act(login("operator"), deployment, "give_discount", **terms).status_code == 403
    billing = login("billing")
    assert buttons(billing, deployment) == ["give_discount", "end_discount"]
    act(billing, deployment, "give_discount", **terms)
    given = SubscriptionDiscount.objects.get()
    assert (str(given), given.given_by, given.valid_to) == ("10 %", "user:billing-1", None)
    act(billing, deployment, "end_discount", discount_pk=given.pk)
    given.refresh_from_db()
    assert given.valid_to == timezone.now().date()
    page = billing.get(f"/admin/deployments/deployment/{deployment.pk}/end_discount/").content.decode()
    assert f'value="{given.pk}"' not in page, "an ended one can't be ended"
    assert act(billing, deployment, "move_to_paused", reason="").status_code == 403


def test_a_viewer_has_no_button(login: Login, deployment: Deployment) -> None:
    viewer = login("viewer")
    assert buttons(viewer, deployment) == []
    assert act(viewer, deployment, "move_to_paused", reason="").status_code == 403
    assert Deployment.objects.get().state == "active"


@pytest.mark.parametrize("name", ["move_to_paused", "change_plan", "detach", "end_discount", "subscribe"])
@pytest.mark.parametrize("number", ["0", "99999999999999999999", "x"])
def test_the_dialog_of_what_is_not_there_changes_nothing(login: Login, name: str, number: str) -> None:
    client = login("superuser")
    answer = client.post(f"/admin/deployments/deployment/{number}/{name}/", {"_form_submitted": "on"})
    assert answer.status_code in {200, 302, 404}


def test_a_page_asks_as_many_queries_with_a_long_history_as_with_a_short_one(
    login: Login,
    deployment: Deployment,
) -> None:
    client = login("superuser")
    few = len(queries_of(client, PAGE.format(deployment.pk)))
    for to in ("paused", "active") * 10:
        transition(deployment_pk=deployment.pk, to=to, actor=BY, at=timezone.now())
    assert len(queries_of(client, PAGE.format(deployment.pk))) == few


def _template_form(code: str) -> dict[str, str]:
    droplet = {"key": "a", "name": "{slug}-a", "size": "s-1vcpu-1gb", "image": "debian-12-x64"}
    return {"code": code, "spec": json.dumps({"project": "{tenant}", "droplets": [droplet]})}


def test_a_new_templates_form_begins_with_a_spec_that_is_taken(login: Login) -> None:
    client = login("superuser")
    address = "/admin/deployments/deploymenttemplate/add/"
    spec = client.get(address).context["adminform"].form["spec"].value()

    assert '\n  "project"' in spec  # indented, as people edit it
    assert client.post(address, {"code": "shop", "spec": spec}).status_code == 302
    assert DeploymentTemplate.objects.get().spec["droplets"][0]["key"] == "web"


def test_a_template_of_a_code_that_is_there_is_refused_on_the_form(login: Login) -> None:
    client = login("superuser")
    address = "/admin/deployments/deploymenttemplate/add/"
    assert client.post(address, _template_form("shop")).status_code == 302
    again = client.post(address, _template_form("shop"))
    assert "There is a template of this code" in again.content.decode()
    assert DeploymentTemplate.objects.count() == 1


def test_a_draft_that_another_published_meanwhile_is_refused_on_its_page(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = login("superuser")
    client.post("/admin/deployments/deploymenttemplate/add/", _template_form("shop"))
    template = DeploymentTemplate.objects.get()

    def publish_first(**order: Any) -> DeploymentTemplate:
        publish_template(template_pk=template.pk, actor=BY, at=timezone.now())
        return update_template_draft(**order)

    # Between the form's check of the draft and the write.
    monkeypatch.setattr(templates, "update_template_draft", publish_first)
    address = f"/admin/deployments/deploymenttemplate/{template.pk}/change/"
    answer = client.post(address, _template_form("shop"), follow=True)
    assert "is published" in " ".join(str(each) for each in get_messages(answer.wsgi_request))


def test_which_operator_moved_it_is_not_for_the_tenant(login: Login, deployment: Deployment) -> None:
    act(login("operator"), deployment, "move_to_paused", reason="winter")
    address = f"/api/v1/deployments/{deployment.pk}"
    tokens = {"tenant": token_of(tenant="acme"), "operator": token_of("platform_admin")}
    shown = {
        role: Client().get(address, headers=bearer(token)).json()["events"][0]["actor"]
        for role, token in tokens.items()
    }
    assert shown == {"tenant": "operator", "operator": "user:operator-1"}


def test_a_templates_page_offers_what_fits_the_version_and_names_it_as_it_is(login: Login) -> None:
    template = create_template(code="small", spec=SEEDED["single"], actor=BY)
    page = f"/admin/deployments/deploymenttemplate/{template.pk}/change/"
    operator = login("operator")
    shown = operator.get(page)
    assert [button.name for button in shown.context["actions"]] == ["publish_this", "draft_from_this"]
    assert 'id="publish_this"' in shown.content.decode()
    publish_template(template_pk=template.pk, actor=BY, at=noon(1))
    assert [button.name for button in operator.get(page).context["actions"]] == ["draft_from_this"]
    assert login("viewer").get(page).context["actions"] == []


def test_a_title_leaves_names_as_they_are_and_begins_words_with_a_capital(
    login: Login, deployment: Deployment
) -> None:
    page = login("viewer").get(PAGE.format(deployment.pk)).content.decode()
    assert ">acme/shop</" in re.sub(r"\s*([<>])\s*", r"\1", page)
    assert "Acme/shop" not in page
    assert ">Deployments</" in re.sub(r"\s*([<>])\s*", r"\1", page)


def test_the_way_out_of_a_dialog_is_named_like_no_action(login: Login, deployment: Deployment) -> None:
    asked = login("operator").get(f"/admin/deployments/deployment/{deployment.pk}/move_to_cancelled/")
    words = re.findall(
        r">\s*(\w[\w ]*?)\s*</(?:a|button|span)>", asked.content.decode().split('id="dialog"')[1]
    )
    assert "Back" in words
    assert "Cancel" not in words
