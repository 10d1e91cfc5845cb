"""The deployments API: the reference case, who may do what, and what it costs in queries."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Addon, PlanTenant
from catalog.services import seed_catalog
from deployments import registry
from deployments.models import Deployment, DeploymentEvent, Subscription
from deployments.services import create_subscription
from tests.access import bearer, token_of
from tests.catalog.rows import published, stored_plan
from tests.deployments.rows import BY, noon
from tests.inventory.observations import observed, seen, the_resource

pytestmark = pytest.mark.django_db
LIST = "/api/v1/deployments"


@pytest.fixture(autouse=True)
def _catalog(db: None) -> None:
    seed_catalog(at=noon(1))


@pytest.fixture
def tenant() -> Client:
    return Client(headers=bearer(token_of("member", tenant="acme")))


@pytest.fixture
def operator() -> Client:
    return Client(headers=bearer(token_of("platform_admin", subject="operator-1")))


@pytest.fixture
def stranger() -> Client:
    return Client(headers=bearer(token_of("member", tenant="globex")))


def send(client: Client, address: str, body: Any = None, *, method: str = "post", **headers: str) -> Any:
    return getattr(client, method)(
        address, json.dumps(body or {}), content_type="application/json", headers=headers
    )


def made(client: Client, slug: str = "shop", **more: Any) -> str:
    """Make a deployment; return its address."""
    answer = send(client, LIST, {"slug": slug, **more})
    assert answer.status_code == 201, answer.content
    return str(answer.headers["Location"])


def test_the_reference_case(tenant: Client, operator: Client) -> None:
    """Create; pause; archive is refused; subscribe to Studio with storage; the price changes later."""
    address = made(tenant, display_name="Acme Shop", region="syd1")

    paused = send(tenant, f"{address}/transition", {"to": "paused", "reason": "winter"})
    assert (paused.status_code, paused.json()["state"], paused.json()["saga_id"]) == (200, "paused", None)
    event = paused.json()["events"][0]
    assert (event["type"], event["from"], event["to"]) == ("transitioned", "active", "paused")
    assert (event["actor"], event["reason"]) == ("user-1", "winter")

    archived = send(operator, f"{address}/transition", {"to": "archived"})
    assert archived.status_code == 422
    assert archived.json()["errors"] == {"to": ["Allowed from paused: active, cancelled."]}

    send(tenant, f"{address}/transition", {"to": "active"})
    subscribed = send(tenant, f"{address}/subscribe", {"plan_code": "studio", "addons": ["storage_50gb"]})
    assert subscribed.status_code == 201, subscribed.content
    [addon] = subscribed.json()["subscription"]["addons"]
    assert (addon["code"], addon["price_cents"], addon["qty"]) == ("storage_50gb", 750, "50")

    shown = tenant.get(address).json()
    assert (shown["slug"], shown["state"], shown["resources_count"]) == ("shop", "active", 0)
    assert shown["subscription"]["plan_code"] == "studio"
    assert shown["allowed_transitions"] == ["paused", "cancelled"]
    assert [event["type"] for event in shown["events"]] == [
        "addon_attached", "subscribed", "transitioned", "transitioned", "created",
    ]  # fmt: skip

    Addon.objects.filter(code="storage_50gb").update(price_cents=1500)
    assert tenant.get(address).json()["subscription"] == shown["subscription"]


def test_another_tenants_deployment_is_not_there(tenant: Client, stranger: Client) -> None:
    address = made(tenant)
    assert stranger.get(LIST).json()["results"] == []
    assert stranger.get(address).status_code == 404
    for action in ("transition", "subscribe", "addons", "change-plan"):
        assert send(stranger, f"{address}/{action}", {"to": "cancelled"}).status_code == 404
    assert stranger.delete(f"{address}/addons/storage_50gb").status_code == 404
    assert send(stranger, address, {"display_name": "x"}, method="patch").status_code == 404
    assert DeploymentEvent.objects.count() == 1


def test_a_tenant_creates_for_itself_and_an_operator_names_the_tenant(
    tenant: Client, operator: Client
) -> None:
    named = send(tenant, LIST, {"slug": "shop", "tenant_id": "globex"})
    assert (named.status_code, named.json()["errors"]) == (400, {"tenant_id": ["There is no such field."]})
    unnamed = send(operator, LIST, {"slug": "shop"})
    assert (unnamed.status_code, list(unnamed.json()["errors"])) == (400, ["tenant_id"])
    made(operator, tenant_id="acme", trial=True)
    [row] = tenant.get(LIST).json()["results"]
    assert (row["tenant_id"], row["state"]) == ("acme", "trial")
    assert "billing_action_suspended" not in row
    assert (
        operator.get(LIST, {"tenant": "acme", "state": "trial"}).json()["results"][0][
            "billing_action_suspended"
        ]
        is False
    )
    assert tenant.get(LIST, {"tenant": "acme"}).status_code == 400
    taken = send(tenant, LIST, {"slug": "shop"})
    assert (taken.status_code, taken.json()["errors"]) == (409, {"slug": ["Is taken."]})
    assert send(tenant, LIST, {"slug": "My Shop"}).json()["errors"].keys() == {"slug"}


def test_a_tenant_makes_its_own_moves_and_the_rest_is_the_operators(tenant: Client, operator: Client) -> None:
    address = made(tenant)
    refused = send(tenant, f"{address}/transition", {"to": "suspended"})
    assert (refused.status_code, refused.json()["type"]) == (
        403,
        "urn:arcadia-cloud:problem:operators_transition",
    )
    assert operator.get(address).json()["allowed_transitions"] == [
        "past_due", "paused", "suspended", "cancelled",
    ]  # fmt: skip
    assert send(operator, f"{address}/transition", {"to": "suspended"}).status_code == 200
    assert send(tenant, f"{address}/transition", {"to": "active"}).status_code == 403
    assert tenant.get(address).json()["allowed_transitions"] == ["cancelled"]
    unknown = send(tenant, f"{address}/transition", {"to": "asleep"})
    assert (unknown.status_code, list(unknown.json()["errors"])) == (400, ["to"])
    assert unknown.json()["errors"]["to"][0].startswith("Must be one of trial, active, ")


def test_a_refusal_names_the_field_of_the_body(tenant: Client) -> None:
    address, none = made(tenant), ["There is no add-on no-such on sale."]
    plan = send(tenant, f"{address}/subscribe", {"plan_code": "no-such"})
    assert (plan.status_code, list(plan.json()["errors"])) == (404, ["plan_code"])
    for addons, status, rule in (
        (["no-such"], 404, none),
        (["storage_50gb"] * 2, 400, ["An add-on may stand only once."]),
    ):
        refused = send(tenant, f"{address}/subscribe", {"plan_code": "studio", "addons": addons})
        assert (refused.status_code, refused.json()["errors"]) == (status, {"addons": rule})
    assert Subscription.objects.count() == 0
    send(tenant, f"{address}/subscribe", {"plan_code": "studio", "addons": ["storage_50gb"]})
    change = send(tenant, f"{address}/change-plan", {"plan_code": "no-such"})
    assert (change.status_code, list(change.json()["errors"])) == (404, ["plan_code"])
    unknown = send(tenant, f"{address}/addons", {"code": "no-such"})
    assert (unknown.status_code, unknown.json()["errors"]) == (404, {"code": none})
    twice = send(tenant, f"{address}/addons", {"code": "storage_50gb"})
    assert twice.json()["errors"] == {"code": ["The deployment has storage_50gb already."]}


def test_a_move_that_a_saga_makes_is_accepted_and_says_which(tenant: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(registry, "_transition_sagas", {"a test": lambda _order: 4711})
    address = made(tenant)
    answer = send(tenant, f"{address}/transition", {"to": "paused"})
    assert (answer.status_code, answer.json()["saga_id"], answer.json()["state"]) == (202, 4711, "active")
    assert answer.headers["Location"] == "/api/v1/sagas/4711"


def test_a_plan_for_named_tenants_is_there_for_them_alone(tenant: Client, stranger: Client) -> None:
    plan = published(stored_plan("gold", public=False), 9000).plan
    PlanTenant.objects.create(plan=plan, tenant_id="globex")
    refused = send(tenant, f"{made(tenant)}/subscribe", {"plan_code": "gold"})
    assert (refused.status_code, Subscription.objects.count()) == (404, 0)
    assert send(stranger, f"{made(stranger)}/subscribe", {"plan_code": "gold"}).status_code == 201


def test_addons_come_and_go(tenant: Client) -> None:
    address = made(tenant)
    assert send(tenant, f"{address}/addons", {"code": "storage_50gb"}).status_code == 409
    send(tenant, f"{address}/subscribe", {"plan_code": "studio"})
    assert send(tenant, f"{address}/addons", {"code": "no-such"}).status_code == 404
    assert send(tenant, f"{address}/addons", {"code": "storage_50gb"}).status_code == 201
    assert send(tenant, f"{address}/addons", {"code": "storage_50gb"}).status_code == 409
    assert tenant.delete(f"{address}/addons/storage_50gb").status_code == 204
    assert tenant.delete(f"{address}/addons/storage_50gb").status_code == 404
    assert tenant.get(address).json()["subscription"]["addons"][0]["detached_on"] is not None


def test_a_plan_is_changed_at_once_or_with_the_next_period(tenant: Client) -> None:
    address = made(tenant)
    send(tenant, f"{address}/subscribe", {"plan_code": "studio"})
    down = send(tenant, f"{address}/change-plan", {"plan_code": "starter"}).json()["subscription"]
    assert (down["plan_code"], down["next_plan"]["plan_code"]) == ("studio", "starter")
    assert down["next_plan"]["starts_on"] == down["current_period_end"]
    refused = send(tenant, f"{address}/change-plan", {"plan_code": "starter", "when": "now"})
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["when"])
    up = send(tenant, f"{address}/change-plan", {"plan_code": "pro"}).json()["subscription"]
    assert (up["plan_code"], up["next_plan"]) == ("pro", None)
    assert send(tenant, f"{address}/change-plan", {"plan_code": "pro"}).status_code == 409
    assert send(tenant, f"{address}/subscribe", {"plan_code": "pro"}).status_code == 409


def test_a_repeat_with_the_same_key_gets_the_first_answer(tenant: Client) -> None:
    key = {"Idempotency-Key": "k-1"}
    first, again = (send(tenant, LIST, {"slug": "shop"}, **key) for _ in range(2))
    assert (first.status_code, again.content) == (201, first.content)
    reused = send(tenant, LIST, {"slug": "blog"}, **key)
    assert (reused.status_code, list(reused.json()["errors"])) == (409, ["Idempotency-Key"])
    address = first.headers["Location"]
    body = {"plan_code": "studio", "addons": ["storage_50gb"]}
    for _ in range(2):
        assert send(tenant, f"{address}/subscribe", body, **key).status_code == 201
    for _ in range(2):
        assert send(tenant, f"{address}/transition", {"to": "paused"}, **key).status_code == 200
    assert DeploymentEvent.objects.filter(event_type="transitioned").count() == 1


def test_a_change_needs_the_etag_of_what_was_read(tenant: Client, operator: Client) -> None:
    address = made(tenant)
    etag = tenant.get(address).headers["ETag"]
    assert tenant.get(address, headers={"If-None-Match": etag}).status_code == 304
    name = {"display_name": "The shop"}
    assert send(tenant, address, name, method="patch").status_code == 428
    changed = send(tenant, address, name, method="patch", **{"If-Match": etag})
    assert (changed.status_code, changed.json()["display_name"]) == (200, "The shop")
    assert tenant.get(address).headers["ETag"] == changed.headers["ETag"] != etag
    assert send(tenant, address, name, method="patch", **{"If-Match": etag}).status_code == 412
    override = {"billing_action_suspended": True}
    refused = send(tenant, address, override, method="patch", **{"If-Match": "*"})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["billing_action_suspended"])
    assert send(operator, address, override, method="patch", **{"If-Match": "*"}).json() | override == (
        operator.get(address).json()
    )
    assert Deployment.objects.get().billing_action_suspended


def test_a_tag_names_a_deployment_that_was_made_here_and_its_live_resources_are_counted(
    tenant: Client,
) -> None:
    address = made(tenant)
    owners = {"1": ["tenant:acme", "deployment:shop"], "2": ["tenant:acme"], "3": []}
    observed(*(seen(number, tags=tags, can_attribute=True) for number, tags in owners.items()))
    assert the_resource("1").deployment == Deployment.objects.get()
    assert tenant.get(address).json()["resources_count"] == 1


def test_a_page_of_the_list_asks_as_many_queries_at_many_rows_as_at_one(
    operator: Client, tenant: Client
) -> None:
    made(tenant)
    counts = [_queries(operator, LIST)]
    Deployment.objects.bulk_create(Deployment(tenant_id=f"t-{n}", slug=f"app-{n}") for n in range(120))
    counts.append(_queries(operator, f"{LIST}?limit=100"))
    assert counts[0] == counts[1] == 1


def test_a_deployment_asks_as_many_queries_with_a_long_history_as_with_a_short_one(tenant: Client) -> None:
    short, long = made(tenant), made(tenant, "blog")
    for slug in ("shop", "blog"):
        create_subscription(
            deployment_pk=Deployment.objects.get(slug=slug).pk,
            plan_code="studio",
            addons=["storage_50gb"],
            actor=BY,
            at=timezone.now(),
        )
    send(tenant, f"{long}/addons", {"code": "storage_250gb"})
    for to in ("paused", "active") * 30:
        send(tenant, f"{long}/transition", {"to": to})
    assert _queries(tenant, short) == _queries(tenant, long)
    assert len(tenant.get(long).json()["events"]) == 50


def _queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
