"""Tags in any capitals: DigitalOcean gives one back as it was first made, whoever made it."""

import pytest

from inventory.attribution.assign import clear_assignment, reattribute
from inventory.attribution.tags import OwnershipTags, parse
from inventory.models import Resource
from inventory.values import Kind
from tests.inventory.observations import a_deployment, a_project, minute, observed, seen, the_resource

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("tags", "named"),
    [
        (["TENANT:acme"], OwnershipTags("acme")),
        (["Tenant:Acme", "Deployment:Shop"], OwnershipTags("Acme", "Shop")),
        (["tenant:acme", "TENANT:ACME"], OwnershipTags("acme")),
        (["dEPLOYMENT:shop"], OwnershipTags(None, "shop")),
        (["tenant: ", "deployment:"], OwnershipTags()),
        (
            ["tenant:acme", "Tenant:globex"],
            OwnershipTags(conflict="its tags name several tenants: acme, globex"),
        ),
        (["tenants:acme", "x-tenant:acme"], OwnershipTags()),
    ],
)
def test_labels_are_read_in_any_capitals(tags: list[str], named: OwnershipTags) -> None:
    assert parse(tags) == named


@pytest.mark.parametrize("kind", [Kind.DROPLET, Kind.VOLUME, Kind.DATABASE, Kind.FIREWALL])
@pytest.mark.parametrize(
    ("tags", "owner"),
    [
        (["TENANT:acme"], ("acme", None)),
        (["tenant:ACME"], ("acme", None)),
        (["Tenant:Acme", "Deployment:SHOP"], ("acme", "shop")),
        (["tenant:GLOBEX"], ("globex", None)),  # known by its project alone
        (["tenant:Newcomer"], ("Newcomer", None)),  # known by nothing
    ],
)
def test_a_tag_finds_its_tenant_and_its_deployment_in_any_capitals(
    kind: Kind, tags: list[str], owner: tuple[str, str | None]
) -> None:
    a_deployment("acme", "shop")
    a_project("Globex", "globex")
    observed(seen(tags=tags, can_attribute=True), kind=kind)
    row = the_resource()
    assert (row.tenant_id, row.deployment and row.deployment.slug, row.attributed_by) == (*owner, "tags")
    assert row.attribution_note == ""
    assert reattribute(resource_pks=[row.pk], actor="a", source="s") == 0


def test_two_tenants_that_differ_in_capitals_alone_are_two() -> None:
    a_deployment("acme", "shop")
    a_deployment("ACME", "shop")
    for number, tenant in enumerate(("acme", "ACME")):
        observed(seen(str(number), tags=[f"tenant:{tenant}", "deployment:shop"], can_attribute=True))
        row = the_resource(str(number))
        assert (row.tenant_id, row.deployment and row.deployment.tenant_id) == (tenant, tenant)


def test_a_tag_and_a_project_that_name_one_tenant_in_two_spellings_agree() -> None:
    project = a_project("Acme", "acme")
    observed(seen(tags=["TENANT:ACME"], project_id=project.pk))
    row = the_resource()
    assert (row.tenant_id, row.attributed_by, row.attribution_note) == ("acme", "tags", "")


def test_what_a_tag_asked_for_in_vain_is_noted_until_it_is_there() -> None:
    project = a_project("Acme", "acme")
    tagged = seen(tags=["Deployment:Shop"], project_id=project.pk)
    observed(tagged)
    assert the_resource().attribution_note == "tenant acme has no deployment Shop"
    a_deployment("acme", "shop")
    observed(tagged, at=minute(5))
    row = the_resource()
    assert (row.deployment and row.deployment.slug, row.attribution_note) == ("shop", "")


def test_a_cleared_assignment_finds_the_tenant_in_any_capitals() -> None:
    a_deployment("acme", "shop")
    observed(seen(tags=["tenant:Acme"], can_attribute=True))
    Resource.objects.update(tenant_id="globex", attributed_by="operator")
    clear_assignment(resource_pks=[the_resource().pk], actor="a", source="s")
    assert the_resource().tenant_id == "acme"


@pytest.mark.parametrize("asked", ["role:web", "ROLE:Web"])
def test_the_filter_finds_a_tag_in_any_capitals(asked: str) -> None:
    observed(seen("1", tags=["Role:WEB"]), seen("2", tags=["role:db"]), seen("3", tags=[]))
    assert list(Resource.objects.tagged(asked).values_list("provider_id", flat=True)) == ["1"]
