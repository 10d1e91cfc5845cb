"""The inventory API: who sees what, and what a list can be asked for."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from deployments.models import Deployment
from inventory.models import Project, Resource, ResourceEvent
from inventory.services import mark_ours
from tests.access import bearer, token_of
from tests.inventory.observations import a_project, minute, observed, seen, the_resource, tombstone

pytestmark = pytest.mark.django_db
LIST = "/api/v1/inventory"
MONEY = ("price", "cost", "cents", "currency")


class Api:
    """The API as one caller has it."""

    def __init__(self, client: Client, *roles: str, tenant: str | None = None) -> None:
        self._client = client
        self._headers = bearer(token_of(*roles, tenant=tenant))

    def status(self, path: str = "", **query: str) -> int:
        return int(self._get(path, query).status_code)

    def text(self, path: str = "", **query: str) -> str:
        return str(self._get(path, query).content.decode())

    def body(self, path: str = "", **query: str) -> Any:
        answer = self._get(path, query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def ids(self, **query: str) -> list[str]:
        """Return the ids of the list, in its order."""
        return [row["provider_id"] for row in self.body(**query)["results"]]

    def _get(self, path: str, query: dict[str, str]) -> Any:
        return self._client.get(f"{LIST}{path}", query, headers=self._headers)


@pytest.fixture
def operator(client: Client) -> Api:
    return Api(client, "platform_admin")


@pytest.fixture
def acme(client: Client) -> Api:
    return Api(client, tenant="acme")


@pytest.fixture
def fleet() -> dict[str, Project]:
    """Two of acme's, one of globex's, one unattributed, and one of acme's that is gone."""
    projects = {name: a_project(name, name) for name in ("acme", "globex")}
    of_acme, of_globex = projects["acme"].pk, projects["globex"].pk
    observed(
        seen("1", name="shop-web", project_id=of_acme, tags=["role:web"]),
        seen("2", name="Shop-DB", project_id=of_acme, region="ams3", status="off", tags=["role:db"]),
        seen("3", name="crm", project_id=of_globex),
        seen("4", name="bastion"),
        seen("5", name="gone", project_id=of_acme),
    )
    tombstone(["5"], at=minute(10))
    return projects


def test_a_tenant_sees_its_own_and_an_operator_everything(
    fleet: dict[str, Project], acme: Api, operator: Api
) -> None:
    assert acme.ids() == ["2", "1"]
    assert operator.ids() == ["4", "3", "2", "1"]


@pytest.mark.parametrize("path", ["", "/events"])
def test_a_row_of_another_tenant_is_not_there(
    client: Client, fleet: dict[str, Project], acme: Api, operator: Api, path: str
) -> None:
    for provider_id in ("3", "4"):
        address = f"/{the_resource(provider_id).pk}{path}"
        assert acme.status(address) == 404
        assert operator.status(address) == 200
        assert refusal(acme, address) == refusal(acme, f"/999999{path}")
    assert acme.status(f"/{the_resource('1').pk}{path}") == 200
    assert acme.status(f"/{the_resource('5').pk}{path}") == 200, "gone, but theirs"
    assert Api(client, "metering", tenant="acme").status(f"/{the_resource('1').pk}{path}") in {403, 404}
    assert Api(client).status(f"/{the_resource('1').pk}{path}") == 403


def refusal(api: Api, address: str) -> dict[str, Any]:
    """Return a 404's body, without the request's id."""
    body: dict[str, Any] = json.loads(api.text(address))
    return {name: value for name, value in body.items() if name not in {"instance", "request_id"}}


def test_a_tenant_sees_no_money_anywhere(fleet: dict[str, Project], acme: Api, operator: Api) -> None:
    project = fleet["acme"].pk
    observed(seen("1", name="shop-web", project_id=project, monthly_price_cents=4242), at=minute(20))
    pk = the_resource("1").pk
    for path in ("", f"/{pk}", f"/{pk}/events", "/summary"):
        shown = acme.text(path)
        assert not [word for word in MONEY if word in shown.lower()], (path, shown)
        assert "4242" not in shown
    assert operator.body(f"/{pk}")["monthly_price_cents"] == 4242
    assert operator.body(f"/{pk}/events")["results"][0]["changes"]["monthly_price_cents"] == [600, 4242]
    assert operator.body("/summary")["total"] == {
        "count": 4,
        "monthly_cost_cents": 4242 + 3 * 600,
        "unpriced": 0,
    }


def test_a_tenant_sees_no_history_of_the_owner_before(
    fleet: dict[str, Project], acme: Api, operator: Api
) -> None:
    observed(seen("3", name="secret-plan", project_id=fleet["globex"].pk), at=minute(1))
    observed(seen("3", name="secret-plan", project_id=fleet["acme"].pk), at=minute(2))
    observed(seen("3", name="ours", project_id=fleet["acme"].pk), at=minute(3))
    pk = the_resource("3").pk
    events = acme.body(f"/{pk}/events")["results"]
    assert [event["event_type"] for event in events] == ["updated"]
    assert "globex" not in acme.text(f"/{pk}/events")
    assert len(operator.body(f"/{pk}/events")["results"]) == 4


def test_of_a_resources_columns_a_tenant_sees_the_changes_of_four(
    fleet: dict[str, Project], acme: Api
) -> None:
    columns = {name for field in Resource._meta.concrete_fields for name in (field.name, field.attname)}
    columns.remove("tenant_id")  # of before it was theirs they see no event at all
    changes = {name: ["before", "after"] for name in (*columns, "size_slug")}
    resource = the_resource("1")
    ResourceEvent.objects.create(resource=resource, event_type="updated", changes=changes, at=minute(1))
    [event, _discovered] = acme.body(f"/{resource.pk}/events")["results"]
    assert set(event["changes"]) == {"name", "region", "status", "tags", "size_slug"}


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"kind": "droplet"}, ["4", "3", "2", "1"]),
        ({"kind": "volume"}, []),
        ({"region": "ams3"}, ["2"]),
        ({"status": "off"}, ["2"]),
        ({"tag": "role:db"}, ["2"]),
        ({"tag": "role"}, []),
        ({"tag": "Role:DB"}, ["2"]),
        ({"q": "SHOP"}, ["2", "1"]),
        ({"q": "op-d"}, ["2"]),
        ({"q": "%"}, []),
        ({"q": "_"}, []),
        ({"tenant": "globex"}, ["3"]),
        ({"deleted": "true"}, ["5"]),
        ({"deleted": "false"}, ["4", "3", "2", "1"]),
        ({"ordering": "id"}, ["1", "2", "3", "4"]),
        ({"ordering": "name"}, ["2", "4", "3", "1"]),  # by bytes: capitals first
        ({"ordering": "-name"}, ["1", "3", "4", "2"]),
        ({"region": "fra1", "q": "shop"}, ["1"]),
        ({"limit": "2"}, ["4", "3"]),
    ],
)
def test_each_filter_and_ordering(
    fleet: dict[str, Project], operator: Api, query: dict[str, str], ids: list[str]
) -> None:
    assert operator.ids(**query) == ids


def test_filters_by_project_and_deployment(fleet: dict[str, Project], operator: Api, acme: Api) -> None:
    shop = Deployment.objects.create(tenant_id="acme", slug="shop")
    observed(seen("1", tenant_id="acme", deployment_id=shop.pk), at=minute(1))
    assert operator.ids(project=str(fleet["globex"].pk)) == ["3"]
    assert operator.ids(deployment=str(shop.pk)) == ["1"]
    assert acme.ids(project=str(fleet["globex"].pk)) == []
    [row] = acme.body(deployment=str(shop.pk))["results"]
    assert (row["deployment"], row["project"], row["tenant_id"]) == ("shop", "acme", "acme")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"colour": "blue"}, "colour"),
        ({"kind": "toaster"}, "kind"),
        ({"project": "acme"}, "project"),
        ({"project": "0"}, "project"),
        ({"project": "1.5"}, "project"),
        ({"deployment": "9" * 30}, "deployment"),
        ({"deleted": "maybe"}, "deleted"),
        ({"q": "a\0b"}, "q"),
        ({"tag": "\0"}, "tag"),
        ({"region": ""}, "region"),
        ({"ordering": "last_seen_at"}, "ordering"),
        ({"ordering": "tenant_id"}, "ordering"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"cursor": "garbage"}, "cursor"),
    ],
)
def test_nonsense_is_refused_by_name(operator: Api, query: dict[str, str], field: str) -> None:
    assert operator.status(**query) == 400
    assert f'"{field}"' in operator.text(**query)


def test_only_operators_ask_by_owner_and_find_what_is_ours(
    fleet: dict[str, Project], acme: Api, operator: Api
) -> None:
    assert operator.ids(owner="unattributed") == ["4"]
    assert sorted(operator.ids(owner="tenants")) == ["1", "2", "3"]
    mark_ours(resource_pks=[the_resource("4").pk], actor="a test", source="")
    assert (operator.ids(owner="unattributed"), operator.ids(owner="ours")) == ([], ["4"])
    assert operator.body(f"/{the_resource('4').pk}")["attributed_by"] == "ours"
    assert (acme.status(owner="ours"), operator.status(owner="x")) == (400, 400)


def test_only_operators_may_ask_for_a_tenant(fleet: dict[str, Project], acme: Api, client: Client) -> None:
    for tenant in ("globex", "acme"):
        assert acme.status(tenant=tenant) == 400
    assert Api(client, "platform_admin", tenant="acme").ids(tenant="globex") == ["3"]


def test_the_summary_counts_what_lives(fleet: dict[str, Project], acme: Api, operator: Api) -> None:
    assert acme.body("/summary") == {
        "total": {"count": 2},
        "by_kind": [{"kind": "droplet", "count": 2}],
        "by_region": [{"region": "ams3", "count": 1}, {"region": "fra1", "count": 1}],
        "by_status": [{"status": "active", "count": 1}, {"status": "off", "count": 1}],
    }
    whole = operator.body("/summary")
    assert whole["by_tenant"] == [
        {"tenant_id": "acme", "count": 2, "monthly_cost_cents": 1200, "unpriced": 0},
        {"tenant_id": "globex", "count": 1, "monthly_cost_cents": 600, "unpriced": 0},
        {"tenant_id": None, "count": 1, "monthly_cost_cents": 600, "unpriced": 0},
    ]
    observed(seen("5", monthly_price_cents=None), at=minute(30))
    assert operator.body("/summary")["total"]["unpriced"] == 1
    Resource.objects.update(deleted_at=minute(40))
    assert operator.body("/summary")["total"] == {"count": 0, "monthly_cost_cents": None, "unpriced": 0}
    assert acme.body("/summary")["total"] == {"count": 0}


@pytest.mark.parametrize("rows", [1, 20])
@pytest.mark.parametrize("caller", ["operator", "acme"])
@pytest.mark.parametrize(("path", "queries"), [("", 1), ("/{pk}", 1), ("/{pk}/events", 3), ("/summary", 2)])
def test_the_number_of_queries_does_not_grow(
    request: pytest.FixtureRequest,
    django_assert_num_queries: DjangoAssertNumQueries,
    rows: int,
    caller: str,
    path: str,
    queries: int,
) -> None:
    api: Api = request.getfixturevalue(caller)
    projects = [a_project(f"p{number}", "acme") for number in range(rows)]
    shops = [Deployment.objects.create(tenant_id="acme", slug=f"s{number}") for number in range(rows)]
    for turn in range(rows):  # a history as long as the list
        observed(
            *(
                seen(
                    str(number),
                    name=f"name-{turn}",
                    project_id=projects[number].pk,
                    tenant_id="acme",
                    deployment_id=shops[number].pk,
                )
                for number in range(rows)
            ),
            at=minute(turn),
        )
    address = path.format(pk=the_resource("0").pk)
    if caller == "operator" and path == "/{pk}/events":
        queries -= 1  # nobody's history begins late for an operator
    if caller == "acme" and path == "/summary":
        queries -= 1  # by tenant
    with django_assert_num_queries(queries):
        body = api.body(address)
    if "results" in body:
        assert len(body["results"]) == rows
    assert Resource.objects.count() == rows
