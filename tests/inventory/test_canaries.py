"""Secrets in a provider's answers: they must reach no column, event, log line or answer of ours."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import pytest
import requests
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from arcadia_cloud.digitalocean.client import DigitalOcean
from inventory.models import Resource, ResourceEvent, SyncRun
from inventory.services import sync_inventory
from inventory.values import OPERATORS_PROJECT, Kind, RunMode
from simulator.default_fleet.platforms import SECRET
from simulator.spaces import fill_fleet
from tests.access import bearer, token_of
from tests.http_servers import QuickHandler, serve_handler
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "canary-5d1f0e7a"
TABLES = (
    "cloud_resources", "cloud_resource_events", "cloud_projects", "cloud_accounts", "sync_runs", "alerts",
    "resource_spans",
)  # fmt: skip


def planted(node: Any) -> Any:
    """The same, with a secret in a field beside every object's own, at every depth."""
    if isinstance(node, list):
        return [planted(each) for each in node]
    if isinstance(node, dict):
        return {
            **{name: planted(each) for name, each in node.items()},
            "user_data": f"#cloud-config password: {CANARY}",
            "root_password": CANARY,
            "connection": {"password": CANARY, "uri": f"postgresql://u:{CANARY}@h/d"},
        }
    return node


def droplet(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"web-{number}",
        "status": "active",
        "created_at": "2026-01-01T00:00:00Z",
        "memory": 1024,
        "vcpus": 1,
        "disk": 25,
        "size_slug": "s-1vcpu-1gb",
        "size": {"slug": "s-1vcpu-1gb", "price_monthly": 6.0, "price_hourly": 0.00893},
        "region": {"slug": "fra1", "name": "Frankfurt 1"},
        "image": {"id": 1, "slug": "debian-12-x64", "name": "12 x64", "distribution": "Debian"},
        "networks": {"v4": [{"ip_address": "192.0.2.1", "type": "public"}], "v6": []},
        "tags": ["web"],
        **fields,
    }


class Planting:
    """A provider of two droplets whose answers are full of secrets."""

    def __init__(self) -> None:
        self.droplets = [droplet(1), droplet(2)]
        self.error: dict[str, Any] | None = None

    def answer(self, path: str, query: str) -> tuple[int, Any]:
        if path == "/v2/account":
            return 200, {"account": {"uuid": "u", "droplet_limit": 5, "status": "active"}}
        if path == "/v2/projects":
            project = {"id": "p", "name": "skyai-internal", "is_default": True, "purpose": "Other: x"}
            return 200, {"projects": [project], "meta": {"total": 1}}
        if path.endswith("/resources"):
            members = [{"urn": "do:droplet:1", "status": "ok"}, {"urn": "do:droplet:2", "status": "ok"}]
            return 200, {"resources": members, "meta": {"total": 2}}
        if self.error is not None:
            return 422, self.error
        found = [] if "gpus" in query else self.droplets
        return 200, {"droplets": found, "meta": {"total": len(found)}}


class Answering(Protocol):
    """A provider, without the secrets."""

    def answer(self, path: str, query: str) -> tuple[int, Any]:
        """The status and the body."""


@contextmanager
def serving(provider: Answering) -> Iterator[str]:
    """Have its answers, full of secrets, for the block; yields the base URL."""

    class Handler(QuickHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            status, body = provider.answer(path, query)
            text = json.dumps(planted(body)).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    with serve_handler(Handler) as url:
        yield url


@pytest.fixture
def provider(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Planting]:
    planting = Planting()
    monkeypatch.setenv("DO_API_TOKEN", f"dop_v1_{CANARY}" + "0" * 49)
    with serving(planting) as settings.DO_API_URL:
        yield planting


def everything_kept() -> str:
    """Each row of each table, as text."""
    with connection.cursor() as cursor:
        texts = []
        for table in TABLES:
            cursor.execute(f"SELECT row_to_json(kept)::text FROM {table} AS kept")  # noqa: S608
            texts += [text for (text,) in cursor.fetchall()]
    return "\n".join(texts)


def everything_shown(client: Client) -> str:
    """Read what the API shows an operator, who sees most."""
    headers = bearer(token_of("platform_admin"))
    row = Resource.objects.order_by("pk").first()
    assert row is not None
    paths = ("", f"/{row.pk}", f"/{row.pk}/events", "/summary", "/export?format=csv", "/export?format=json")
    texts = []
    for path in paths:  # each to its end: only one export at a time is anybody's
        answer = client.get(f"/api/v1/inventory{path}", headers=headers)
        assert answer.status_code == 200
        texts.append(answer.getvalue().decode())
        answer.close()
    return "\n".join(texts)


class Relaying:
    """The simulator's answers, with a secret beside every field: of every kind, at every depth."""

    def __init__(self, simulator: Simulated) -> None:
        self._simulator = simulator

    def answer(self, path: str, query: str) -> tuple[int, Any]:
        answer = requests.get(
            f"{self._simulator.url}{path}?{query}",
            headers={"Authorization": f"Bearer {self._simulator.token}"},
            timeout=30,
        )
        return answer.status_code, answer.json()


def test_no_secret_of_any_kind_is_kept_shown_or_logged(
    simulator: Simulated,
    settings: Settings,
    spaces: None,
    admin_client: Client,
    client: Client,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    fill_fleet()
    with DigitalOcean() as cloud:
        cloud.create_project(name=OPERATORS_PROJECT, purpose="ours")
    with serving(Relaying(simulator)) as settings.DO_API_URL:
        for mode in (RunMode.FULL, RunMode.SLOW):
            assert {run.outcome for run in sync_inventory(mode=mode, actor="a test")} == {"complete"}
        Resource.objects.update(attrs={}, name="before", tags=["before"], observed_digest=None)
        for mode in (RunMode.FULL, RunMode.SLOW):
            sync_inventory(mode=mode, actor="a test")
    assert set(Resource.objects.values_list("kind", flat=True)) == set(Kind.values)
    assert ResourceEvent.objects.filter(event_type="updated").count() == Resource.objects.count()
    pages = [
        admin_client.get(f"/admin/inventory/resource/{row.pk}/change/").content.decode()
        for row in Resource.objects.order_by("kind", "pk").distinct("kind")
    ]
    out, err = capfd.readouterr()
    for place in (everything_kept(), everything_shown(client), *pages, out, err, caplog.text):
        assert CANARY not in place
        assert SECRET not in place


def sync() -> SyncRun:
    return sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["droplet"])[-1]


def test_no_secret_of_an_answer_is_kept_shown_or_logged(
    provider: Planting, client: Client, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    assert sync().outcome == "complete"
    provider.droplets = [droplet(1, status="off", tags=["db"]), droplet(2, name="renamed")]
    assert sync().updated == 2
    out, err = capfd.readouterr()
    for place in (everything_kept(), everything_shown(client), out, err, caplog.text):
        assert CANARY not in place
    assert "renamed" in everything_kept()
    assert "192.0.2.1" in everything_shown(client)


def test_no_secret_of_an_answer_that_breaks_the_rules_is_shown(
    provider: Planting, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    assert sync().outcome == "complete"
    broken = droplet(2)
    del broken["region"]
    provider.droplets = [droplet(1), broken]
    run = sync()
    assert run.outcome == "failed"
    assert "droplets 2 field region" in run.error
    provider.droplets = [droplet(1), droplet(2, memory=CANARY)]
    run = sync()
    assert run.outcome == "failed"
    assert "memory" in run.error
    out, err = capfd.readouterr()
    for place in (everything_kept(), out, err, caplog.text):
        assert CANARY not in place
    assert not Resource.objects.filter(stale_strike_count__gt=0).exists()


def test_a_provider_that_repeats_our_token_has_it_told_to_nobody(
    provider: Planting, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    provider.error = {"id": "unprocessable_entity", "message": f"bad token dop_v1_{CANARY}" + "0" * 49}
    run = sync()
    assert run.outcome == "failed"
    assert "422 unprocessable_entity" in run.error
    out, err = capfd.readouterr()
    for place in (everything_kept(), out, err, caplog.text):
        assert CANARY not in place
