"""The feed of events: each comes once and in order, whoever writes meanwhile, and only to its owner."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core import signing
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from deployments.models import Deployment
from deployments.services import create_deployment
from inventory.models import Resource, ResourceEvent
from provisioning.engine.runner import run
from provisioning.event_feed import delete_old_feed_events
from provisioning.models import FeedEvent, SagaRun
from tests.access import bearer, token_of
from tests.processes import test_database_url as database_url
from tests.provisioning.sagas import start
from tests.security.things import SECRET_PRICE_CENTS, resource_of

pytestmark = pytest.mark.django_db(transaction=True)
EVENTS = "/api/v1/events"
WAIT_SECONDS = 30  # transactions of other tests on this server hold the feed back, too


@pytest.fixture(autouse=True)
def _unthrottled(settings: Settings) -> None:
    """Readers that ask again and again are the subject here, not how often they may."""
    settings.ARCADIA_API_REQUESTS_PER_MINUTE = 1_000_000


class Reader:
    """A client that keeps the `next` link and what it has read."""

    def __init__(self, tenant: str | None = None, *, limit: int = 50) -> None:
        token = token_of(tenant=tenant) if tenant else token_of("platform_admin")
        self._client = Client(headers=bearer(token))
        self._next = f"{EVENTS}?limit={limit}"
        self.read: list[dict[str, Any]] = []

    def ask(self) -> bool:
        answer = self._client.get(self._next)
        assert answer.status_code == 200, answer.content
        body = answer.json()
        self._next = body["next"]
        self.read += body["results"]
        return bool(body["has_more"])

    def until(self, is_enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        deadline = time.monotonic() + WAIT_SECONDS
        while not is_enough(self.read):
            assert time.monotonic() < deadline, self.read
            if not self.ask():
                time.sleep(0.05)
        return self.read


def resource(tenant: str | None, name: str = "web-1") -> Resource:
    now = timezone.now()
    return Resource.objects.create(
        kind="droplet", provider_id=name, name=name, tenant_id=tenant, first_seen_at=now, last_seen_at=now
    )


def change(of: Resource, **changes: Any) -> ResourceEvent:
    return ResourceEvent.objects.create(
        resource=of, event_type="updated", changes=changes, at=timezone.now(), actor="run"
    )


def test_what_happened_to_a_tenants_things_comes_in_its_order_and_to_nobody_else() -> None:
    resource_of("acme")
    theirs, ours = resource("globex", "theirs"), resource(None, "of no tenant")
    change(theirs, status=["active", "off"])
    change(ours, status=["active", "off"])
    deployment = create_deployment(tenant_id="acme", slug="shop", actor="jo", at=timezone.now())
    saga = start(message="hello")
    SagaRun.objects.filter(pk=saga.pk).update(tenant_id="acme", deployment=deployment)
    run(saga.pk)
    found = Reader("acme").until(lambda read: bool(read) and read[-1]["type"] == "completed")
    assert [(event["subject"], event["type"]) for event in found] == [
        ("resource", "discovered"),
        ("deployment", "created"),
        ("saga", "running"),
        ("saga", "completed"),
    ]
    assert {event["tenant_id"] for event in found} == {"acme"}
    assert found[0]["details"]["changes"] == {"name": [None, "canary-of-acme"]}, "prices are the operator's"
    assert found[1]["details"] == {"slug": "shop", "from": "", "to": found[1]["details"]["to"], "reason": ""}
    assert found[3]["details"] == {"kind": "echo", "deployment_id": deployment.pk}
    of_all = Reader().until(lambda read: len(read) >= 5)
    assert {event["tenant_id"] for event in of_all} == {"acme", "globex"}
    price = of_all[0]["details"]["changes"]["monthly_price_cents"]
    assert price == [None, SECRET_PRICE_CENTS], "operators see every change"


def test_who_gets_a_resource_does_not_get_its_past() -> None:
    web = resource("acme")
    change(web, name=["a", "secret-name"])
    Resource.objects.filter(pk=web.pk).update(tenant_id="globex")
    change(web, tenant_id=["acme", "globex"], status=["active", "off"])
    found = Reader("globex").until(lambda read: len(read) == 1)
    assert found[0]["details"]["changes"] == {"status": ["active", "off"]}
    assert len(Reader("acme").until(lambda read: len(read) == 1)) == 1


@pytest.fixture
def other() -> Iterator[psycopg.Connection[Any]]:
    """A second writer, whose transaction the test holds open."""
    with psycopg.connect(database_url()) as link:
        yield link


def test_an_older_transaction_that_commits_later_loses_nothing(other: psycopg.Connection[Any]) -> None:
    web = resource("acme")
    insert = (
        "INSERT INTO cloud_resource_events (resource_id, event_type, changes, at, actor, source)"
        " VALUES (%s, 'updated', '{\"name\": [\"a\", \"of the slow one\"]}', now(), 'run', '')"
    )
    other.execute(insert, [web.pk])  # takes the lower id, and commits last
    change(web, name=["a", "of the fast one"])
    reader = Reader("acme")
    for _ in range(3):
        assert not reader.ask()
    assert reader.read == [], "the fast one's event waits for the transaction before it"
    other.commit()
    found = reader.until(lambda read: len(read) == 2)
    assert [event["details"]["changes"]["name"][1] for event in found] == [
        "of the slow one",
        "of the fast one",
    ]
    reader.ask()
    assert len(reader.read) == 2


def test_readers_among_concurrent_writers_get_each_event_once() -> None:
    fleet = [resource("acme", f"web-{number}") for number in range(4)]
    each, over = 30, threading.Event()

    def write(of: Resource) -> None:
        with psycopg.connect(database_url()) as link:
            for number in range(each):
                with link.transaction():
                    for _ in range(2):  # two events a transaction, with a pause in it
                        link.execute(
                            "INSERT INTO cloud_resource_events"
                            " (resource_id, event_type, changes, at, actor, source)"
                            " VALUES (%s, 'updated', '{}', clock_timestamp(), 'run', '')",
                            [of.pk],
                        )
                        time.sleep(0.001 * (number % 3))

    def read(limit: int) -> list[int]:
        reader = Reader("acme", limit=limit)
        try:
            reader.until(lambda found: over.is_set() and len(found) >= 2 * each * len(fleet))
            reader.ask()
        finally:
            connection.close()
        return [event["id"] for event in reader.read]

    with ThreadPoolExecutor() as threads:
        readers = [threads.submit(read, limit) for limit in (1, 7, 200)]
        for writer in [threads.submit(write, of) for of in fleet]:
            writer.result()
        over.set()
        heard = [reader.result() for reader in readers]
    written = set(FeedEvent.objects.values_list("pk", flat=True))
    assert len(written) == 2 * each * len(fleet)
    for ids in heard:
        assert len(ids) == len(set(ids)), "none came twice"
        assert set(ids) == written, "none is missing"
    assert heard[0] == heard[1] == heard[2], "every reader has the same order"


@pytest.mark.parametrize(
    ("query", "name"), [("cursor=1.2", "cursor"), ("limit=0", "limit"), ("since=1", "since")]
)
def test_a_wrong_parameter_is_named(query: str, name: str) -> None:
    answer = Client(headers=bearer(token_of(tenant="acme"))).get(f"{EVENTS}?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])


def test_old_events_go_and_their_history_stays() -> None:
    change(resource("acme"), name=["a", "b"])
    assert delete_old_feed_events(at=timezone.now() + timedelta(days=29)) == 0
    assert delete_old_feed_events(at=timezone.now() + timedelta(days=31)) == 1
    assert (FeedEvent.objects.count(), ResourceEvent.objects.count()) == (0, 1)


def test_a_restored_database_shows_what_it_has_and_refuses_a_cursor_of_the_other() -> None:
    web = resource("acme")
    change(web, name=["a", "b"])
    FeedEvent.objects.update(transaction_id=2**50)  # as the server that was lost had counted
    other = Reader("acme")
    other.ask()
    assert other.read == []
    call_command("restored_from_backup", verbosity=0)
    reader = Reader("acme")
    assert len(reader.until(lambda read: len(read) == 1)) == 1
    change(web, name=["b", "c"])
    assert len(reader.until(lambda read: len(read) == 2)) == 2
    stale = signing.Signer(salt="event-feed").sign(f"{2**50}.7")
    answer = Client(headers=bearer(token_of(tenant="acme"))).get(EVENTS, {"cursor": stale})
    assert answer.status_code == 400
    assert "restored from a backup" in answer.json()["errors"]["cursor"][0]


def test_a_deployment_of_another_tenant_is_not_told() -> None:
    create_deployment(tenant_id="globex", slug="shop", actor="jo", at=timezone.now())
    create_deployment(tenant_id="acme", slug="shop", actor="jo", at=timezone.now())
    found = Reader("acme").until(lambda read: len(read) == 1)
    assert found[0]["subject_id"] == Deployment.objects.get(tenant_id="acme").pk
