"""The owner of a resource: five rules in their order, and an operator's assignment that stays."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from arcadia_cloud.kernel.errors import InvalidInput, NotFound
from deployments.models import Deployment
from inventory.attribution.assign import assign, clear_assignment, mark_ours, reattribute
from inventory.models import IS_OURS, Project, Resource, ResourceEvent, ResourceSpan
from inventory.values import Kind
from tests.inventory.observations import (
    a_deployment,
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


def owner_of(provider_id: str = "1") -> tuple[str | None, str | None, str]:
    """Tenant, deployment's slug, and the rule that decided."""
    row = the_resource(provider_id)
    return row.tenant_id, row.deployment.slug if row.deployment else None, row.attributed_by


@pytest.mark.parametrize(
    ("tags", "project_tenant", "owner", "note"),
    [
        ([], None, (None, None, ""), ""),
        ([], "acme", ("acme", None, "project"), ""),
        (["tenant:acme"], None, ("acme", None, "tags"), ""),
        (["tenant:acme"], "acme", ("acme", None, "tags"), ""),
        (["deployment:shop", "tenant:acme"], None, ("acme", "shop", "tags"), ""),
        (["deployment:shop"], "acme", ("acme", "shop", "tags"), ""),
        (["deployment:shop"], "globex", ("globex", "shop", "tags"), ""),  # each tenant's own shop
        (
            ["deployment:shop"],
            None,
            (None, None, ""),
            "its tag names deployment shop, but nothing names a tenant",
        ),
        (
            ["deployment:nosuch", "tenant:acme"],
            None,
            ("acme", None, "tags"),
            "tenant acme has no deployment nosuch",
        ),
        (["deployment:nosuch"], "acme", ("acme", None, "project"), "tenant acme has no deployment nosuch"),
        (["tenant:globex"], "acme", (None, None, ""), "its tag says tenant globex, its project says acme"),
        (
            ["deployment:shop", "tenant:globex"],
            "acme",
            (None, None, ""),
            "its tag says tenant globex, its project says acme",
        ),
        (
            ["tenant:acme", "tenant:globex"],
            None,
            (None, None, ""),
            "its tags name several tenants: acme, globex",
        ),
        (
            ["deployment:shop", "deployment:wiki", "tenant:acme"],
            None,
            (None, None, ""),
            "its tags name several deployments: shop, wiki",
        ),
        (
            ["deployment:", "tenant:"],
            "acme",
            ("acme", None, "project"),
            "",
        ),  # a label without a name says nothing
        (["env:tenant:acme"], None, (None, None, ""), ""),
        (["Tenant:acme", "env:tenant:globex"], None, ("acme", None, "tags"), ""),
    ],
)
def test_tags_decide_before_the_project(
    tags: list[str], project_tenant: str | None, owner: tuple[Any, ...], note: str
) -> None:
    for tenant in ("acme", "globex"):
        a_deployment(tenant, "shop")
    a_deployment("acme", "wiki")
    observed(seen(tags=tags, project_id=a_project("Somewhere", project_tenant).pk))
    assert owner_of() == owner
    assert the_resource().attribution_note == note
    assert history() == ["discovered"]


def test_a_tenants_slug_captures_no_machine_of_another() -> None:
    a_deployment("mallory", "shop")
    observed(seen(tags=["deployment:shop"], project_id=a_project("Acme", "acme").pk))
    assert owner_of() == ("acme", None, "project")


def test_what_belongs_to_a_droplet_follows_it() -> None:
    a_deployment("acme", "shop")
    observed(seen("7", tags=["deployment:shop", "tenant:acme"], can_attribute=True))
    follower = seen("70", tags=[], parent_kind="droplet", parent_id="7", can_attribute=True)
    observed(follower, kind=Kind.SNAPSHOT)
    assert owner_of("70") == ("acme", "shop", "parent")


def test_its_own_tags_and_then_its_parent_come_before_its_project() -> None:
    globex = a_project("Globex", "globex")
    observed(seen("7", tags=["tenant:acme"], can_attribute=True))
    in_project = {"parent_kind": "droplet", "parent_id": "7", "project_id": globex.pk}
    observed(seen("70", tags=[], **in_project), kind=Kind.VOLUME)
    observed(seen("71", tags=["tenant:globex"], **in_project), kind=Kind.VOLUME)
    assert owner_of("70") == ("acme", None, "parent")
    assert owner_of("71") == ("globex", None, "tags")


def test_what_is_left_of_one_that_is_gone_stays_with_its_last_owner() -> None:
    observed(seen("7", tags=["tenant:acme"], can_attribute=True))
    tombstone(["7"], at=minute(5))
    observed(
        seen("70", tags=[], parent_kind="droplet", parent_id="7", can_attribute=True),
        at=minute(6),
        kind=Kind.SNAPSHOT,
    )
    assert owner_of("70") == ("acme", None, "parent")
    observed(
        seen("71", tags=[], parent_kind="droplet", parent_id="8", can_attribute=True), kind=Kind.SNAPSHOT
    )
    assert owner_of("71") == (None, None, ""), "nobody ever saw droplet 8"


def test_changed_tags_are_followed_at_the_next_sync_and_recorded() -> None:
    a_deployment("acme", "shop")
    project = a_project("Ours")
    observed(seen(tags=["deployment:shop", "tenant:acme"], project_id=project.pk))
    observed(seen(tags=["tenant:globex"], project_id=project.pk), at=minute(5))
    assert owner_of() == ("globex", None, "tags")
    assert history() == ["discovered", "updated"]
    assert last_changes() == {
        "tags": [["deployment:shop", "tenant:acme"], ["tenant:globex"]],
        "tenant_id": ["acme", "globex"],
        "deployment": ["shop", None],
    }
    spans = ResourceSpan.objects.order_by("during").values_list(
        "tenant_id", "during__startswith", "during__endswith"
    )
    assert list(spans) == [("acme", minute(-60), minute(5)), ("globex", minute(5), None)]


def test_a_look_that_knows_no_project_decides_nothing_anew() -> None:
    observed(seen(tags=["tenant:acme"], project_id=a_project("Ours").pk))
    observed(seen(tags=["tenant:globex"]), at=minute(5))
    assert owner_of() == ("acme", None, "tags")


def give_the_project() -> None:
    Project.objects.update(tenant_id="globex")


def give_the_parent() -> None:
    Resource.objects.filter(provider_id="7").update(tenant_id="globex")


def make_the_deployment() -> None:
    a_deployment("acme", "late")


def move_the_deployment() -> None:
    Deployment.objects.filter(slug="shop").update(slug="bazaar")


@pytest.mark.parametrize("bump_unchanged", [True, False])
@pytest.mark.parametrize(
    ("fields", "happens", "owner"),
    [
        ({}, give_the_project, ("globex", None, "project")),
        ({"tags": ["tenant:acme"]}, give_the_project, (None, None, "")),
        ({"parent_kind": "droplet", "parent_id": "7"}, give_the_parent, ("globex", None, "parent")),
        ({"tags": ["deployment:late"]}, make_the_deployment, ("acme", "late", "tags")),
        ({"tags": ["deployment:shop"]}, move_the_deployment, ("acme", None, "project")),
    ],
)
def test_a_resource_that_stays_as_it_is_follows_what_decides_at_the_next_look(
    fields: dict[str, Any],
    happens: Callable[[], None],
    owner: tuple[str | None, str | None, str],
    bump_unchanged: bool,
) -> None:
    a_deployment("acme", "shop")
    project = a_project("Acme", "acme")
    observed(seen("7", tags=["tenant:acme"], can_attribute=True), kind=Kind.DROPLET)
    look = seen(**{"tags": [], "project_id": project.pk, **fields})
    observed(look, kind=Kind.VOLUME)
    before = owner_of()
    happens()
    assert observed(look, kind=Kind.VOLUME, at=minute(5), bump_unchanged=bump_unchanged).updated == 1
    assert owner_of() == owner != before
    assert history() == ["discovered", "updated"]


def test_a_note_is_kept_true_though_nothing_else_changes() -> None:
    project = a_project("Acme", "acme")
    look = seen(tags=["deployment:late", "tenant:initech"], project_id=project.pk)
    observed(look)
    Project.objects.update(tenant_id="globex")
    observed(look, at=minute(5))
    assert the_resource().attribution_note == "its tag says tenant initech, its project says globex"
    assert history() == ["discovered"]


def test_a_resource_that_moved_between_projects_of_one_tenant_is_recorded() -> None:
    first, second = a_project("First", "acme"), a_project("Second", "acme")
    observed(seen(tags=[], project_id=first.pk))
    assert observed(seen(tags=[], project_id=second.pk), at=minute(5)).updated == 1
    assert last_changes() == {"project": ["First", "Second"]}


def test_an_operators_word_stays_until_it_is_cleared_and_followers_follow_at_once() -> None:
    shop = a_deployment("globex", "shop")
    project = a_project("Acme", "acme")
    observed(seen("7", tags=[], project_id=project.pk))
    observed(
        seen("70", tags=[], parent_kind="droplet", parent_id="7", can_attribute=True), kind=Kind.SNAPSHOT
    )
    pk = the_resource("7").pk

    changed = assign(
        resource_pks=[pk], tenant_id="globex", deployment_pk=shop.pk, actor="user:olga", source="request:1"
    )
    assert changed == 2
    assert owner_of("7") == ("globex", "shop", "operator")
    assert owner_of("70") == ("globex", "shop", "parent")
    event = ResourceEvent.objects.filter(resource_id=pk).latest("pk")
    assert (event.event_type, event.actor, event.source) == ("updated", "user:olga", "request:1")
    assert event.changes == {
        "tenant_id": ["acme", "globex"],
        "deployment": [None, "shop"],
        "attributed_by": ["project", "operator"],
    }

    observed(seen("7", tags=["tenant:initech"], project_id=project.pk), at=timezone.now())
    assert owner_of("7") == ("globex", "shop", "operator")

    assert clear_assignment(resource_pks=[pk], actor="user:olga", source="request:2") == 2
    assert owner_of("7") == (None, None, "")
    assert the_resource("7").attribution_note == "its tag says tenant initech, its project says acme"
    assert owner_of("70") == (None, None, "")


def test_what_is_ours_has_no_tenant_until_it_is_cleared_and_followers_are_ours_too() -> None:
    project = a_project("Acme", "acme")
    observed(seen("7", tags=["tenant:acme"], project_id=project.pk))
    follower = seen("70", tags=[], parent_kind="droplet", parent_id="7", project_id=project.pk)
    observed(follower, kind=Kind.SNAPSHOT)
    pk = the_resource("7").pk
    by = {"actor": "user:olga", "source": "request:1"}

    assert mark_ours(resource_pks=[pk], **by) == 2
    assert (owner_of("7"), owner_of("70")) == ((None, None, "ours"), (None, None, "parent"))
    assert last_changes("7") == {"tenant_id": ["acme", None], "attributed_by": ["tags", "ours"]}
    assert the_resource("7").is_ours
    assert the_resource("70").is_ours
    assert Resource.objects.filter(IS_OURS).count() == 2
    assert not Resource.objects.unattributed().exists()
    assert mark_ours(resource_pks=[pk], **by) == 0

    # What tags and projects say later changes nothing; neither does the next look at what follows.
    observed(seen("7", tags=["tenant:initech"], project_id=project.pk), at=timezone.now())
    assert observed(follower, kind=Kind.SNAPSHOT, at=timezone.now()).updated == 0
    assert (owner_of("7"), owner_of("70")) == ((None, None, "ours"), (None, None, "parent"))

    assert clear_assignment(resource_pks=[pk], **by) == 2
    assert owner_of("7") == (None, None, "")  # its tag and its project contradict each other
    assert owner_of("70") == ("acme", None, "project")
    with pytest.raises(NotFound):
        mark_ours(resource_pks=[pk, 2**40], **by)


def test_spans_change_hands_without_a_gap() -> None:
    observed(seen(size_gb="25.000000"))
    assign(resource_pks=[the_resource().pk], tenant_id="acme", deployment_pk=None, actor="a", source="s")
    before, after = ResourceSpan.objects.order_by("during")
    assert (before.tenant_id, after.tenant_id) == (None, "acme")
    assert before.during.upper == after.during.lower
    assert after.during.upper is None
    assert (before.size_gb, before.active) == (after.size_gb, after.active)


def test_what_is_cleared_together_with_what_it_follows_ends_as_that_does() -> None:
    """The follower is decided twice at one instant: with the others, and after what it follows."""
    observed(seen("7", tags=["tenant:globex"], can_attribute=True))
    observed(seen("70", tags=[], parent_kind="droplet", parent_id="7", can_attribute=True), kind=Kind.VOLUME)
    parent, follower = the_resource("7").pk, the_resource("70").pk
    for pk, tenant in ((follower, "initech"), (parent, "acme")):
        assign(resource_pks=[pk], tenant_id=tenant, deployment_pk=None, actor="a", source="s")

    clear_assignment(resource_pks=[parent, follower], actor="a", source="s")

    assert owner_of("70") == ("globex", None, "parent")
    owners = ResourceSpan.objects.filter(resource_id=follower).order_by("during").values_list("tenant_id")
    assert [tenant for (tenant,) in owners] == ["globex", "initech", "globex"]


def test_assigning_what_is_so_already_changes_nothing_and_tells_nothing() -> None:
    observed(seen())
    pk = the_resource().pk
    for changed in (1, 0):
        assert (
            assign(resource_pks=[pk], tenant_id="acme", deployment_pk=None, actor="a", source="s") == changed
        )
    assert history() == ["discovered", "updated"]
    assert ResourceSpan.objects.count() == 2


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"tenant_id": " "}, InvalidInput, "a tenant is needed"),
        ({"deployment_pk": "another's"}, NotFound, "tenant acme has no deployment"),
        ({"resource_pks": [0]}, NotFound, "there is no resource 0"),
    ],
)
def test_a_wrong_assignment_changes_nothing(
    wrong: dict[str, Any], error: type[Exception], words: str
) -> None:
    observed(seen())
    others = a_deployment("globex", "shop")
    order: dict[str, Any] = {
        "resource_pks": [the_resource().pk],
        "tenant_id": "acme",
        "deployment_pk": None,
        **wrong,
    }
    if order["deployment_pk"] == "another's":
        order["deployment_pk"] = others.pk
    if 0 in order["resource_pks"]:
        order["resource_pks"] = [the_resource().pk, 0]
    with pytest.raises(error, match=words):
        assign(**order, actor="a", source="s")
    assert owner_of() == (None, None, "")
    assert history() == ["discovered"]


def test_deciding_anew_leaves_the_operators_and_the_sagas_alone() -> None:
    project = a_project("Acme", "acme")
    for provider_id in ("1", "2", "3"):
        observed(seen(provider_id, tags=[], project_id=project.pk))
    Resource.objects.filter(provider_id="1").update(tenant_id="initech", attributed_by="operator")
    Resource.objects.filter(provider_id="2").update(tenant_id="initech", attributed_by="saga")
    project.tenant_id = "globex"
    project.save()
    everything = list(Resource.objects.values_list("pk", flat=True))
    assert reattribute(resource_pks=everything, actor="a", source="s") == 1
    assert [owner_of(each)[0] for each in ("1", "2", "3")] == ["initech", "initech", "globex"]
