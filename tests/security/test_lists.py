"""Every list under /api: its orderings have an index, so that a page costs the same at any size.

Every answer, a list or not, asks as many queries among many things as among few.
"""

from typing import Any

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
READ = [endpoint for endpoint in ENDPOINTS if hasattr(endpoint.view, "get")]
OPERATOR = bearer(token_of("platform_admin"))


@pytest.mark.parametrize("endpoint", LISTS, ids=str)
def test_a_page_of_any_ordering_is_read_from_an_index(endpoint: Endpoint) -> None:
    address = endpoint.path(thing_of(endpoint, "acme"))
    with connection.cursor() as cursor:
        for way in ("seqscan", "sort", "incremental_sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    for ordering in orderings_of(endpoint.view()):
        with CaptureQueriesContext(connection) as queries:
            Client(headers=OPERATOR).get(address, {"ordering": ordering})
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + queries[-1]["sql"])
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Sort" not in plan, f"{ordering}: no index gives this order\n{plan}"


@pytest.mark.parametrize("endpoint", READ, ids=str)
def test_an_answer_asks_as_many_queries_among_twenty_tenants_things_as_alone(endpoint: Endpoint) -> None:
    address = endpoint.path(thing_of(endpoint, "acme"))
    alone = queries_of(address)
    for number in range(20):
        thing_of(endpoint, f"tenant-{number}")
    among_twenty = queries_of(address)
    assert len(among_twenty) == len(alone), "\n".join(among_twenty)


def queries_of(address: str) -> list[str]:
    _taken(address)  # what a process reads once isn't the answer's cost
    with CaptureQueriesContext(connection) as queries:
        _taken(address)
    return [query["sql"] for query in queries.captured_queries]


def _taken(address: str) -> None:
    """Ask, and read the answer to its end."""
    answer: Any = Client(headers=OPERATOR).get(address)
    assert answer.status_code == 200
    assert answer.getvalue() if answer.streaming else answer.content


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
