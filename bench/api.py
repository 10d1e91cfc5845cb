"""`api`: pages of the API's lists among a million rows, against the same SQL and json.dumps.

A page is asked of the WSGI application in this process: everything that a web worker does for it is measured
(middleware, token, throttle, log line, view, rendering), and nothing that only a test client does. The floor
runs the statements that our page sends, on the same connection, and writes the rows as JSON.
"""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from logging.config import dictConfig
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from arcadia_cloud.kernel.tokens import OPERATOR_ROLE, mint
from arcadia_cloud.logs import logging_settings
from arcadia_cloud.wsgi import application
from bench.fill import TENANTS, fill_deployments, fill_drift, fill_resources
from bench.harness import Contender, Row, bench, compare, tell
from bench.scratch import scratch_database

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

RESOURCES: Final = 1_000_000
DEPLOYMENTS: Final = 100_000
DRIFT: Final = 100_000
PAGES: Final = 50  # a round asks for the same page so often, since one is too short to time
TARGET: Final = 5.0
TENANT: Final = "tenant-7"
DEPTH: Final = 20
_JSONB: Final = 3802  # PostgreSQL's number of the type; Django has the driver hand it over as text


@dataclass(frozen=True, slots=True)
class Page:
    """A page to ask for, its name in words, and as whom."""

    words: str
    address: str
    token: str


@bench("api")
def api(scale: float) -> Iterator[Row]:
    """Pages of 50: the first one and one deep in, as an operator and as a tenant."""
    count = max(10_000, round(RESOURCES * scale))
    with scratch_database(), as_in_production():
        tell(f"  filling in {count} resources")
        fill_resources(count)
        for page in _inventory(count):
            yield measured(page)
        drift = max(1_000, round(DRIFT * scale))
        fill_drift(drift)
        operator = token_of(OPERATOR_ROLE)
        yield measured(Page(f"drift list: first page of {drift} open rows", "/api/v1/drift", operator))
        deployments = max(1_000, round(DEPLOYMENTS * scale))
        fill_deployments(deployments)
        for page in _deployments(deployments):
            yield measured(page)


def measured(page: Page, *, name: str = "api", target: float = TARGET) -> Row:
    """One page against its floor. Raises AssertionError when they don't show the same number of rows."""
    statements = _statements(page)
    shown, floor = (json.loads(body) for body in (_asked(page.address, page.token), _floor(statements)))
    if len(floor) != len(shown["results"]) + (shown["next"] is not None) or len(floor) < 2:
        raise AssertionError(f"{page.words}: {len(shown['results'])} rows against {len(floor)}")
    row = compare(
        name,
        page.words,
        ours=Contender(lambda: _often(lambda: _asked(page.address, page.token))),
        floor=Contender(lambda: _often(lambda: _floor(statements))),
        target=target,
    )
    return replace(
        row,
        ours_s=round(row.ours_s / PAGES, 5),
        floor_s=round(row.floor_s / PAGES, 5),
        queries=row.queries // PAGES,
    )


def _inventory(count: int) -> Iterator[Page]:
    operator, tenant = token_of(OPERATOR_ROLE), token_of(tenant=TENANT)
    yield Page(f"first page of {count} resources, operator", "/api/v1/inventory", operator)
    # A cursor names a row, whatever filter led there: so it is had from a list of a few rows in the middle.
    narrowed = next_of(f"/api/v1/inventory?limit=1&q={count // 20:06}", operator)
    middle = f"/api/v1/inventory?cursor={parse_qs(urlsplit(narrowed).query)['cursor'][0]}"
    yield Page(f"page in the middle of {count} resources, operator", middle, operator)
    yield Page(f"first page of a tenant's {count // TENANTS} of them", "/api/v1/inventory", tenant)
    deep = "/api/v1/inventory"
    for _ in range(DEPTH):
        deep = next_of(deep, tenant)
    yield Page(f"page {DEPTH + 1} of a tenant's {count // TENANTS} of them", deep, tenant)


def _deployments(count: int) -> Iterator[Page]:
    operator, tenant = token_of(OPERATOR_ROLE), token_of(tenant=TENANT)
    yield Page(f"first page of {count} deployments and more, operator", "/api/v1/deployments", operator)
    yield Page(f"first page of a tenant's {count // TENANTS} of them", "/api/v1/deployments", tenant)


def token_of(*roles: str, tenant: str | None = None) -> str:
    hour = timedelta(hours=1)
    return mint(subject="bench", tenant_id=tenant, roles=list(roles), lifetime=hour, at=timezone.now())


def next_of(address: str, token: str) -> str:
    """The address of the page after one."""
    link = urlsplit(json.loads(_asked(address, token))["next"])
    return f"{link.path}?{link.query}"


def _asked(address: str, token: str) -> bytes:
    """The body of an answer, as a web server would take it."""
    path, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
    }
    statuses: list[str] = []
    start = cast("StartResponse", lambda status, _headers: statuses.append(status))
    answer: Any = application(environ, start)  # the stubs know it as bytes alone, and the server closes it
    body = b"".join(answer)
    answer.close()
    if statuses != ["200 OK"]:
        raise AssertionError(f"{address}: {statuses} {body[:500]!r}")
    return body


def _statements(page: Page) -> list[str]:
    """What a page asks of the database; the last one reads its rows."""
    with CaptureQueriesContext(connection) as queries:
        _asked(page.address, page.token)
    return [str(query["sql"]) for query in queries.captured_queries]


def _floor(statements: Sequence[str]) -> str:
    with connection.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        names = [column.name for column in cursor.description]
        parsed = [at for at, column in enumerate(cursor.description) if column.type_code == _JSONB]
        rows = [list(row) for row in cursor.fetchall()]
    for row in rows:
        for at in parsed:
            row[at] = row[at] and json.loads(row[at])
    return json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str)


def _often(once: Callable[[], object]) -> None:
    for _ in range(PAGES):
        once()


@contextmanager
def as_in_production() -> Iterator[None]:
    """Production's log lines, written to nowhere; requests counted against a limit that is out of reach."""
    logging = logging_settings(production=True, level="INFO")
    unlimited = override_settings(ARCADIA_API_REQUESTS_PER_MINUTE=sys.maxsize)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, unlimited:
        logging["handlers"]["stderr"]["stream"] = nowhere
        dictConfig(logging)
        try:
            yield
        finally:
            dictConfig(settings.LOGGING)
