"""Exports of the inventory: for whom they are, and what may be asked for."""

from typing import Any

import pytest
from django.test import Client

from arcadia_cloud.kernel.api.downloads import Format
from arcadia_cloud.kernel.api.throttles import breaker
from tests.access import bearer, token_of
from tests.inventory.exports import EXPORT, asked, fleet, places, text_of

__all__ = ["fleet", "places"]
pytestmark = pytest.mark.django_db
MONEY = ("price", "cost", "cents", "currency", "4242")


def test_a_tenant_gets_its_own_rows_and_no_price(fleet: None) -> None:
    for form in Format:
        text = text_of(asked(of="acme", format=form))
        assert "shop-web" in text
        assert "globex" not in text
        assert "bastion" not in text
        assert not [word for word in MONEY if word in text.lower()]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (bearer("not.a.token"), 401),
        (bearer(token_of()), 403),
        (bearer(token_of("metering", tenant="acme")), 403),
    ],
)
def test_who_may_not_read_gets_no_file(fleet: None, headers: dict[str, str], status: int) -> None:
    answer = Client().get(EXPORT, headers=headers)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"format": "xml"}, "format"),
        ({"format": ""}, "format"),
        ({"colour": "blue"}, "colour"),
        ({"limit": "5"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"ordering": "name"}, "ordering"),
        ({"kind": "toaster"}, "kind"),
        ({"q": "\0"}, "q"),
    ],
)
def test_nonsense_is_refused_by_name(query: dict[str, str], field: str) -> None:
    answer = asked("platform_admin", **query)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_only_operators_may_ask_for_a_tenant(fleet: None) -> None:
    headers = bearer(token_of(tenant="acme"))

    for tenant in ("globex", "acme"):
        assert Client().get(EXPORT, {"tenant": tenant}, headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("accept", "status"), [("text/csv", 200), ("application/json", 200), ("*/*", 200), ("image/png", 406)]
)
def test_a_client_may_name_either_media_type(accept: str, status: int) -> None:
    headers = {**bearer(token_of("platform_admin")), "Accept": accept}

    assert Client().get(EXPORT, headers=headers).status_code == status
    described = Client().options(EXPORT, headers=headers)
    assert described.headers["Content-Type"] in {"application/json", "application/problem+json"}


def test_an_export_counts_against_the_tenants_minute(settings: Any) -> None:
    breaker.reset()
    settings.ARCADIA_API_REQUESTS_PER_MINUTE = 1

    assert [asked(of="acme").status_code for _ in range(2)] == [200, 429]
