"""The plans of the global search's statements, on a table that is full already."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from arcadia_cloud.kernel.console.paging import MOST_COUNTED
from arcadia_cloud.kernel.console.search import parse_term
from arcadia_cloud.kernel.database import server_binding_cursor
from inventory.search import count_choices, find_resources, find_tenants

# What is typed, and how the first name begins that is found. All but few of the names begin with web-.
_TEXTS = {
    "4711": "web-4711",
    "do:droplet:4711": "web-4711",
    "20.0.18.103": "web-4711",
    "2001:db8::1267": "web-4711",
    "web-4711": "web-4711",
    "needle-77-150077": "needle-77-150077",
    "rare": "web-",
    "web": "",  # all have this tag
    "namesake": "namesake",
    "no such thing": "",
    "we": "",
}
_NOT_FOUND = {"no such thing", "we"}
# Of the last histogram's bounds. The planner takes a part that one has for that of a hundredth of the names.
_SAMPLED = """
    SELECT name FROM pg_stats, unnest(histogram_bounds::text::text[]) AS name
    WHERE tablename = 'resource_name_contains' AND name LIKE 'WEB-%'
    ORDER BY length(name) DESC, name DESC LIMIT 1
"""
_MOST_REMOVED = 2_000  # sixty of what every twentieth is called, live ones alone
_MOST_READ = 40_000  # the chips count ten thousand of each half a dozen
_READ = re.compile(r"Scan.* on cloud_resources\b.*actual time=\S+ rows=([\d.]+) loops=(\d+)")


def assert_search_is_indexed(*, needle: str) -> list[str]:
    """Each way reads by an index and throws few rows away, however many are called so; return the figures.

    `needle` is a live one's name.
    """
    figures = []
    parts = {needle[2:-2]: needle, _number_in_statistics(): ""}
    for text, first in (_TEXTS | parts).items():
        term = parse_term(text)
        assert term is not None
        began = time.perf_counter()
        with _statements() as asked:
            found = find_resources(term.text, address=term.address)
        seconds = time.perf_counter() - began
        names = [each.resource.name for each in found]
        if text in _NOT_FOUND:
            assert not names, (text, names[:3])
        else:
            assert names, text
            assert names[0].startswith(first), (text, names[:3])
        assert len(asked) == (2 if found else 1)
        _assert_indexed(asked)
        figures.append(f"the search for {text}: {seconds * 1000:.1f} ms, {len(found)} found")
    with _statements() as asked:
        assert find_tenants("tenant-1", most=3) == ["tenant-1", "tenant-10", "tenant-11"]
        began = time.perf_counter()
        counted = count_choices(most=MOST_COUNTED)
        figures.append(f"the chips: {(time.perf_counter() - began) * 1000:.1f} ms, {len(counted)} choices")
    assert {each.number for each in counted if each.value in {"droplet", "fra1", "active"}} == {
        MOST_COUNTED + 1
    }
    _assert_indexed(asked)
    return figures


def _number_in_statistics() -> str:
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLED)
        return str(cursor.fetchone()[0]).removeprefix("WEB-")


@contextmanager
def _statements() -> Iterator[list[tuple[str, Any]]]:
    """The statements that run meanwhile, as the server gets them."""
    found: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        found.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        yield found


def _assert_indexed(statements: list[tuple[str, Any]]) -> None:
    for sql, parameters in statements:
        with server_binding_cursor() as cursor:
            cursor.execute(f"EXPLAIN ANALYZE {sql}", parameters)
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Seq Scan on cloud_resources" not in plan, plan
        removed = re.findall(r"Rows Removed by (?:Filter|Index Recheck): (\d+)", plan)
        assert all(int(count) <= _MOST_REMOVED for count in removed), plan
        assert rows_read(plan) <= _MOST_READ, plan


def rows_read(plan: str) -> int:
    """The rows that a plan's scans of the resources returned, as it ran."""
    return round(sum(float(rows) * int(loops) for rows, loops in _READ.findall(plan)))
