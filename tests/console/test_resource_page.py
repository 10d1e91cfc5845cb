"""The page of one resource: what it is, whose, and what happened to it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inventory.models import Resource
from inventory.values import Kind
from tests.inventory.observations import a_project, minute, observed, seen

RESOURCES = "/admin/inventory/resource/"


def test_a_resource_tells_what_it_is_whose_and_what_happened(viewer: Client) -> None:
    acme = a_project("acme", tenant_id="acme")
    attrs = {"memory_mb": 1024, "gpu": None}
    observed(seen("4711", project_id=acme.pk, attrs=attrs))
    observed(seen("4711", project_id=acme.pk, attrs=attrs, monthly_price_cents=1250), at=minute(5))
    resource = Resource.objects.get()

    text = viewer.get(f"{RESOURCES}{resource.pk}/change/").content.decode()

    assert "by its project&#x27;s tenant" in text
    assert "$12.50" in text
    assert "<del>$6.00</del>" in text
    assert "<dt>memory mb</dt>" in text
    assert "<dt>gpu</dt>" not in text
    assert (
        'href="https://cloud.digitalocean.com/droplets/4711" target="_blank" rel="noopener noreferrer"'
        in text
    )


def test_a_long_history_shows_its_newest_fifty_and_leads_to_the_rest(viewer: Client) -> None:
    for number in range(55):
        observed(seen(status=f"status-{number}"), at=minute(number))
    resource = Resource.objects.get()

    text = viewer.get(f"{RESOURCES}{resource.pk}/change/").content.decode()
    all_of_it = viewer.get(f"/admin/inventory/resourceevent/?resource={resource.pk}")

    assert text.count("<ins>status-") == 50
    assert f"/admin/inventory/resourceevent/?resource={resource.pk}" in text
    assert all_of_it.context["cl"].result_count == 55


def test_a_snapshot_leads_to_the_list_of_what_it_was_taken_of(viewer: Client) -> None:
    for parent in ("droplet", "volume"):
        observed(seen(parent, parent_kind=parent, parent_id="1"), kind=Kind.SNAPSHOT)
        row = Resource.objects.get(provider_id=parent)

        text = viewer.get(f"{RESOURCES}{row.pk}/change/").content.decode()

        assert f'href="https://cloud.digitalocean.com/images/snapshots/{parent}s"' in text


@pytest.mark.parametrize("number", ["x", "-1", "9" * 18, "9" * 19, "9" * 5000, "²"])
def test_a_number_that_no_resource_has_finds_no_history(viewer: Client, number: str) -> None:
    observed(seen())

    page = viewer.get("/admin/inventory/resourceevent/", {"resource": number})

    assert page.context["cl"].result_count == 0


def test_what_a_resource_has_many_of_stands_line_by_line(viewer: Client) -> None:
    records = [{"ttl": 60, "data": "192.0.2.1", "name": "@", "type": "A"}, {"name": "www", "type": "AAAA"}]
    observed(seen("a.example", status="", attrs={"records": records, "empty": []}), kind=Kind.DNS_ZONE)

    text = viewer.get(f"{RESOURCES}{Resource.objects.get().pk}/change/").content.decode()

    assert "<div>type A, name @, data 192.0.2.1, ttl 60</div><div>type AAAA, name www</div>" in text
    assert "<dt>empty</dt>" not in text


@pytest.mark.parametrize(
    ("kind", "attrs", "named"),
    [
        (Kind.RESERVED_IP, {"droplet_id": "4711"}, {("droplet", Kind.DROPLET, "4711")}),
        (
            Kind.LOAD_BALANCER,
            {"droplet_ids": ["4711", "4712"], "vpc_uuid": "vpc-1"},
            {
                ("droplets", Kind.DROPLET, "4711"),
                ("droplets", Kind.DROPLET, "4712"),
                ("vpc", Kind.VPC, "vpc-1"),
            },
        ),
        (Kind.SNAPSHOT, {"volume_id": "vol-1"}, {("volume", Kind.VOLUME, "vol-1")}),
        (Kind.RESERVED_IP, {"droplet_id": None}, set()),
    ],
)
def test_resources_that_a_resource_names_are_links_by_their_names(
    viewer: Client,
    kind: Kind,
    attrs: dict[str, object],
    named: set[tuple[str, Kind, str]],
) -> None:
    observed(seen("one", attrs=attrs), kind=kind)
    for _, of_kind, key in named:
        observed(seen(key, name=f"name-of-{key}"), kind=of_kind)
        observed(seen(key, name="another"), kind=Kind.CDN_ENDPOINT)  # the same id in another kind

    with CaptureQueriesContext(connection) as captured:
        text = viewer.get(f"{RESOURCES}{Resource.objects.get(kind=kind).pk}/change/").content.decode()

    for label, of_kind, key in named:
        pk = Resource.objects.get(kind=of_kind, provider_id=key).pk
        assert f"<dt>{label}</dt>" in text
        assert f'<a class="text-link" href="{RESOURCES}{pk}/change/">name-of-{key}</a>' in text
    assert sum('provider_id" IN' in query["sql"] for query in captured) == (1 if named else 0)


def test_a_resource_that_is_not_in_the_inventory_is_named_by_its_id(viewer: Client) -> None:
    observed(seen("192.0.2.7", attrs={"droplet_id": "4711"}), kind=Kind.RESERVED_IP)

    text = viewer.get(f"{RESOURCES}{Resource.objects.get().pk}/change/").content.decode()

    assert "<dt>droplet</dt>" in text
    assert "<div>4711</div>" in text


def test_only_of_the_unattributed_the_page_has_the_reason(viewer: Client) -> None:
    acme = a_project("acme", tenant_id="acme")
    observed(seen("1", project_id=acme.pk), seen("2"))

    attributed, unattributed = (
        viewer.get(f"{RESOURCES}{Resource.objects.get(provider_id=key).pk}/change/").content.decode()
        for key in ("1", "2")
    )

    assert "Why unattributed" not in attributed
    assert "Why unattributed" in unattributed
