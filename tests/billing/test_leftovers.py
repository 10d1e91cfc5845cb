"""Leftovers: what costs without being of use, each reason, its price, and its clean-up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from billing.queries import (
    LeftoverFilter,
    LeftoverPlace,
    LeftoverReason,
    LeftoverTotal,
    list_leftovers,
    sum_leftovers,
)
from inventory.models import Project, Resource
from inventory.values import OPERATORS_PROJECT, Kind
from tests.access import bearer, token_of
from tests.billing.rows import a_resource
from tests.billing.spans import give_spans
from tests.billing.test_cost_checks import BIRTH, a_price

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 1, tzinfo=UTC)
ADDRESS = "/api/v1/costs/leftovers"
OPERATOR = bearer(token_of("platform_admin"))


def owned(name: str, *, kind: str, span: dict[str, Any] | None = None, **fields: Any) -> Resource:
    """A resource of tenant a, with one span since its birth."""
    resource = a_resource(name, kind=kind, **{"tenant_id": "a", "attributed_by": "operator", **fields})
    give_spans(resource, [(BIRTH, None, span or {})])
    return resource


def a_volume(name: str = "data", size: int | None = 100, **fields: Any) -> Resource:
    attrs = {"droplet_ids": fields.pop("droplet_ids", [])}
    return owned(name, kind="volume", span={"size_gb": size}, attrs=attrs, **fields)


def price_volumes() -> None:
    a_price("volume", "0.10", unit="gib_month")


def found(**only: Any) -> list[tuple[str, list[str], str | None]]:
    return [
        (each.name, list(each.reasons), None if each.monthly is None else str(each.monthly))
        for each in list_leftovers(at=AT, **only)
    ]


def test_a_volume_of_100_gib_unattached_is_10_dollars_a_month() -> None:
    price_volumes()
    a_volume()
    a_volume("in-use", droplet_ids=["4711"])
    a_volume("gone", deleted_at=AT)
    assert found() == [("data", ["unattached"], "10.00")]
    assert sum_leftovers(at=AT) == LeftoverTotal(count=1, monthly=Decimal("10.00"), unpriced=0)


def test_a_reserved_ip_costs_without_a_droplet_and_is_free_with_one() -> None:
    a_price("reserved_ip", "0", sku="assigned")
    a_price("reserved_ip", "5", sku="unassigned")
    owned("1.2.3.4", kind="reserved_ip", attrs={"droplet_id": None}, span={"sku": "unassigned"})
    owned("1.2.3.5", kind="reserved_ip", attrs={"droplet_id": "4711"}, span={"sku": "assigned"})
    a_resource("1.2.3.6", kind="reserved_ip", attrs={"droplet_id": "4711"})
    give_spans(Resource.objects.get(name="1.2.3.6"), [(BIRTH, None, {"sku": "assigned"})])
    assert found() == [("1.2.3.4", ["unassigned"], "5.00")]


def test_copies_are_left_over_once_what_they_were_taken_of_is_gone() -> None:
    a_price("snapshot", "0.06", unit="gib_month")
    owned("web", kind="droplet", provider_id="1")
    owned("gone", kind="droplet", provider_id="2", deleted_at=AT)
    for parent in ("1", "2", "3"):
        of: dict[str, Any] = {"parent_kind": "droplet", "parent_id": parent, "span": {"size_gb": 50}}
        owned(f"snapshot of {parent}", kind="snapshot", **of)
        owned(f"backup of {parent}", kind="droplet_backup", **of)
    owned("snapshot of an unknown thing", kind="snapshot", span={"size_gb": 50})
    gone = ["source_gone"]
    # Backups have no price of their own: they come last, and are in no sum.
    assert found() == [
        ("snapshot of 2", gone, "3.00"),
        ("snapshot of 3", gone, "3.00"),
        ("backup of 2", gone, None),
        ("backup of 3", gone, None),
    ]
    assert sum_leftovers(at=AT) == LeftoverTotal(count=4, monthly=Decimal("6.00"), unpriced=2)


@pytest.mark.parametrize(
    ("ran_until", "is_left"),
    [(AT - timedelta(days=14, seconds=1), True), (AT - timedelta(days=14), False), (None, False)],
)
def test_a_droplet_is_left_over_when_it_is_off_for_more_than_14_days(
    ran_until: datetime | None, is_left: bool
) -> None:
    a_price(sku="s")
    droplet = a_resource(
        "web", tenant_id="a", attributed_by="operator", status="off" if ran_until else "active"
    )
    stretches: list[Any] = [(BIRTH, ran_until, {"sku": "s"})]
    if ran_until:
        # It was resized while it was off: off since it last ran, whatever began a span in between.
        middle = ran_until + timedelta(days=7)
        stretches += [(ran_until, middle, {"sku": "xl", "active": False})]
        stretches += [(middle, None, {"sku": "s", "active": False})]
    give_spans(droplet, stretches)
    assert found() == ([("web", ["switched_off"], "24.00")] if is_left else [])
    assert [each.off_since for each in list_leftovers(at=AT)] == ([ran_until] if is_left else [])


def test_a_droplet_that_never_ran_is_off_since_it_is_known() -> None:
    a_price(sku="s")
    owned("web", kind="droplet", status="off", span={"sku": "s", "active": False})
    assert [each.off_since for each in list_leftovers(at=AT)] == [BIRTH]


def test_a_load_balancer_is_left_over_when_it_serves_no_droplet() -> None:
    a_price("load_balancer", "12", sku="node")
    owned("web", kind="droplet", tags=["Role:Web"])
    two = {"sku": "node x2"}
    owned("none", kind="load_balancer", attrs={"droplet_ids": []}, span=two)
    owned("by id", kind="load_balancer", attrs={"droplet_ids": ["1"]}, span=two)
    owned("by tag", kind="load_balancer", attrs={"droplet_ids": []}, tags=["role:web"], span=two)
    owned("tag of none", kind="load_balancer", attrs={"droplet_ids": []}, tags=["role:db"], span=two)
    assert found() == [("none", ["no_targets"], "24.00"), ("tag of none", ["no_targets"], "24.00")]


def test_what_nobody_owns_is_left_over_but_for_the_operators_own_and_what_is_free() -> None:
    a_price(sku="s")
    a_price("firewall", "0")
    born = {"first_seen_at": BIRTH, "last_seen_at": AT}
    ours = Project.objects.create(provider_id="p", name=OPERATORS_PROJECT, **born)
    unowned: dict[str, Any] = {"tenant_id": None, "attributed_by": ""}
    owned("stray", kind="droplet", span={"sku": "s"}, **unowned)
    owned("ours", kind="droplet", span={"sku": "s"}, project=ours, **unowned)
    owned("wall", kind="firewall", **unowned)
    assert found() == [("stray", ["unattributed"], "24.00")]


def test_a_resource_with_two_reasons_is_one_leftover_and_counted_once() -> None:
    price_volumes()
    a_volume("both", tenant_id=None, attributed_by="")
    a_volume("one", size=50)
    assert found() == [("both", ["unattached", "unattributed"], "10.00"), ("one", ["unattached"], "5.00")]
    assert sum_leftovers(at=AT).monthly == Decimal("15.00")
    of_reason = LeftoverFilter(reason=LeftoverReason.UNATTRIBUTED)
    assert [name for name, *_ in found(only=of_reason)] == ["both"]
    assert sum_leftovers(at=AT, only=of_reason).monthly == Decimal("10.00")
    assert found(only=LeftoverFilter(kind=Kind.DROPLET)) == []


def test_what_has_no_price_or_no_known_size_is_counted_and_in_no_sum() -> None:
    a_volume("data")
    assert found() == [("data", ["unattached"], None)]
    price_volumes()
    a_volume("odd", size=None)
    assert found() == [("data", ["unattached"], "10.00"), ("odd", ["unattached"], None)]
    assert sum_leftovers(at=AT).unpriced == 1


def test_prices_are_those_of_the_day() -> None:
    a_price("volume", "0.10", unit="gib_month", effective_to=AT.date())
    a_price("volume", "0.20", unit="gib_month", monthly_cap=None, effective_from=AT.date())
    a_volume()
    assert found() == [("data", ["unattached"], "20.00")]
    (before,) = list_leftovers(at=AT - timedelta(seconds=1))
    assert before.monthly == Decimal("10.00")


def test_pages_follow_each_other_without_a_row_twice_or_left_out() -> None:
    price_volumes()
    for number in range(5):
        a_volume(f"v{number}", size=None if number > 2 else 10)
    pages = []
    place = None
    while page := list_leftovers(at=AT, beyond=place, limit=2):
        pages.append([each.name for each in page])
        place = LeftoverPlace(page[-1].monthly, page[-1].resource_id)
    assert pages == [["v0", "v1"], ["v2", "v3"], ["v4"]]
    assert place is not None
    place = LeftoverPlace(place.monthly, place.resource_id, backward=True)
    assert [each.name for each in list_leftovers(at=AT, beyond=place, limit=2)] == ["v2", "v3"]


def test_only_what_is_surely_of_no_use_has_a_clean_up() -> None:
    volume = a_volume("unused")
    a_volume("in-use", droplet_ids=["1"], tenant_id=None, attributed_by="")
    owned("balancer", kind="load_balancer", attrs={"droplet_ids": []})
    by_name = {each.name: each.clean_up for each in list_leftovers(at=AT)}
    assert by_name["balancer"] is None
    assert by_name["in-use"] is None
    assert by_name["unused"] is not None
    assert (by_name["unused"].workflow, by_name["unused"].inputs) == (
        "delete_volume", {"volume_id": volume.provider_id},
    )  # fmt: skip


def test_the_api_pages_and_filters_for_operators_alone(client: Client) -> None:
    price_volumes()
    a_volume("large", size=200)
    a_volume("small", size=10)
    a_volume("odd", size=None)
    first = client.get(ADDRESS, {"limit": "2"}, headers=OPERATOR).json()
    assert [(row["name"], row["monthly"], row["reasons"]) for row in first["results"]] == [
        ("large", "20.00", ["unattached"]),
        ("small", "1.00", ["unattached"]),
    ]
    assert first["results"][0]["clean_up"] == "delete_volume"
    assert first["total"] == {"count": 3, "monthly": "21.00", "unpriced": 1}
    second = client.get(first["next"], headers=OPERATOR).json()
    assert [(row["name"], row["monthly"]) for row in second["results"]] == [("odd", None)]
    assert second["next"] is None
    assert first["previous"] is None
    back = client.get(second["previous"], headers=OPERATOR).json()
    assert back["results"] == first["results"]
    assert (back["next"], back["previous"]) == (first["next"], None)
    narrowed = client.get(ADDRESS, {"reason": "unassigned", "kind": "volume"}, headers=OPERATOR).json()
    assert (narrowed["results"], narrowed["total"]["count"]) == ([], 0)
    for name in ("reason", "kind", "cursor"):
        refused = client.get(ADDRESS, {name: "nonsense"}, headers=OPERATOR)
        assert (refused.status_code, list(refused.json()["errors"])) == (400, [name])
    assert client.get(ADDRESS, headers=bearer(token_of(tenant="a"))).status_code == 403
    assert client.get(ADDRESS).status_code == 401


def test_the_api_takes_as_many_queries_for_many_as_for_one(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    price_volumes()
    for number in range(30):
        a_volume(f"v{number}")
    with django_assert_max_num_queries(2):
        client.get(ADDRESS, headers=OPERATOR)
