"""Exports of the inventory come in pieces: no size costs memory, a slow client no more than its place."""

import json
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from arcadia_cloud.kernel.api import downloads
from arcadia_cloud.kernel.api.downloads import Format
from inventory.export import export
from inventory.models import Resource
from tests.access import bearer, token_of
from tests.inventory.exports import EXPORT, LIST, asked, fleet, operators_rows, places, text_of
from tests.inventory.observations import observed, seen

__all__ = ["fleet", "places"]
pytestmark = pytest.mark.django_db
EVERYDAY, MATRIX, MOST_GROWTH_MB = 60_000, 200_000, 15


def resident_mb() -> float:
    """Measure the memory of this process."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line]
    return int(line.split()[1]) / 1024


def fill(count: int) -> None:
    """Make so many unattributed droplets."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO cloud_resources (provider, kind, provider_id, urn, name, region, status,
                attributed_by, attribution_note, parent_kind, parent_id, tags, attrs, first_seen_at,
                last_seen_at, stale_strike_count)
            SELECT 'digitalocean', 'droplet', n::text, 'do:droplet:' || n, 'web-' || n, 'fra1', 'active',
                '', '', '', '', ARRAY['web'], jsonb_build_object('vcpus', 1, 'image', 'debian-12-x64'), now(),
                now(), 0
            FROM generate_series(1, %s) AS n
            """,
            [count],
        )
        cursor.execute("ANALYZE cloud_resources")


@pytest.mark.parametrize("rows", [3, 4])
def test_pages_meet_without_a_gap_or_a_repeat(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    monkeypatch.setattr(downloads, "_ROWS_A_PAGE", 2)
    observed(*(seen(str(number)) for number in range(rows)))

    with django_assert_num_queries(rows // 2 + 1):
        exported = json.loads(text_of(asked("platform_admin", format="json")))

    assert [row["provider_id"] for row in exported] == [str(number) for number in range(rows)]
    assert [row["provider_id"] for row in operators_rows()] == [str(number) for number in range(rows)]


def test_the_file_begins_before_the_last_row_is_read(fleet: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are made after the beginning was sent are in the file."""
    monkeypatch.setattr(downloads, "_ROWS_A_PAGE", 2)
    pieces = iter(asked("platform_admin").streaming_content)

    assert b"shop-web" in next(pieces)
    observed(seen("6", name="late"))

    assert b"late" in b"".join(pieces)


def test_a_database_that_fails_is_an_error_and_no_file_that_ends_early(fleet: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cloud_resources RENAME TO cloud_resources_away")

    answer = Client(raise_request_exception=False).get(EXPORT, headers=bearer(token_of("platform_admin")))

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_tenant_downloads_one_at_a_time_and_two_tenants_leave_threads_for_others(fleet: None) -> None:
    first = asked(of="acme")
    refused = asked(of="acme", format="json")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    assert refused.json()["type"] == "urn:arcadia-cloud:problem:too_many_downloads"

    other = asked(of="globex")
    assert other.status_code == 200
    assert asked(of="initech").status_code == 429
    assert Client().get(LIST, headers=bearer(token_of(tenant="initech"))).status_code == 200

    text_of(first)
    text_of(other)
    assert asked(of="acme").status_code == asked(of="initech").status_code == 200


def test_a_long_file_comes_in_pieces_that_a_slow_client_can_take(fleet: None) -> None:
    observed(*(seen(str(number), name="n" * 250) for number in range(10, 400)))
    pieces = list(asked("platform_admin", format="json").streaming_content)
    assert max(map(len, pieces)) == 65_536
    assert len(json.loads(b"".join(pieces))) == 394


@pytest.mark.processes
@pytest.mark.parametrize("form", list(Format))
def test_many_rows_cost_no_more_memory_than_a_few_pages(form: Format, request: pytest.FixtureRequest) -> None:
    many = MATRIX if request.config.getoption("--matrix") else EVERYDAY
    fill(many)
    pieces = export(Resource.objects.live(), form, for_operator=True)
    size = sum(len(next(pieces)) for _ in range(10))
    before = resident_mb()
    most = before
    for piece in pieces:
        size += len(piece)
        most = max(most, resident_mb())

    assert size > many * 200
    assert most - before < MOST_GROWTH_MB
