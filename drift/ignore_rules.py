"""Ignore rules: made, applied to what is open, and ended. The sweep applies them to what it finds.

A rule that is made while a sweep writes may miss what that opens: the next sweep puts it under the rule.
"""

from datetime import datetime
from typing import Final

from django.db import transaction

from arcadia_cloud.kernel.errors import Conflict, InvalidInput, NotFound
from arcadia_cloud.kernel.sql import fetch_all, load
from drift.detection import Change, record_events
from drift.models import Drift, DriftIgnoreRule
from drift.resolution import locked_drift
from drift.values import ALL_FIELDS
from inventory.models import Resource
from inventory.values import Kind

_APPLY_RULES: Final = load(__package__, "apply_rules.sql")


def create_ignore_rule(
    *,
    kind: str,
    actor: str,
    at: datetime,
    reason: str,
    field: str = ALL_FIELDS,
    resource_pk: int | None = None,
    tag: str = "",
    expires_at: datetime | None = None,
) -> DriftIgnoreRule:
    """Make an ignore rule; the open rows that it covers become `ignored`.

    It covers one field of a kind, or all; of one resource, of those with a tag, or of all. With `expires_at`
    it is a snooze. Raises InvalidInput with the fields at fault, and NotFound for the resource.
    """
    _check_rule(kind=kind, reason=reason, resource_pk=resource_pk, tag=tag, expires_at=expires_at, at=at)
    # In one transaction: a rule without its effect would show open rows that it covers.
    with transaction.atomic():
        rule = DriftIgnoreRule.objects.create(
            kind=kind,
            field=field.strip(),
            resource_id=resource_pk,
            tag=tag.strip(),
            reason=reason.strip(),
            expires_at=expires_at,
            created_by=actor,
            created_at=at,
        )
        _apply(rule, at)
    return rule


def end_ignore_rule(*, rule_pk: int, actor: str, at: datetime) -> DriftIgnoreRule:
    """End a rule now; what no other rule covers is open again at once.

    Raises NotFound, and Conflict where it is over already.
    """
    with transaction.atomic():
        # Locked, so that of two who end it the second is refused.
        rule = DriftIgnoreRule.objects.select_for_update(of=("self",)).filter(pk=rule_pk).first()
        if rule is None:
            raise NotFound(f"there is no ignore rule {rule_pk}")
        if rule.expires_at is not None and rule.expires_at <= at:
            raise Conflict(f"ignore rule {rule_pk} is over since {rule.expires_at}")
        rule.expires_at, rule.ended_by = at, actor
        rule.save(update_fields=["expires_at", "ended_by"])
        _apply(rule, at)
    return rule


def ignore_drift(
    *,
    drift_pk: int,
    actor: str,
    at: datetime,
    reason: str,
    expires_at: datetime | None = None,
    cause: str | None = None,
) -> Drift:
    """Make an ignore rule for the row's field of its resource, whatever its values; the row is `ignored`.

    Raises as `create_ignore_rule` and `accept_drift` do.
    """
    with locked_drift(drift_pk, cause, at) as locked:
        drift = locked.drift
        create_ignore_rule(
            kind=drift.kind,
            field=drift.field,
            resource_pk=drift.resource_id,
            reason=reason,
            expires_at=expires_at,
            actor=actor,
            at=at,
        )
    drift.refresh_from_db()
    return drift


def _check_rule(
    *,
    kind: str,
    reason: str,
    resource_pk: int | None,
    tag: str,
    expires_at: datetime | None,
    at: datetime,
) -> None:
    errors = {}
    if kind not in Kind.values:
        errors["kind"] = [f"must be one of: {', '.join(Kind.values)}"]
    if not reason.strip():
        errors["reason"] = ["must be given: others will ask"]
    if expires_at is not None and expires_at <= at:
        errors["expires_at"] = ["must be in the future"]
    if resource_pk is not None and tag.strip():
        errors["tag"] = ["must be empty where a resource is named"]
    if not errors and resource_pk is not None:
        resource = Resource.objects.filter(pk=resource_pk).only("kind").first()
        if resource is None:
            raise NotFound(f"there is no resource {resource_pk}")
        if resource.kind != kind:
            errors["kind"] = [f"must be {resource.kind}, which resource {resource_pk} is"]
    if errors:
        named = "; ".join(f"{name} {rules[0]}" for name, rules in errors.items())
        raise InvalidInput(f"the ignore rule can't be made: {named}", errors=errors)


def _apply(rule: DriftIgnoreRule, at: datetime) -> None:
    changes = fetch_all(_APPLY_RULES, {"rule_id": rule.pk, "at": at}, into=Change)
    record_events(changes, at=at)
