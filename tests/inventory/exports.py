"""Exports of the inventory, as their tests ask for them."""

import csv
import io
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import Client

from arcadia_cloud.kernel.api import downloads
from deployments.models import Deployment
from tests.access import bearer, token_of
from tests.inventory.observations import a_project, minute, observed, seen, tombstone

EXPORT = "/api/v1/inventory/export"
LIST = "/api/v1/inventory"


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no other download going: one that a test left unread keeps its place until it is collected."""
    monkeypatch.setattr(downloads, "_PLACES", downloads.DownloadPlaces())


@pytest.fixture
def fleet() -> None:
    """Two of acme's, one of globex's, one unattributed, and one of acme's that is gone."""
    acme, globex = a_project("acme", "acme").pk, a_project("globex", "globex").pk
    shop = Deployment.objects.create(tenant_id="acme", slug="shop")
    observed(
        seen("1", name="shop-web", project_id=acme, tenant_id="acme", deployment_id=shop.pk),
        seen("2", name='Köln, "DB"', project_id=acme, region="ams3", tags=["env:test", "role:db"]),
        seen("3", name="crm", project_id=globex, monthly_price_cents=4242),
        seen("4", name="bastion", monthly_price_cents=None, region=""),
        seen("5", name="gone", project_id=acme),
    )
    tombstone(["5"], at=minute(10))


def asked(*roles: str, of: str | None = None, **query: str) -> Any:
    return Client().get(EXPORT, query, headers=bearer(token_of(*roles, tenant=of)))


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    assert isinstance(answer, StreamingHttpResponse)
    return answer.getvalue().decode()


def rows_of(answer: Any) -> list[dict[str, str]]:
    """The lines of a CSV by their column's name."""
    return list(csv.DictReader(io.StringIO(text_of(answer), newline="")))


def operators_rows(**query: str) -> list[dict[str, str]]:
    return rows_of(asked("platform_admin", **query))
