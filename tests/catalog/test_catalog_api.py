"""The catalog over HTTP: what is sold to whom, and what a usage would cost."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Addon, PlanItem, PlanTenant, ResourcePrice
from catalog.services import publish_version, seed_catalog
from tests.access import bearer, token_of
from tests.catalog.rows import AT, draft, published, stored_plan

pytestmark = pytest.mark.django_db
Call = Callable[..., Any]
ACME: Final = bearer(token_of("member", tenant="acme"))


@pytest.fixture
def get(client: Client) -> Call:
    """GET as a tenant; the body, once the status is as expected."""

    def read(path: str, *, status: int = 200, headers: dict[str, str] = ACME, **query: str) -> Any:
        answer = client.get(f"/api/v1/catalog/{path}", query, headers=headers)
        assert answer.status_code == status, answer.content
        return answer.json()

    return read


@pytest.fixture
def estimate(client: Client) -> Call:
    """POST a question as a tenant; the body, once the status is as expected."""

    def ask(*, status: int = 200, headers: dict[str, str] = ACME, **question: Any) -> Any:
        answer = client.post(
            "/api/v1/catalog/estimate", question, content_type="application/json", headers=headers
        )
        assert answer.status_code == status, answer.content
        return answer.json()

    return ask


def codes(answer: Any) -> list[str]:
    return [row["code"] for row in answer["results"]]


def test_the_seeded_catalog_is_read_in_shape(get: Call) -> None:
    seed_catalog(at=AT)
    plans, addons = get("plans"), get("addons")

    assert codes(plans) == ["starter", "studio", "pro"]
    assert codes(addons) == ["llm_tokens_1m", "storage_250gb", "storage_50gb"]
    studio = plans["results"][1]
    assert studio == get("plans/studio")
    version = studio["version"]
    assert (version["number"], version["base_price_cents"], version["currency"]) == (1, 5000, "AUD")
    assert (version["billing_interval"], version["proration"]) == ("month", "none")
    assert version["published_at"] == "2026-06-01T12:00:00Z"
    assert version["items"][2] == {
        "resource_kind": "droplet_hours",
        "included_qty": "1488",
        "price_model": "per_unit",
        "overage_unit": "1",
        "overage_price_cents": 2,
        "tiers": [],
        "hard_cap_qty": None,
        "minimum_cents": None,
        "maximum_cents": None,
    }
    assert addons["results"][2] == {
        "code": "storage_50gb",
        "name": "50 GB of storage",
        "resource_kind": "spaces_gb_month",
        "qty": "50",
        "price_cents": 750,
        "currency": "AUD",
    }


def test_tiers_are_shown_whole_and_as_strings(get: Call) -> None:
    version = draft(stored_plan())
    PlanItem.objects.create(
        version=version,
        resource_kind="bandwidth_gb",
        price_model="graduated",
        tiers=[{"up_to": "100", "unit_price_cents": "0.25"}, {"unit_price_cents": "0.1"}],
    )
    publish_version(version_pk=version.pk, replaces=None, actor="a test", at=AT)

    [item] = get("plans/studio")["version"]["items"]

    assert item["tiers"] == [
        {"up_to": "100", "unit_price_cents": "0.25", "flat_fee_cents": "0"},
        {"up_to": None, "unit_price_cents": "0.1", "flat_fee_cents": "0"},
    ]


def test_the_active_version_is_shown_and_no_other(get: Call) -> None:
    first = published(stored_plan(), 5000)
    published(first.plan, 6000)
    draft(first.plan, 7000)
    draft(stored_plan("unborn"))

    [plan] = get("plans")["results"]

    assert (plan["version"]["number"], plan["version"]["base_price_cents"]) == (2, 6000)
    assert get("plans/unborn", status=404)["errors"] == {}


@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        (ACME, ["open", "special"]),
        (bearer(token_of("member", tenant="globex")), ["open"]),
        (bearer(token_of("member")), ["open"]),
        (bearer(token_of("platform_admin")), ["open", "special"]),
    ],
)
def test_a_plan_for_named_tenants_does_not_exist_for_others(
    get: Call, estimate: Call, headers: dict[str, str], seen: list[str]
) -> None:
    published(stored_plan("open"))
    special = published(stored_plan("special", public=False)).plan
    PlanTenant.objects.create(plan=special, tenant_id="acme")
    status = 200 if "special" in seen else 404

    assert codes(get("plans", headers=headers)) == seen
    get("plans/special", headers=headers, status=status)
    found = estimate(plan="special", headers=headers, status=status)
    if status == 404:
        absent = estimate(plan="specia1", headers=headers, status=404)
        assert found["errors"] == {"plan": ["There is no plan special on sale."]}
        assert found["type"] == absent["type"] == "urn:arcadia-cloud:problem:plan_not_on_sale"


def test_plans_come_in_the_order_in_which_they_are_sold_page_by_page(get: Call) -> None:
    for code, sort in (("third", 3), ("first", 1), ("second", 1)):
        published(stored_plan(code, sort=sort))

    page = get("plans", limit="2")

    assert codes(page) == ["first", "second"]
    assert "cursor=" in page["next"]
    assert codes(get("plans", ordering="-sort")) == ["third", "second", "first"]


def test_an_addon_that_is_no_longer_sold_is_not_shown_nor_quoted(get: Call, estimate: Call) -> None:
    seed_catalog(at=AT)
    Addon.objects.filter(code="storage_50gb").update(active=False)

    assert codes(get("addons")) == ["llm_tokens_1m", "storage_250gb"]
    refused = estimate(plan="studio", addons=["storage_50gb", "nothing"], status=400)
    assert refused["errors"] == {
        "addons": ["There is no add-on storage_50gb on sale.", "There is no add-on nothing on sale."]
    }


def test_an_estimate_is_explained_line_by_line(estimate: Call) -> None:
    seed_catalog(at=AT)
    found = estimate(
        plan="studio",
        addons=["storage_50gb"],
        usage={"droplet_hours": "1500", "spaces_gb_month": 280.5},
        period="2026-07",
    )

    assert (found["plan"], found["version"], found["currency"]) == ("studio", 1, "AUD")
    assert found["period"] == {"start": "2026-07-01", "end": "2026-08-01"}
    amounts = [(line["type"], line["code"], line["amount_cents"]) for line in found["lines"]]
    assert amounts == [
        ("base_fee", "studio", 5000),
        ("addon", "storage_50gb", 750),
        ("usage", "bandwidth_gb", 0),
        ("usage", "dns_zones", 0),
        ("usage", "droplet_hours", 24),
        ("usage", "llm_tokens", 0),
        ("usage", "snapshot_gb_month", 0),
        ("usage", "spaces_gb_month", 0),
        ("tax", "GST", 577),
    ]
    assert (found["subtotal_cents"], found["tax_cents"], found["total_cents"]) == (5774, 577, 6351)
    assert found["warnings"] == []
    droplets = found["lines"][4]
    assert (droplets["used"], droplets["included"], droplets["overage"]) == ("1500", "1488", "12")
    assert (droplets["unit"], droplets["price_cents"], droplets["versions"]) == ("1", "2", ["studio/1"])
    [charge] = droplets["charges"]
    assert charge["text"] == "quantity * price / unit = 12 * 0.02 / 1 = 0.24"
    assert charge["inputs"] == {"quantity": "12", "price": "0.02", "unit": "1"}
    assert [step["source"] for step in found["lines"][7]["basis"][:-1]] == ["studio/1", "storage_50gb"]


def test_what_has_no_price_is_named_in_an_estimate(estimate: Call) -> None:
    seed_catalog(at=AT)
    found = estimate(plan="starter", usage={"llm_tokens": "5", "database_hours": 1}, period="2026-07")

    unpriced = [line["code"] for line in found["lines"] if line["type"] == "unpriced"]
    assert unpriced == ["database_hours", "llm_tokens"]
    assert {(warning["code"], warning["kind"]) for warning in found["warnings"]} == {
        ("unpriced", "database_hours"),
        ("unpriced", "llm_tokens"),
    }


def test_a_price_of_a_part_of_a_cent_is_shown_exactly(estimate: Call) -> None:
    published(stored_plan())
    ResourcePrice.objects.create(
        resource_kind="llm_tokens", price_cents=Decimal("0.0006"), effective_from=date(2026, 1, 1)
    )

    found = estimate(plan="studio", usage={"llm_tokens": "2500000"}, period="2026-07")

    line = found["lines"][1]
    assert (line["price_cents"], line["amount_cents"]) == ("0.0006", 1500)


def test_an_estimate_without_a_period_is_of_the_running_month(estimate: Call) -> None:
    published(stored_plan())
    found = estimate(plan="studio")
    assert found["period"]["start"] == f"{timezone.now():%Y-%m}-01"


@pytest.mark.parametrize(
    ("question", "errors"),
    [
        ({}, {"plan"}),
        ({"plan": "studio", "colour": "red"}, {"colour"}),
        ({"plan": "studio", "usage": {"cpu_hours": "1"}}, {"usage.cpu_hours"}),
        ({"plan": "studio", "usage": {"dns_zones": "-1"}}, {"usage.dns_zones"}),
        ({"plan": "studio", "usage": {"dns_zones": "many"}}, {"usage.dns_zones"}),
        ({"plan": "studio", "usage": {"dns_zones": "NaN"}}, {"usage.dns_zones"}),
        ({"plan": "studio", "usage": {"dns_zones": None}}, {"usage.dns_zones"}),
        ({"plan": "studio", "usage": {"dns_zones": "0.0000001"}}, {"usage.dns_zones"}),
        ({"plan": "studio", "usage": {"dns_zones": "1" * 25}}, {"usage.dns_zones"}),
        ({"plan": "studio", "usage": ["dns_zones"]}, {"usage"}),
        ({"plan": "studio", "period": "2026-13"}, {"period"}),
        ({"plan": "studio", "period": 7}, {"period"}),
        ({"plan": "studio", "addons": "storage_50gb"}, {"addons"}),
        ({"plan": "studio", "addons": ["more", "more"]}, {"addons"}),
        ({"plan": "studio", "addons": ["in_dollars"]}, {"addons"}),
    ],
)
def test_a_wrong_question_is_refused_by_name(
    estimate: Call, question: dict[str, Any], errors: set[str]
) -> None:
    published(stored_plan(), dns_zones=5)
    more = {"name": "More", "resource_kind": "dns_zones", "qty": 5, "price_cents": 100}
    Addon.objects.create(code="more", **more)
    Addon.objects.create(code="in_dollars", currency="USD", **more)

    assert set(estimate(status=400, **question)["errors"]) == errors


def test_who_only_meters_reads_no_catalog(get: Call, estimate: Call) -> None:
    headers = bearer(token_of("metering", tenant="acme"))
    get("plans", headers=headers, status=403)
    get("addons", headers=headers, status=403)
    estimate(plan="studio", headers=headers, status=403)


def test_an_estimate_asks_as_many_queries_for_many_kinds_and_addons_as_for_few(estimate: Call) -> None:
    seed_catalog(at=AT)
    counts = []
    addons = ["storage_50gb", "storage_250gb", "llm_tokens_1m"]
    usage = {"dns_zones": "9", "droplet_hours": "9", "volume_gb_month": "9"}
    for more in ({"addons": addons[:1]}, {"addons": addons, "usage": usage}):
        with CaptureQueriesContext(connection) as queries:
            estimate(plan="studio", **more)
        counts.append(len(queries))

    assert counts == [5, 5]
