"""Skus: what a resource was sold as, at any time of its life, of the past before they were kept too."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from arcadia_cloud.digitalocean.records import DatabaseRecord, LoadBalancerRecord
from inventory.attribution.assign import assign
from inventory.kinds.database import DATABASE
from inventory.kinds.load_balancer import LOAD_BALANCER
from inventory.models import ResourceSpan
from inventory.values import Kind
from tests.inventory.observations import minute, observed, seen, the_resource

pytestmark = pytest.mark.django_db


def skus(provider_id: str = "1") -> list[tuple[Any, Any, str | None]]:
    """From, to, and what it was sold as."""
    spans = ResourceSpan.objects.filter(resource__provider_id=provider_id).order_by("during")
    return [(span.during.lower, span.during.upper, span.sku) for span in spans]


def migrate() -> None:
    """Fill the skus as the migration does."""
    migration = import_module("inventory.migrations.0016_fill_the_sku_of_spans")
    with connection.schema_editor(atomic=False) as editor:
        migration.fill_skus(apps, editor)


def look(minutes: float, kind: Kind = Kind.DROPLET, provider_id: str = "1", **fields: Any) -> None:
    observed(seen(provider_id, **fields), at=minute(minutes), kind=kind)


@pytest.mark.parametrize(
    ("size", "size_unit", "sku"),
    [("lb-small", None, "lb-small"), ("", 3, "node x3"), ("lb-small", 1, "node x1"), ("", None, None)],
)
def test_a_load_balancer_is_sold_by_its_nodes_or_by_an_older_size(
    size: str, size_unit: int | None, sku: str | None
) -> None:
    record = LoadBalancerRecord(id="1", name="front", size=size, size_unit=size_unit)
    assert LOAD_BALANCER.to_observation(record).sku == sku


def test_a_database_is_sold_by_size_and_number_of_nodes() -> None:
    record = DatabaseRecord(
        id="1", name="main", engine="pg", size="db-s-1vcpu-1gb", num_nodes=2, region="fra1"
    )
    assert DATABASE.to_observation(record).sku == "db-s-1vcpu-1gb x2"


def test_history_tells_what_a_droplet_was_sold_as_before_skus_were_kept() -> None:
    """Resized while off, its span had an end there anyway; resized by others while on, its span is cut."""
    look(0, attrs={"size_slug": "small"})
    look(5, attrs={"size_slug": "small"}, status="off", active=False)
    look(7, attrs={"size_slug": "middle"}, status="off", active=False)
    look(9, attrs={"size_slug": "middle"})
    look(20, attrs={"size_slug": "large"})
    look(30, name="renamed", attrs={"size_slug": "large"})
    look(0, provider_id="2", attrs={"size_slug": "small"})
    expected = [
        (minute(-60), minute(5), "small"),
        (minute(5), minute(7), "small"),
        (minute(7), minute(9), "middle"),
        (minute(9), minute(20), "middle"),
        (minute(20), None, "large"),
    ]
    migrate()
    assert skus() == expected
    assert skus("2") == [(minute(-60), None, "small")]
    migrate()
    assert skus() == expected, "a second run changes nothing"


def test_history_tells_of_sizes_and_numbers_of_nodes_and_leaves_other_kinds_alone() -> None:
    look(0, Kind.DATABASE, attrs={"size_slug": "db-small", "num_nodes": 1})
    look(5, Kind.DATABASE, attrs={"size_slug": "db-small", "num_nodes": 2})
    look(9, Kind.DATABASE, attrs={"size_slug": "db-large", "num_nodes": 2})
    look(0, Kind.LOAD_BALANCER, "2", attrs={"size": "lb-small", "size_unit": None})
    look(5, Kind.LOAD_BALANCER, "2", attrs={"size": "", "size_unit": 2})
    look(0, Kind.VOLUME, "3", attrs={"size": "10"})
    look(0, Kind.RESERVED_IP, "4", attrs={}, status="assigned")
    look(5, Kind.RESERVED_IP, "4", attrs={}, status="unassigned")
    migrate()
    assert skus() == [
        (minute(-60), minute(5), "db-small x1"),
        (minute(5), minute(9), "db-small x2"),
        (minute(9), None, "db-large x2"),
    ]
    assert skus("2") == [(minute(-60), minute(5), "lb-small"), (minute(5), None, "node x2")]
    assert skus("3") == [(minute(-60), None, None)]
    assert skus("4") == [(minute(-60), minute(5), "assigned"), (minute(5), None, "unassigned")]


def test_owners_and_activity_of_what_is_cut_stay_as_they_were() -> None:
    look(0, attrs={"size_slug": "small"}, tenant_id="acme")
    look(5, attrs={"size_slug": "large"}, tenant_id="acme")
    migrate()
    spans = ResourceSpan.objects.order_by("during").values_list("tenant_id", "active", "sku")
    assert list(spans) == [("acme", True, "small"), ("acme", True, "large")]


def sold_as(size_slug: str) -> dict[str, Any]:
    """Its size, as an attr and as what it is sold as."""
    return {"sku": size_slug, "attrs": {"size_slug": size_slug}}


def test_another_sku_begins_a_span() -> None:
    """A resize of a database switches nothing off."""
    small, large = sold_as("s-1vcpu-1gb"), sold_as("s-2vcpu-4gb")
    observed(seen(**small))
    observed(seen(**small), at=minute(4))
    observed(seen(**large), at=minute(5))
    assert skus() == [
        (minute(-60), minute(5), "s-1vcpu-1gb"),
        (minute(5), None, "s-2vcpu-4gb"),
    ]
    observed(seen(**small), at=minute(5))
    assert [sku for _, _, sku in skus()] == ["s-1vcpu-1gb", "s-1vcpu-1gb"], "corrected in place"


def test_a_new_owners_span_is_of_the_same_sku() -> None:
    observed(seen(**sold_as("s-1vcpu-1gb")))
    assign(
        resource_pks=[the_resource().pk],
        tenant_id="acme",
        deployment_pk=None,
        actor="a test",
        source="a test",
    )
    assert [sku for _, _, sku in skus()] == ["s-1vcpu-1gb", "s-1vcpu-1gb"]
