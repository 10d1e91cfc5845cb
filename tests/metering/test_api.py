"""The metering API: usage comes in and is read, a deployment's month is quoted; who may do what."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.services import seed_catalog
from deployments.models import Deployment
from metering.models import UsageRecord
from tests.access import bearer, token_of
from tests.deployments.rows import noon, subscribed
from tests.metering.rows import a_deployment

USAGE: Final = "/api/v1/metering/usage"
SUMMARY: Final = "/api/v1/metering/summary"
NOW: Final = datetime(2026, 6, 16, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _june(db: None) -> Iterator[None]:
    seed_catalog(at=noon(1))
    with time_machine.travel(NOW, tick=False):
        yield


def client_of(*roles: str, tenant: str | None = None) -> Client:
    return Client(headers=bearer(token_of(*roles, tenant=tenant)))


def acme() -> Client:
    return client_of("member", tenant="acme")


def post(client: Client, *events: Any, **more: Any) -> Any:
    body = {"source": "gateway", "events": list(events), **more}
    return client.post(USAGE, json.dumps(body), content_type="application/json")


def event(number: int, deployment: int, **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"e-{number}", "deployment": deployment, "kind": "llm_tokens", "quantity": 2,
        "at": "2026-06-15T10:00:00Z", **more,
    }  # fmt: skip


def used(
    deployment: Deployment, day: int, qty: str, kind: str = "droplet_hours", month: int = 6
) -> UsageRecord:
    start = datetime(2026, month, day, tzinfo=UTC)
    return UsageRecord.objects.create(
        deployment=deployment,
        resource_kind=kind,
        period_start=start,
        period_end=start + timedelta(days=1),
        granularity="daily",
        qty=Decimal(qty),
    )


def test_a_sender_posts_and_the_tenant_reads() -> None:
    shop = a_deployment()
    sender = client_of("metering", tenant="acme")
    answer = post(sender, event(1, shop.pk), event(1, shop.pk), event(2, shop.pk, quantity="0.5"))
    assert (answer.status_code, answer.json()) == (200, {"received": 3, "counted": 2, "duplicates": 1})
    [row] = acme().get(USAGE).json()["results"]
    assert {name: value for name, value in row.items() if name != "id"} == {
        "deployment": shop.pk, "resource": None, "kind": "llm_tokens",
        "period_start": "2026-06-15T00:00:00Z", "period_end": "2026-06-16T00:00:00Z",
        "granularity": "daily", "qty": "2.5", "sub_account": "",
    }  # fmt: skip
    usage = acme().get(f"/api/v1/deployments/{shop.pk}/usage").json()
    assert usage == {
        "deployment": shop.pk, "period": {"start": "2026-06-01", "end": "2026-06-17"},
        "usage": [{"kind": "llm_tokens", "qty": "2.5"}], "bandwidth_coverage": None,
    }  # fmt: skip


def test_who_may_send_and_for_whom() -> None:
    shop, wiki = a_deployment(), a_deployment("wiki", "globex")
    assert post(acme(), event(1, shop.pk)).status_code == 403
    assert post(client_of("member"), event(1, shop.pk)).status_code == 403
    refused = post(client_of("metering", tenant="acme"), event(1, wiki.pk))
    assert refused.status_code == 400
    assert refused.json()["errors"] == {"events.0.deployment": ["There is no such deployment."]}
    for sender in (client_of("metering"), client_of("platform_admin"), client_of("metering", "member")):
        assert post(sender, event(2, wiki.pk)).status_code == 200
    assert client_of("metering", tenant="acme").get(USAGE).status_code == 403


def test_a_quantity_may_be_a_number_with_a_fraction() -> None:
    shop = a_deployment()
    counted = post(client_of("metering"), event(1, shop.pk, quantity=2.5), event(2, shop.pk, quantity="0.25"))
    assert (counted.status_code, counted.json()["counted"]) == (200, 2)
    assert UsageRecord.objects.get().qty == Decimal("2.75")


def test_what_is_wrong_with_a_batch_is_named() -> None:
    shop = a_deployment()
    sender = client_of("metering")
    bad = post(sender, event(1, shop.pk), event(2, shop.pk, quantity=-1))
    assert (bad.status_code, bad.json()["type"]) == (400, "urn:arcadia-cloud:problem:invalid_usage")
    assert bad.json()["errors"] == {"events.1.quantity": ["May not be negative."]}
    assert list(post(sender, event(1, shop.pk), colour="red").json()["errors"]) == ["colour"]
    reading = {**event(3, shop.pk), "reading": "10", "sequence": 1}
    del reading["quantity"]
    assert post(sender, reading).status_code == 200
    late = post(sender, {**reading, "event_id": "late"})
    assert (late.status_code, late.json()["type"]) == (409, "urn:arcadia-cloud:problem:usage_refused")
    assert list(late.json()["errors"]) == ["events.0.sequence"]
    assert UsageRecord.objects.count() == 0


def test_a_body_of_more_than_ten_megabytes_is_too_large() -> None:
    answer = client_of("metering").post(USAGE, b" " * 10_500_000, content_type="application/json")
    assert answer.status_code == 413


def test_usage_is_filtered_by_deployment_kind_granularity_and_days() -> None:
    shop, wiki, foreign = a_deployment(), a_deployment("wiki"), a_deployment("x", "globex")
    rows = [used(shop, 3, "24"), used(shop, 4, "24"), used(shop, 4, "5", "dns_zones"), used(wiki, 4, "24")]
    used(foreign, 4, "24")
    old = used(shop, 4, "24", month=4)

    def ids(**query: Any) -> list[int]:
        return [row["id"] for row in acme().get(USAGE, query).json()["results"]]

    first, second, zone, other = (row.pk for row in rows)
    assert ids() == [other, zone, second, first], "since the first of last month"
    assert ids(**{"from": "2026-01-01"})[0] == old.pk
    assert ids(deployment=wiki.pk) == [other]
    assert ids(deployment=foreign.pk) == []
    assert ids(kind="dns_zones") == [zone]
    assert ids(granularity="hourly") == []
    assert ids(**{"from": "2026-06-04", "to": "2026-06-05", "kind": "droplet_hours"}) == [other, second]
    operator = client_of("platform_admin")
    assert len(operator.get(USAGE).json()["results"]) == 5
    assert len(operator.get(USAGE, {"tenant": "globex"}).json()["results"]) == 1
    for query in ({"to": "2026-06-04", "from": "2026-06-04"}, {"from": "4 June"}, {"tenant": "globex"}):
        assert acme().get(USAGE, query).status_code == 400


def test_the_summary_sums_by_day_and_kind() -> None:
    shop, wiki = a_deployment(), a_deployment("wiki")
    used(shop, 3, "24"), used(wiki, 3, "12.5"), used(shop, 5, "0.25", "dns_zones")
    used(a_deployment("x", "globex"), 3, "99")
    found = acme().get(SUMMARY).json()
    assert found == {
        "period": {"start": "2026-06-01", "end": "2026-06-17"},
        "days": [
            {"day": "2026-06-03", "kind": "droplet_hours", "qty": "36.5"},
            {"day": "2026-06-05", "kind": "dns_zones", "qty": "0.25"},
        ],
    }
    assert len(acme().get(SUMMARY, {"deployment": wiki.pk}).json()["days"]) == 1
    assert (
        acme().get(SUMMARY, {"kind": "dns_zones", "from": "2026-06-01", "to": "2026-06-05"}).json()["days"]
        == []
    )
    assert list(acme().get(SUMMARY, {"kind": "tea"}).json()["errors"]) == ["kind"]
    too_long = acme().get(SUMMARY, {"from": "2024-01-01", "to": "2026-01-01"})
    assert too_long.json()["errors"] == {"to": ["Must be within 366 days of `from`."]}


def test_a_running_month_is_quoted_so_far_and_as_a_forecast() -> None:
    shop = subscribed().deployment
    for day in range(1, 16):
        used(shop, day, "60")  # 1,800 hours a month: 312 over the 1,488 of Studio
    address = f"/api/v1/deployments/{shop.pk}/quote"
    found = acme().get(address).json()
    assert (found["plan"], found["version"], found["is_final"]) == ("studio", 1, False)
    [line] = [line for line in found["quote"]["lines"] if line["code"] == "droplet_hours"]
    assert (line["used"], line["overage"], line["amount_cents"]) == ("900", "0", 0)
    [line] = [line for line in found["forecast"]["lines"] if line["code"] == "droplet_hours"]
    assert (line["used"], line["overage"], line["amount_cents"]) == ("1800", "312", 624)
    used(shop, 16, "200")
    [line] = [
        line for line in acme().get(address).json()["forecast"]["lines"] if line["code"] == "droplet_hours"
    ]
    assert line["used"] == "1800", "today is one of the days that are left"


def test_a_month_that_is_over_is_final_and_one_to_come_is_refused() -> None:
    shop = subscribed(at=noon(1, month=5)).deployment
    used(shop, 31, "24", month=5)
    address = f"/api/v1/deployments/{shop.pk}/quote"
    found = acme().get(address, {"period": "2026-05"}).json()
    assert (found["is_final"], found["forecast"]) == (True, None)
    assert found["quote"]["period"] == {"start": "2026-05-01", "end": "2026-06-01"}
    for period in ("2026-07", "June"):
        assert list(acme().get(address, {"period": period}).json()["errors"]) == ["period"]
    never = acme().get(f"/api/v1/deployments/{a_deployment('wiki').pk}/quote")
    assert (never.status_code, never.json()["type"]) == (409, "urn:arcadia-cloud:problem:not_subscribed")
    assert client_of("member", tenant="globex").get(address).status_code == 404


@pytest.mark.parametrize("address", [USAGE, SUMMARY, "{deployment}/usage", "{deployment}/quote"])
def test_answers_cost_as_many_queries_for_much_usage_as_for_little(address: str) -> None:
    shop = subscribed().deployment
    address = address.replace("{deployment}", f"/api/v1/deployments/{shop.pk}")
    counts = []
    for kind in ("droplet_hours", "dns_zones", "llm_tokens"):
        for day in range(1, 8):
            used(shop, day, "1", kind)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert acme().get(address).status_code == 200
        counts.append(len(queries))
    assert len(set(counts)) == 1, counts


def test_a_forecast_before_any_charged_day_is_over_is_none() -> None:
    shop = subscribed(at=NOW).deployment
    assert shop.created_at.date() >= date(2026, 6, 16)
    assert acme().get(f"/api/v1/deployments/{shop.pk}/quote").json()["forecast"] is None
