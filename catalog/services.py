"""The catalog's writes: drafts, their publication, and the seed of what is sold at first.

A plan's row is locked before its versions: two publishers of one plan go one after the other.
"""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Max

from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.states import advance
from catalog.errors import NoteRequired, VersionPublished, VersionReplaced
from catalog.models import Plan, PlanItem, PlanVersion
from catalog.queries import reasons_not_to_publish
from catalog.seed import seed_catalog
from catalog.states import LIFECYCLE, VersionStatus

__all__ = ["create_draft", "create_draft_from", "publish_version", "seed_catalog"]

log = structlog.get_logger(__name__)


def publish_version(
    *, version_pk: int, replaces: int | None, actor: str, at: datetime, note: str = ""
) -> PlanVersion:
    """Activate a draft and retire the plan's active version, in one transaction.

    `replaces` is the active version that the caller saw, None where there was none. Subscriptions stay on the
    versions that they have. `note` is why it is published although something speaks against it, and is kept
    with the version. Raises VersionReplaced where another became active in the meantime, NoteRequired where a
    guard has a reason against it and there is no note, VersionPublished for a version that is no draft,
    InvalidTerms for one that makes no price, NotFound for none.
    """
    with transaction.atomic():
        version = _lock_with_plan(version_pk)
        if version.status != VersionStatus.DRAFT:
            raise VersionPublished(f"{version} is {version.status}, no draft")
        version.terms()  # raises for a draft that makes no price: it would fail at its first quote
        active = PlanVersion.objects.filter(plan=version.plan, status=VersionStatus.ACTIVE).first()
        if (active.pk if active else None) != replaces:
            raise VersionReplaced(f"{active or 'none'} is the active version now")
        note = note.strip()
        # Under the version's lock: the terms that the guards judge are those that are published.
        reasons = reasons_not_to_publish(version, at=at)
        if reasons and not note:
            raise NoteRequired(
                f"{'; '.join(reasons)}: a note is needed that says why it is published all the same",
                errors={"note": reasons},
            )
        # The partial unique index wants the old one gone before the new one comes.
        if active is not None:
            advance(active, VersionStatus.RETIRED, LIFECYCLE)
        advance(version, VersionStatus.ACTIVE, LIFECYCLE, published_at=at, publish_note=note)
    log.info(
        "plan_version_published",
        version=str(version),
        retired=str(active or ""),
        actor=actor,
        note=note,
    )
    return version


def create_draft_from(*, version_pk: int, actor: str) -> PlanVersion:
    """Make a new draft, the plan's next version, with the terms and items of another one. Raises NotFound."""
    with transaction.atomic():
        source = _lock_with_plan(version_pk)
        # Under the plan's lock: two drafts at once would take one number.
        latest = source.plan.versions.aggregate(latest=Max("number"))["latest"]
        draft = PlanVersion.objects.create(
            plan=source.plan,
            number=latest + 1,
            base_price_cents=source.base_price_cents,
            currency=source.currency,
            billing_interval=source.billing_interval,
            proration=source.proration,
        )
        items = list(source.items.all())
        for item in items:
            item.pk, item.version = None, draft
        PlanItem.objects.bulk_create(items)
    log.info("plan_version_drafted", version=str(draft), source=str(source), actor=actor)
    return draft


def create_draft(*, plan_pk: int, actor: str) -> PlanVersion:
    """Make a new draft of a plan from its active version, else from its last one, else with no terms yet.

    Raises NotFound.
    """
    with transaction.atomic():
        # The plan before any version, always: numbers are given one by one, and no two wait in a circle.
        plan = Plan.objects.select_for_update(of=("self",)).filter(pk=plan_pk).first()
        if plan is None:
            raise NotFound(f"there is no plan {plan_pk}")
        versions = plan.versions.order_by("number")
        source = versions.filter(status=VersionStatus.ACTIVE).first() or versions.last()
        if source is not None:
            return create_draft_from(version_pk=source.pk, actor=actor)
        draft = PlanVersion.objects.create(plan=plan, number=1, base_price_cents=0)
    log.info("plan_version_drafted", version=str(draft), source="", actor=actor)
    return draft


def _lock_with_plan(version_pk: int) -> PlanVersion:
    # The plan first, everywhere: the other order would deadlock two publishers.
    plan = Plan.objects.filter(versions=version_pk).select_for_update(of=("self",)).first()
    if plan is None:
        raise NotFound(f"there is no plan version {version_pk}")
    return PlanVersion.objects.select_for_update(of=("self",)).select_related("plan").get(pk=version_pk)
