"""Deployment templates: the schema of their spec, their variables, and versions that never change."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from arcadia_cloud.kernel.errors import NotFound
from deployments.errors import InvalidTemplate, TemplateExists, TemplatePublished
from deployments.models import DeploymentTemplate
from deployments.services import (
    create_template,
    create_template_draft,
    publish_template,
    seed_templates,
    update_template_draft,
)
from deployments.template_spec import fill_in, parse_spec
from tests.kernel.threads import at_once

AT = datetime(2026, 11, 1, tzinfo=UTC)
DROPLET: dict[str, Any] = {
    "key": "web", "name": "{slug}-web", "size": "s-1vcpu-1gb", "image": "debian-12-x64",
}  # fmt: skip
SPEC: dict[str, Any] = {"project": "{tenant}", "droplets": [DROPLET]}


@pytest.mark.parametrize(
    ("spec", "field", "rule"),
    [
        ([], "spec", "Must be an object."),
        ({"project": "p"}, "spec.droplets", "Is required."),
        ({**SPEC, "droplets": []}, "spec.droplets", "Must have at least 1 entry."),
        ({**SPEC, "servers": []}, "spec.servers", "There is no such field."),
        ({**SPEC, "droplets": [{**DROPLET, "size": 1}]}, "spec.droplets[0].size", "Must be text."),
        (
            {**SPEC, "droplets": [{**DROPLET, "key": "Web"}]},
            "spec.droplets[0].key",
            "Its name within the template: lower-case letters, digits",
        ),
        ({**SPEC, "project": "{owner}"}, "spec.project", "the variables are {region}, {slug}, {tenant}"),
        ({**SPEC, "project": "{slug"}, "spec.project", "the variables are"),
        ({**SPEC, "droplets": [DROPLET, DROPLET]}, "spec.droplets", "web: a key stands for one thing"),
        (
            {**SPEC, "droplets": [DROPLET, {**DROPLET, "key": "app"}]},
            "spec.droplets",
            "{slug}-web: a name stands for one droplet",
        ),
        (
            {**SPEC, "volumes": [{"key": "data", "name": "{slug}", "droplet": "db", "size_gb": 1}]},
            "spec.volumes[0].droplet",
            "no droplet 'db'",
        ),
        (
            {
                **SPEC,
                "dns_records": [{"droplet": "web", "domain": "a.example", "name": str(n)} for n in (1, 2)],
            },
            "spec.dns_records",
            "web: a droplet has one record at most",
        ),
    ],
)
def test_a_spec_that_breaks_a_rule_names_the_field_and_the_rule(spec: Any, field: str, rule: str) -> None:
    with pytest.raises(InvalidTemplate) as refused:
        parse_spec(spec)
    ((name, rules),) = refused.value.errors.items()
    assert name == field
    assert rule in rules[0]


def test_variables_are_filled_in_everywhere_but_in_the_guests_program() -> None:
    spec = parse_spec(
        {
            **SPEC,
            "tags": ["deployment:{slug}"],
            "droplets": [{**DROPLET, "user_data": "echo ${HOME} {slug}"}],
            "dns_records": [{"droplet": "web", "domain": "acme.example", "name": "{slug}"}],
        }
    )
    filled = fill_in(spec, {"slug": "shop", "tenant": "acme", "region": "fra1"})
    assert (filled.project, filled.tags) == ("acme", ["deployment:shop"])
    (droplet,), (record,) = filled.droplets, filled.dns_records
    assert (droplet.name, droplet.region, droplet.user_data) == ("shop-web", "fra1", "echo ${HOME} {slug}")
    assert record.name == "shop"


def test_a_variable_without_a_value_is_refused() -> None:
    with pytest.raises(InvalidTemplate, match=r"\{region\} is empty for this deployment"):
        fill_in(parse_spec(SPEC), {"slug": "shop", "tenant": "acme", "region": ""})


@pytest.mark.django_db
def test_a_draft_is_edited_published_and_then_never_changes() -> None:
    template = create_template(code="shop", spec=SPEC, actor="jo")
    update_template_draft(template_pk=template.pk, spec={**SPEC, "tags": ["a"]}, actor="jo")
    published = publish_template(template_pk=template.pk, actor="jo", at=AT)
    assert (published.spec["tags"], published.published_at, published.published_by) == (["a"], AT, "jo")
    with pytest.raises(TemplatePublished):
        publish_template(template_pk=template.pk, actor="jo", at=AT)
    with pytest.raises(TemplatePublished):
        update_template_draft(template_pk=template.pk, spec=SPEC, actor="jo")
    rows = DeploymentTemplate.objects.filter(pk=template.pk)
    for change in (lambda: rows.update(spec={}), lambda: rows.update(published_at=None), rows.delete):
        with pytest.raises(IntegrityError, match="shop v1 was published"), transaction.atomic():
            change()
    draft = create_template_draft(template_pk=template.pk, actor="jo")
    assert (str(draft), draft.spec, draft.published_at) == ("shop v2", published.spec, None)
    draft.delete()


@pytest.mark.django_db
def test_a_code_stands_for_one_template_and_a_wrong_spec_is_not_kept() -> None:
    create_template(code="shop", spec=SPEC, actor="jo")
    with pytest.raises(TemplateExists):
        create_template(code="shop", spec=SPEC, actor="jo")
    with pytest.raises(InvalidTemplate):
        create_template(code="other", spec={}, actor="jo")
    with pytest.raises(NotFound):
        publish_template(template_pk=10**9, actor="jo", at=AT)
    assert DeploymentTemplate.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_drafts_at_once_have_two_numbers() -> None:
    template = create_template(code="shop", spec=SPEC, actor="jo")
    for number in range(5):
        made = at_once(2, lambda: create_template_draft(template_pk=template.pk, actor="jo").version)
        assert sorted(made) == [2 * number + 2, 2 * number + 3]


@pytest.mark.django_db
def test_two_templates_are_seeded_once() -> None:
    assert (seed_templates(at=AT), seed_templates(at=AT)) == (2, 0)
    for template in DeploymentTemplate.objects.all():
        parse_spec(template.spec)
        assert template.published_at == AT


@pytest.mark.parametrize("text", ["a\0", "\ud800"])
@pytest.mark.parametrize("field", ["name", "user_data"])
def test_a_text_that_can_not_be_stored_is_refused(field: str, text: str) -> None:
    droplet = {**SPEC["droplets"][0], field: text}
    with pytest.raises(InvalidTemplate, match="can't be stored"):
        parse_spec({**SPEC, "droplets": [droplet, *SPEC["droplets"][1:]]})
