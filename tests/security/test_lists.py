"""Every list under /api: its orderings have an index, so that a page costs the same at any size."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from arcadia_cloud.kernel.api.pagination import orderings_of
from arcadia_cloud.kernel.api.views import ListView
from tests.access import bearer, token_of
from tests.security.addresses import ENDPOINTS, Endpoint
from tests.security.things import thing_of

pytestmark = pytest.mark.django_db
LISTS = [endpoint for endpoint in ENDPOINTS if issubclass(endpoint.view, ListView)]
OPERATOR = bearer(token_of("platform_admin"))


@pytest.mark.parametrize("endpoint", LISTS, ids=str)
def test_a_page_of_any_ordering_is_read_from_an_index(endpoint: Endpoint) -> None:
    address = endpoint.path(thing_of(endpoint, "acme"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off")
    for ordering in orderings_of(endpoint.view()):
        with CaptureQueriesContext(connection) as queries:
            Client(headers=OPERATOR).get(address, {"ordering": ordering})
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + queries[-1]["sql"])
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Sort" not in plan, f"{ordering}: no index gives this order\n{plan}"


@pytest.mark.parametrize("endpoint", LISTS, ids=str)
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("limit=0", {"limit"}),
        ("limit=201", {"limit"}),
        ("limit=x&cursor=x&ordering=x", {"ordering"}),
        ("cursor=x", {"cursor"}),
        ("ordering=attrs", {"ordering"}),
        ("limit=", {"limit"}),
    ],
)
def test_what_pages_a_list_is_checked_on_every_list(endpoint: Endpoint, query: str, names: set[str]) -> None:
    response = Client(headers=OPERATOR).get(endpoint.path(thing_of(endpoint, "acme")), QUERY_STRING=query)
    assert response.status_code == 400
    assert set(response.json()["errors"]) == names


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("deleted=maybe", "deleted"),
        ("deleted=1", "deleted"),
        ("kind=spaceship", "kind"),
        ("project=1.5", "project"),
        ("project=99999999999999999999", "project"),
        ("deployment=NaN", "deployment"),
        ("q=%00", "q"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named_and_not_ignored(query: str, name: str) -> None:
    response = Client(headers=OPERATOR).get("/api/v1/inventory", QUERY_STRING=query)
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [name]
