"""Deployment templates: drafts, their publication, and what a deployment was made from.

A published version never changes, so that a deployment names for ever what it was made from.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Max

from arcadia_cloud.kernel.errors import NotFound
from deployments.errors import TemplateExists, TemplatePublished
from deployments.event_log import record_event
from deployments.models import Deployment, DeploymentEvent, DeploymentTemplate
from deployments.subscriptions import lock_deployment
from deployments.template_spec import parse_spec
from deployments.values import EventType

log = structlog.get_logger(__name__)

SEEDED: Final[Mapping[str, Mapping[str, Any]]] = {
    "single": {
        "project": "{tenant}",
        "tags": ["deployment:{slug}"],
        "droplets": [
            {"key": "app", "name": "{slug}-app", "size": "s-1vcpu-2gb", "image": "ubuntu-24-04-x64"}
        ],
    },
    "web-and-database": {
        "project": "{tenant}",
        "tags": ["deployment:{slug}"],
        "droplets": [
            {"key": "database", "name": "{slug}-db", "size": "s-2vcpu-4gb", "image": "ubuntu-24-04-x64"},
            {"key": "web", "name": "{slug}-web", "size": "s-1vcpu-2gb", "image": "ubuntu-24-04-x64"},
        ],
        "volumes": [{"key": "data", "name": "data-{slug}", "droplet": "database", "size_gb": 50}],
    },
}


def publish_template(*, template_pk: int, actor: str, at: datetime) -> DeploymentTemplate:
    """Publish a draft: from now on deployments can be made from it, and it never changes.

    Raises NotFound, TemplatePublished for one that is published already, InvalidTemplate for a spec that
    breaks the schema.
    """
    with transaction.atomic():
        template = _lock(template_pk)
        if template.published_at is not None:
            raise TemplatePublished(f"{template} is published already")
        # Again: a draft may be older than a rule of the schema.
        parse_spec(template.spec)
        template.published_at, template.published_by = at, actor
        template.save(update_fields=["published_at", "published_by"])
    log.info("deployment_template_published", template=str(template), actor=actor)
    return template


def create_template(*, code: str, spec: Any, actor: str) -> DeploymentTemplate:
    """Make the first version of a new template, a draft. Raises InvalidTemplate, TemplateExists."""
    parse_spec(spec)
    try:
        with transaction.atomic():
            template = DeploymentTemplate.objects.create(code=code, version=1, spec=spec)
    except IntegrityError as error:
        raise TemplateExists(f"there is a deployment template {code}: draft its next version") from error
    log.info("deployment_template_drafted", template=str(template), source="", actor=actor)
    return template


def update_template_draft(*, template_pk: int, spec: Any, actor: str) -> DeploymentTemplate:
    """Give a draft another spec. Raises NotFound, InvalidTemplate, TemplatePublished."""
    parse_spec(spec)
    with transaction.atomic():
        template = _lock(template_pk)
        if template.published_at is not None:
            raise TemplatePublished(f"{template} is published: it never changes")
        template.spec = spec
        template.save(update_fields=["spec"])
    log.info("deployment_template_edited", template=str(template), actor=actor)
    return template


def create_template_draft(*, template_pk: int, actor: str) -> DeploymentTemplate:
    """Make the next version of a template's code, a draft with the same spec. Raises NotFound."""
    with transaction.atomic():
        source = _lock(template_pk)
        versions = DeploymentTemplate.objects.filter(code=source.code)
        # Under the first version's lock: two drafts at once would take one number.
        versions.select_for_update(of=("self",)).order_by("version").first()
        latest = versions.aggregate(latest=Max("version"))["latest"]
        draft = DeploymentTemplate.objects.create(code=source.code, version=latest + 1, spec=source.spec)
    log.info("deployment_template_drafted", template=str(draft), source=str(source), actor=actor)
    return draft


def seed_templates(*, at: datetime) -> int:
    """Publish the first version of each seeded template, unless its code is there; return how many."""
    made = 0
    for code, spec in SEEDED.items():
        if not DeploymentTemplate.objects.filter(code=code).exists():
            parse_spec(spec)
            try:
                with transaction.atomic():
                    DeploymentTemplate.objects.create(
                        code=code, version=1, spec=spec, published_at=at, published_by="the seed"
                    )
            except IntegrityError:  # another seed was faster
                continue
            made += 1
    return made


def record_template(
    *, deployment_pk: int, code: str, version: int, actor: str, at: datetime, saga_id: int
) -> Deployment:
    """Record what a deployment was made from; a repeat for the same saga changes nothing.

    Raises DeploymentNotFound.
    """
    with transaction.atomic():
        deployment = lock_deployment(deployment_pk)
        changed = {
            "template_code": [deployment.template_code, code],
            "template_version": [deployment.template_version, version],
        }
        # By the saga's event: its worker may have died after this commit and before its own.
        recorded = DeploymentEvent.objects.filter(
            deployment=deployment, event_type=EventType.UPDATED, saga_id=saga_id
        )
        if not recorded.exists():
            deployment.template_code, deployment.template_version = code, version
            deployment.save(update_fields=["template_code", "template_version"])
            record_event(deployment, EventType.UPDATED, actor=actor, at=at, details=changed, saga_id=saga_id)
    return deployment


def _lock(template_pk: int) -> DeploymentTemplate:
    template = DeploymentTemplate.objects.select_for_update(of=("self",)).filter(pk=template_pk).first()
    if template is None:
        raise NotFound(f"there is no deployment template {template_pk}")
    return template
