"""Pages of a list: every row once, in order, whatever is equal, null, or written meanwhile."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework import serializers
from rest_framework.test import APIRequestFactory

from arcadia_cloud.kernel.api.views import ListView
from arcadia_cloud.kernel.models import Alert, Lease

pytestmark = pytest.mark.django_db
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ORDERINGS = ("id", "times_raised", "severity", "resolved_at", "last_raised_at")
ALL_ORDERINGS = [sign + name for name in ORDERINGS for sign in ("", "-")]
Row = tuple[int, str, int | None]


class AlertSerializer(serializers.ModelSerializer[Alert]):
    class Meta:
        model = Alert
        fields: ClassVar[list[str]] = ["id"]


class AlertList(ListView):
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    orderings = ORDERINGS
    serializer_class = AlertSerializer
    queryset = Alert.objects.all()


view = AlertList.as_view()
rows = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["critical", "warning"]), st.none() | st.integers(0, 2)),
    max_size=14,
)
orderings = st.sampled_from(ALL_ORDERINGS)
examples = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def save(row: Row, number: int) -> int:
    times, severity, resolved = row
    return Alert.objects.create(
        code="test",
        subject=f"row:{number}",
        severity=severity,
        message="",
        times_raised=times,
        raised_at=EPOCH,
        last_raised_at=EPOCH + timedelta(microseconds=times),
        resolved_at=None if resolved is None else EPOCH + timedelta(days=resolved),
    ).pk


def fill(drawn: list[Row]) -> list[int]:
    Alert.objects.all().delete()
    return [save(row, number) for number, row in enumerate(drawn)]


def expected(ordering: str) -> list[int]:
    """The list as Python sorts it: nulls are the largest, as in PostgreSQL."""
    name = ordering.removeprefix("-")

    def key(alert: Alert) -> tuple[bool, Any, int]:
        value = getattr(alert, name)
        return (value is None, EPOCH if value is None else value, alert.pk)

    return [alert.pk for alert in sorted(Alert.objects.all(), key=key, reverse=ordering.startswith("-"))]


def page(**parameters: str | int) -> dict[str, Any]:
    response = view(APIRequestFactory().get("/api/v1/alerts", parameters))
    assert response.status_code == 200, response.content
    return dict(response.data)


def follow(link: str) -> dict[str, Any]:
    query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    return page(**query)


def walk(first: dict[str, Any], direction: str) -> Iterator[dict[str, Any]]:
    here = first
    yield here
    while here[direction]:
        here = follow(here[direction])
        yield here


def ids(found: dict[str, Any]) -> list[int]:
    return [row["id"] for row in found["results"]]


@pytest.mark.parametrize("ordering", ALL_ORDERINGS)
@settings(examples, max_examples=25)
@given(drawn=rows, limit=st.integers(1, 5))
def test_walking_forward_and_back_yields_each_row_once(drawn: list[Row], ordering: str, limit: int) -> None:
    fill(drawn)
    pages = list(walk(page(ordering=ordering, limit=limit), "next"))
    assert [pk for found in pages for pk in ids(found)] == expected(ordering)
    assert all(len(ids(found)) == limit for found in pages[:-1])
    assert pages[0]["previous"] is None
    back = [ids(found) for found in walk(pages[-1], "previous")]
    assert back == [ids(found) for found in reversed(pages)]


@examples
@given(rows, rows, orderings, st.integers(1, 3))
def test_rows_that_come_meanwhile_neither_repeat_nor_hide_the_others(
    drawn: list[Row], later: list[Row], ordering: str, limit: int
) -> None:
    present = fill(drawn)
    seen: list[int] = []
    waiting = list(enumerate(later, start=len(drawn)))
    for found in walk(page(ordering=ordering, limit=limit), "next"):
        seen += ids(found)
        if waiting:
            number, row = waiting.pop()
            save(row, number)
    assert len(seen) == len(set(seen))
    assert set(present) <= set(seen)


@examples
@given(rows, orderings, st.integers(1, 3))
def test_rows_that_go_meanwhile_take_no_other_with_them(drawn: list[Row], ordering: str, limit: int) -> None:
    fill(drawn)
    wanted = expected(ordering)
    seen: list[int] = []
    for found in walk(page(ordering=ordering, limit=limit), "next"):
        seen += ids(found)
        Alert.objects.filter(pk__in=ids(found)).delete()
    assert seen == wanted


def test_a_page_that_turned_out_empty_leads_back_to_the_row_it_came_from() -> None:
    first, second, third = fill([(0, "warning", None)] * 3)
    beginning = page(ordering="id", limit=2)
    Alert.objects.filter(pk=third).delete()
    beyond = follow(beginning["next"])
    assert ids(beyond) == []
    assert beyond["next"] is None
    assert ids(follow(beyond["previous"])) == [first, second]


def test_a_page_is_one_query_at_any_depth() -> None:
    fill([(number % 2, "warning", None) for number in range(9)])
    link: str | None = None
    for _ in range(3):
        with CaptureQueriesContext(connection) as queries:
            found = follow(link) if link else page(ordering="times_raised", limit=3)
        link = found["next"]
        assert len(queries) == 1


def test_fifty_rows_unless_asked_otherwise_and_never_more_than_two_hundred() -> None:
    fill([(0, "warning", None)] * 201)
    assert len(ids(page())) == 50
    assert len(ids(page(limit=200))) == 200


@pytest.mark.parametrize("limit", ["0", "-1", "201", "1e2", "\uff15", "many", "1.5", "", "99999999999"])
def test_a_wrong_limit_is_named(limit: str) -> None:
    assert refused(limit=limit) == ["limit"]


@pytest.mark.parametrize("ordering", ["message", "--id", "pk", "id,-id", "", "severity__x", "-"])
def test_an_ordering_that_is_not_declared_is_named(ordering: str) -> None:
    assert refused(ordering=ordering) == ["ordering"]


@pytest.mark.parametrize("cursor", ["", "x", "e30:x", "a" * 10_000, "\0", "é", ":", "::::"])
def test_a_garbage_cursor_is_named(cursor: str) -> None:
    assert refused(cursor=cursor) == ["cursor"]


def test_a_cursor_of_another_ordering_is_refused() -> None:
    fill([(0, "warning", None)] * 3)
    cursor = cursor_of(page(ordering="severity", limit=1)["next"])
    assert refused(cursor=cursor, ordering="-severity") == ["cursor"]
    assert refused(cursor=cursor) == ["cursor"]


def test_a_cursor_of_another_list_or_a_changed_one_is_refused() -> None:
    fill([(0, "warning", None)] * 3)
    cursor = cursor_of(page(ordering="id", limit=1)["next"])
    position = {"ordering": "id", "value": "1", "pk": "1", "backward": False, "inclusive": False}
    foreign = signing.Signer(salt=f"keyset:{Lease._meta.label_lower}").sign_object(position)
    assert refused(cursor=foreign, ordering="id") == ["cursor"]
    assert refused(cursor="A" + cursor[1:], ordering="id") == ["cursor"]
    assert refused(cursor=cursor[:-1], ordering="id") == ["cursor"]


def test_links_keep_the_host_the_path_and_the_other_parameters() -> None:
    fill([(0, "warning", None)] * 3)
    request = APIRequestFactory().get(
        "/api/v1/alerts?limit=1&ordering=id", headers={"host": "localhost:4005"}
    )
    link = urlsplit(view(request).data["next"])
    assert (link.scheme, link.netloc, link.path) == ("http", "localhost:4005", "/api/v1/alerts")
    assert set(parse_qs(link.query)) == {"limit", "ordering", "cursor"}


def refused(**parameters: str | int) -> list[str]:
    response = view(APIRequestFactory().get("/api/v1/alerts", parameters))
    assert response.status_code == 400
    return list(json.loads(response.content)["errors"])


def cursor_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["cursor"][0]
