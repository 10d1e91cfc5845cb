"""`intake`: batches of 10,000 usage events through HTTP, against the bare COPY of as many rows.

Ours is everything: a client that posts to a server of this process, the token, the checks of each event, the
look for what came before, the insert, the sums. The floor writes the rows into the same table, with its index
and its checks, and knows that they are right and new.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final, cast

import requests
from django.db import connection, transaction
from django.utils import timezone
from flask import Flask

from arcadia_cloud.kernel.tokens import METERING_ROLE, mint
from arcadia_cloud.wsgi import application
from bench.api import as_in_production
from bench.fill import fill_deployments
from bench.harness import Contender, Row, bench, compare, tell
from bench.scratch import scratch_database
from deployments.models import Deployment
from metering.models import UsageEvent
from metering.services import create_partitions_ahead
from simulator.server import serve_app

BATCH: Final = 10_000
BATCHES: Final = 5  # a round: so that a checkpoint or a pause of the machine doesn't decide it
LEAST_PER_SECOND: Final = 5_000
_COPY: Final = """
    COPY usage_events (
        source_id, event_id, month, deployment_id, resource_kind, sub_account, occurred_at, quantity,
        is_reset, received_at
    ) FROM STDIN
"""
_numbers: Final = count()


@bench("intake")
def intake(scale: float) -> Iterator[Row]:
    """The least that 5,000 events a second leave is a ratio to the floor, which differs by machine."""
    size = max(100, round(BATCH * scale))
    with scratch_database(), as_in_production():
        fill_deployments(100)
        create_partitions_ahead(at=timezone.now())
        deployments = list(Deployment.objects.values_list("pk", flat=True)[:100])
        with _serve() as address, requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {_token()}"
            row = compare(
                "intake",
                f"{BATCHES} batches of {size} events through HTTP",
                ours=Contender(
                    lambda bodies: _send(session, address, bodies, size),
                    lambda: [_body(size, deployments) for _ in range(BATCHES)],
                ),
                floor=Contender(_copy, lambda: [_rows(size, deployments) for _ in range(BATCHES)]),
                target=15.0,
            )
    tell(f"  {BATCHES * size / row.ours_s:,.0f} events a second, of at least {LEAST_PER_SECOND:,};"
         f" the bare COPY {BATCHES * size / row.floor_s:,.0f}")  # fmt: skip
    yield row


def _send(session: requests.Session, address: str, bodies: list[bytes], size: int) -> None:
    for body in bodies:
        answer = session.post(address, body, headers={"Content-Type": "application/json"}, timeout=60)
        assert answer.json() == {"received": size, "counted": size, "duplicates": 0}, answer.text


def _body(size: int, deployments: list[int]) -> bytes:
    at = timezone.now().isoformat()
    events = [
        {
            "event_id": f"req-{next(_numbers):012d}",
            "deployment": deployments[number % len(deployments)],
            "kind": "llm_tokens",
            "quantity": str(number),
            "at": at,
        }
        for number in range(size)
    ]
    return json.dumps({"source": "bench", "events": events}).encode()


def _rows(size: int, deployments: list[int]) -> bytes:
    now = datetime.now(UTC)
    at, month = now.isoformat(), now.date().replace(day=1)
    lines = (
        f"0\treq-{next(_numbers):012d}\t{month}\t{deployments[number % len(deployments)]}\tllm_tokens\t\t{at}"
        f"\t{number}\tf\t{at}\n"
        for number in range(size)
    )
    return "".join(lines).encode()


def _copy(batches: list[bytes]) -> None:
    for rows in batches:
        with transaction.atomic(), connection.connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.write(rows)
    assert UsageEvent.objects.exists()


@contextmanager
def _serve() -> Iterator[str]:
    held = connection.settings_dict["CONN_MAX_AGE"]
    # A connection that the server's threads kept would keep the scratch database from being dropped.
    connection.settings_dict["CONN_MAX_AGE"] = 0
    try:
        with serve_app(cast("Flask", application)) as url:  # any WSGI application does
            yield f"{url}/api/v1/metering/usage"
    finally:
        connection.settings_dict["CONN_MAX_AGE"] = held


def _token() -> str:
    return mint(
        subject="bench", tenant_id=None, roles=[METERING_ROLE], lifetime=timedelta(hours=1), at=timezone.now()
    )
