"""The one upsert path: the rows and the events that a batch of observations writes."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from deployments.models import Deployment
from inventory.kinds.spec import sorted_json
from inventory.models import Project, Resource, ResourceEvent
from inventory.observation.observe import ObservationCounts
from inventory.values import Kind
from tests.inventory.observations import (
    a_project,
    history,
    last_changes,
    minute,
    observed,
    seen,
    the_resource,
    tombstone,
)

pytestmark = pytest.mark.django_db


def test_a_resource_never_seen_is_discovered() -> None:
    assert observed(seen()) == ObservationCounts(seen=1, discovered=1)
    row = the_resource()
    assert (row.name, row.region, row.status, row.tags) == ("web-1", "fra1", "active", ["env:test"])
    assert (row.urn, row.monthly_price_cents) == ("do:droplet:1", 600)
    assert row.attrs == {"size_slug": "s-1vcpu-1gb", "locked": False}
    assert row.first_seen_at == row.last_seen_at == minute(0)
    assert row.provider_created_at == minute(-60)
    event = ResourceEvent.objects.get()
    assert (event.event_type, event.changes, event.at) == ("discovered", {}, minute(0))
    assert (event.actor, event.source) == ("a test", "run:1")


def test_an_unchanged_resource_is_bumped_and_writes_no_event() -> None:
    observed(seen())
    Resource.objects.update(stale_strike_count=2)
    assert observed(seen(), at=minute(5)) == ObservationCounts(seen=1)
    row = the_resource()
    assert (row.first_seen_at, row.last_seen_at) == (minute(0), minute(5))
    assert row.stale_strike_count == 0
    assert history() == ["discovered"]


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({"name": "db-1"}, {"name": ["web-1", "db-1"]}),
        ({"status": "off", "active": False}, {"status": ["active", "off"]}),
        ({"region": "ams3"}, {"region": ["fra1", "ams3"]}),
        ({"urn": "do:droplet:one"}, {"urn": ["do:droplet:1", "do:droplet:one"]}),
        ({"monthly_price_cents": 700}, {"monthly_price_cents": [600, 700]}),
        ({"monthly_price_cents": None}, {"monthly_price_cents": [600, None]}),
        (
            {"attrs": {"size_slug": "s-2vcpu-2gb", "locked": False}},
            {"size_slug": ["s-1vcpu-1gb", "s-2vcpu-2gb"]},
        ),
        (
            {"attrs": {"size_slug": "s-1vcpu-1gb", "locked": False, "gpu": {"count": 1}}},
            {"gpu": [None, {"count": 1}]},
        ),
        ({"attrs": {"locked": False}}, {"size_slug": ["s-1vcpu-1gb", None]}),
        (
            {"name": "db-1", "tags": ["env:live"]},
            {"name": ["web-1", "db-1"], "tags": [["env:test"], ["env:live"]]},
        ),
    ],
)
def test_a_changed_resource_is_updated_and_tells_old_and_new(
    fields: dict[str, Any], changes: dict[str, Any]
) -> None:
    observed(seen())
    assert observed(seen(**fields), at=minute(5)) == ObservationCounts(seen=1, updated=1)
    assert history() == ["discovered", "updated"]
    assert last_changes() == changes


def test_a_change_of_nothing_but_tags_is_tagged() -> None:
    observed(seen())
    assert observed(seen(tags=["env:test", "hot"]), at=minute(5)) == ObservationCounts(seen=1, updated=1)
    assert history() == ["discovered", "tagged"]
    assert last_changes() == {"tags": [["env:test"], ["env:test", "hot"]]}


def test_what_moves_by_itself_is_stored_and_makes_no_event() -> None:
    observed(seen())
    assert observed(
        seen(attrs={"size_slug": "s-1vcpu-1gb", "locked": True}), at=minute(5)
    ) == ObservationCounts(seen=1)
    assert the_resource().attrs["locked"] is True
    assert history() == ["discovered"]


def test_what_moves_by_itself_is_not_told_beside_a_real_change() -> None:
    observed(seen())
    observed(seen(status="off", attrs={"size_slug": "s-1vcpu-1gb", "locked": True}), at=minute(5))
    assert last_changes() == {"status": ["active", "off"]}


def test_a_tombstoned_resource_seen_again_is_restored_with_what_changed() -> None:
    observed(seen())
    tombstone(["1"], at=minute(10))
    assert observed(seen(name="back"), at=minute(20)) == ObservationCounts(seen=1, restored=1)
    row = the_resource()
    assert (row.deleted_at, row.stale_strike_count, row.last_seen_at) == (None, 0, minute(20))
    assert history() == ["discovered", "deleted", "restored"]
    assert last_changes() == {"name": ["web-1", "back"]}


@pytest.mark.parametrize("late", [5, 10])
def test_what_was_seen_before_the_tombstone_does_not_restore(late: int) -> None:
    observed(seen())
    tombstone(["1"], at=minute(10))
    assert observed(seen(), at=minute(late)) == ObservationCounts(seen=1)
    assert the_resource().deleted_at == minute(10)
    assert history() == ["discovered", "deleted"]


def test_an_older_look_changes_nothing() -> None:
    observed(seen(name="new"), at=minute(10))
    assert observed(seen(name="old"), at=minute(9)) == ObservationCounts(seen=1)
    row = the_resource()
    assert (row.name, row.last_seen_at) == ("new", minute(10))
    assert history() == ["discovered"]


def test_a_batch_given_twice_is_told_once() -> None:
    batch = [seen(str(number)) for number in range(20)]
    assert observed(*batch).discovered == 20
    assert observed(*batch) == ObservationCounts(seen=20)
    assert ResourceEvent.objects.count() == 20


def test_an_item_that_a_page_repeats_counts_once_and_its_last_look_is_kept() -> None:
    assert observed(seen(name="first"), seen("2"), seen(name="last")) == ObservationCounts(
        seen=2, discovered=2
    )
    assert the_resource().name == "last"
    assert history() == ["discovered"]


def test_an_empty_batch_asks_the_database_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert observed() == ObservationCounts()


@pytest.mark.parametrize("size", [10, 1000])
@pytest.mark.parametrize(("fields", "statements"), [({}, 1), ({"status": "off", "active": False}, 3)])
def test_a_batch_costs_the_same_number_of_statements_whatever_its_size(
    django_assert_num_queries: DjangoAssertNumQueries, size: int, fields: dict[str, Any], statements: int
) -> None:
    observed(*(seen(str(number)) for number in range(size)))
    savepoints = 2  # of the test's own transaction
    with django_assert_num_queries(statements + savepoints):
        observed(*(seen(str(number), **fields) for number in range(size)), at=minute(5))


def test_a_resource_never_seen_among_known_ones_is_discovered_and_the_known_are_bumped() -> None:
    observed(seen("1"), seen("2"))
    assert observed(seen("1"), seen("2", name="db-2"), seen("3"), at=minute(5)) == ObservationCounts(
        seen=3, discovered=1, updated=1
    )
    assert set(Resource.objects.values_list("last_seen_at", flat=True)) == {minute(5)}
    assert (history("1"), history("2"), history("3")) == (
        ["discovered"],
        ["discovered", "updated"],
        ["discovered"],
    )


def test_an_older_look_at_an_unchanged_resource_sets_no_clock_back() -> None:
    observed(seen(), at=minute(10))
    assert observed(seen(), at=minute(9)) == ObservationCounts(seen=1)
    assert the_resource().last_seen_at == minute(10)


def test_a_run_that_read_no_projects_finds_unchanged_what_one_that_did_has_written(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    observed(seen(project_id=a_project("Acme", "acme").pk))
    savepoints = 2
    with django_assert_num_queries(1 + savepoints):
        observed(seen(), at=minute(5))
    row = the_resource()
    assert (row.tenant_id, row.last_seen_at) == ("acme", minute(5))


def test_an_attr_called_like_a_column_hides_no_change_and_is_told_beside_it() -> None:
    observed(seen(attrs={"name": "inner", "status": "same"}))
    observed(seen(name="db-1", attrs={"name": "deep", "status": "same"}), at=minute(5))
    assert last_changes() == {"name": ["web-1", "db-1"], "attrs.name": ["inner", "deep"]}
    observed(seen(name="db-2", attrs={"name": "deep", "status": "same"}), at=minute(6))
    assert last_changes() == {"name": ["db-1", "db-2"]}


@pytest.mark.parametrize("count", [51, 12_000])
def test_of_a_long_list_history_has_the_difference_alone(count: int) -> None:
    records = [{"type": "A", "name": f"h{number}", "data": "192.0.2.1"} for number in range(count)]
    changed = [*records[1:], {"type": "A", "name": "new", "data": "192.0.2.2"}, records[1]]
    observed(seen(attrs={"records": records}), kind=Kind.DNS_ZONE)
    observed(seen(attrs={"records": changed}), kind=Kind.DNS_ZONE, at=minute(5))
    old, new = last_changes()["records"]
    assert old == {"count": count, "only": [records[0]]}
    assert new["count"] == count + 1
    assert sorted_json(new["only"]) == sorted_json([changed[-2], records[1]])
    assert the_resource().attrs["records"] == changed


def test_a_long_list_that_is_another_altogether_is_cut_in_history() -> None:
    observed(seen(attrs={"records": list(range(5_000))}), kind=Kind.DNS_ZONE)
    observed(seen(attrs={"records": list(range(9_000, 12_000))}), kind=Kind.DNS_ZONE, at=minute(5))
    old, new = last_changes()["records"]
    assert (old["count"], len(old["only"]), new["count"], len(new["only"])) == (5_000, 100, 3_000, 100)


def test_a_short_list_stands_whole_in_history() -> None:
    observed(seen(attrs={"records": list(range(50))}), kind=Kind.DNS_ZONE)
    observed(seen(attrs={"records": list(range(49))}), kind=Kind.DNS_ZONE, at=minute(5))
    assert last_changes() == {"records": [list(range(50)), list(range(49))]}


def test_an_attr_called_tags_is_no_tag() -> None:
    observed(seen(attrs={"tags": ["a"]}))
    observed(seen(attrs={"tags": ["b"]}), at=minute(5))
    assert history() == ["discovered", "updated"]
    assert last_changes() == {"attrs.tags": [["a"], ["b"]]}


def test_a_fast_run_bumps_only_what_is_older_than_an_hour() -> None:
    observed(seen("1"), at=minute(0))
    observed(seen("2"), at=minute(30))
    observed(seen("1"), seen("2"), at=minute(61), bump_unchanged=False)
    assert the_resource("1").last_seen_at == minute(61)
    assert the_resource("2").last_seen_at == minute(30)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "db-1"},
        {"tags": []},
        {"status": "off"},
        {"monthly_price_cents": 1},
        {"attrs": {"locked": False}},
    ],
)
def test_a_fast_run_writes_every_change_at_once(fields: dict[str, Any]) -> None:
    observed(seen())
    assert observed(seen(**fields), at=minute(1), bump_unchanged=False).updated == 1
    assert the_resource().last_seen_at == minute(1)


def test_a_fast_run_takes_strikes_back_and_restores() -> None:
    observed(seen("1"), seen("2"))
    tombstone(["2"], at=minute(1))
    Resource.objects.filter(provider_id="1").update(stale_strike_count=1)
    assert observed(seen("1"), seen("2"), at=minute(2), bump_unchanged=False).restored == 1
    assert the_resource("1").stale_strike_count == 0


# --- Whose it is ----------------------------------------------------------------------------------


def test_the_projects_tenant_decides_and_a_move_is_told_by_the_projects_names() -> None:
    acme, globex = a_project("Acme", "acme"), a_project("Globex", "globex")
    observed(seen(project_id=acme.pk))
    row = the_resource()
    assert (row.tenant_id, row.attributed_by, row.project_id) == ("acme", "project", acme.pk)
    observed(seen(project_id=globex.pk), at=minute(5))
    assert the_resource().tenant_id == "globex"
    assert history() == ["discovered", "updated"]
    assert last_changes() == {"project": ["Acme", "Globex"], "tenant_id": ["acme", "globex"]}


@pytest.mark.parametrize("bump_unchanged", [True, False])
def test_a_project_given_to_another_tenant_takes_its_resources_along(bump_unchanged: bool) -> None:
    project = a_project("Shared")
    observed(seen(project_id=project.pk))
    assert the_resource().tenant_id is None
    Project.objects.update(tenant_id="acme")
    observed(seen(project_id=project.pk), at=minute(5), bump_unchanged=bump_unchanged)
    assert the_resource().tenant_id == "acme"
    assert history() == ["discovered", "updated"]
    assert last_changes() == {"tenant_id": [None, "acme"], "attributed_by": ["", "project"]}


def test_an_observation_that_knows_no_project_keeps_project_and_tenant() -> None:
    project = a_project("Acme", "acme")
    observed(seen(project_id=project.pk))
    assert observed(seen(), at=minute(5)) == ObservationCounts(seen=1)
    row = the_resource()
    assert (row.project_id, row.tenant_id, row.attributed_by) == (project.pk, "acme", "project")
    assert history() == ["discovered"]


def test_an_operators_assignment_outlives_every_observation() -> None:
    project = a_project("Acme", "acme")
    shop = Deployment.objects.create(tenant_id="globex", slug="shop")
    observed(seen(project_id=project.pk))
    Resource.objects.update(tenant_id="initech", deployment=None, attributed_by="operator")
    observed(seen(project_id=project.pk), at=minute(5))
    observed(seen(tenant_id="globex", deployment_id=shop.pk), at=minute(6))
    row = the_resource()
    assert (row.tenant_id, row.deployment_id, row.attributed_by) == ("initech", None, "operator")
    assert history() == ["discovered"]


def test_what_a_saga_made_stays_its_deployments_whatever_the_project_says() -> None:
    project = a_project("Acme", "acme")
    shop = Deployment.objects.create(tenant_id="globex", slug="shop")
    observed(seen(tenant_id="globex", deployment_id=shop.pk), source="saga:7")
    observed(seen(project_id=project.pk), at=minute(5))
    row = the_resource()
    assert (row.tenant_id, row.deployment_id, row.attributed_by) == ("globex", shop.pk, "saga")
    assert last_changes() == {"project": [None, "Acme"]}


def test_a_saga_takes_what_a_sync_saw_first() -> None:
    project = a_project("Acme", "acme")
    shop = Deployment.objects.create(tenant_id="globex", slug="shop")
    observed(seen(project_id=project.pk))
    observed(seen(tenant_id="globex", deployment_id=shop.pk), at=minute(1), bump_unchanged=False)
    assert last_changes() == {
        "deployment": [None, "shop"],
        "tenant_id": ["acme", "globex"],
        "attributed_by": ["project", "saga"],
    }


def test_a_saga_that_names_only_its_deployment_gives_the_deployments_tenant() -> None:
    shop = Deployment.objects.create(tenant_id="globex", slug="shop")
    observed(seen(deployment_id=shop.pk))
    observed(seen(project_id=a_project("Acme", "acme").pk), at=minute(5))
    row = the_resource()
    assert (row.tenant_id, row.deployment_id, row.attributed_by) == ("globex", shop.pk, "saga")


def test_first_seen_and_creation_stay_when_the_provider_forgets_them() -> None:
    observed(seen())
    observed(seen(created_at=None), at=minute(0) + timedelta(days=1))
    row = the_resource()
    assert (row.first_seen_at, row.provider_created_at) == (minute(0), minute(-60))
