"""Discounts of subscriptions, which operators give."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from catalog.values.terms import ALL_CHARGES
from deployments.errors import DiscountNotFound, InvalidDiscount
from deployments.event_log import record_event
from deployments.models import Subscription, SubscriptionDiscount
from deployments.renewal import day_of
from deployments.subscriptions import lock_deployment, require_subscription
from deployments.values import DISCOUNT_SCOPES, EventType


def give_discount(
    *,
    deployment_pk: int,
    percent: Decimal | None = None,
    amount_cents: int | None = None,
    scope: str = ALL_CHARGES,
    valid_from: date | None = None,
    valid_to: date | None = None,
    reason: str,
    actor: str,
    at: datetime,
) -> SubscriptionDiscount:
    """Reduce what a deployment's live subscription costs, by a percentage or an amount a period.

    From today on unless `valid_from` is given, until the day before `valid_to`. It applies after those that
    were given before. Raises DeploymentNotFound, NotSubscribed, InvalidDiscount.
    """
    with transaction.atomic():
        # Under the lock: the order of the ids is the order in which they apply.
        deployment = lock_deployment(deployment_pk)
        subscription = require_subscription(deployment, actor=actor, at=at)
        discount = SubscriptionDiscount(
            subscription=subscription,
            percent=percent,
            amount_cents=amount_cents,
            scope=scope,
            valid_from=valid_from or day_of(at),
            valid_to=valid_to,
            reason=reason.strip(),
            given_by=actor,
            given_at=at,
        )
        _check(discount, subscription)
        discount.save()
        record_event(
            deployment,
            EventType.DISCOUNT_GIVEN,
            to=str(discount),
            reason=discount.reason,
            actor=actor,
            at=at,
            details={"discount": discount.pk, "scope": scope},
        )
    return discount


def end_discount(*, discount_pk: int, actor: str, at: datetime) -> SubscriptionDiscount:
    """End a discount with the day before; one that has yet to begin is withdrawn. May be repeated.

    Raises DiscountNotFound.
    """
    # The deployment first, then what is its own: the order in which everything here is locked.
    with transaction.atomic():
        owner = (
            Subscription.objects.filter(discounts=discount_pk).values_list("deployment_id", flat=True).first()
        )
        if owner is None:
            raise DiscountNotFound(f"there is no discount {discount_pk}")
        deployment = lock_deployment(owner)
        discount = SubscriptionDiscount.objects.select_for_update().get(pk=discount_pk)
        # Never before its beginning: then it has no day, and the constraint wants no end before a start.
        ends_on = max(day_of(at), discount.valid_from)
        if discount.valid_to is None or discount.valid_to > ends_on:
            discount.valid_to = ends_on
            discount.save(update_fields=["valid_to"])
            record_event(
                deployment,
                EventType.DISCOUNT_ENDED,
                present=str(discount),
                actor=actor,
                at=at,
                details={"discount": discount.pk},
            )
    return discount


def _check(discount: SubscriptionDiscount, subscription: Subscription) -> None:
    """Raise InvalidDiscount, naming the field, for terms that make no reduction."""
    if discount.scope not in dict(DISCOUNT_SCOPES):
        raise InvalidDiscount(
            f"{discount.scope!r} is no scope", errors={"scope": ["Must be one of the scopes."]}
        )
    if not discount.reason:
        raise InvalidDiscount("a discount has a reason", errors={"reason": ["May not be empty."]})
    if (discount.amount_cents is not None and discount.amount_cents <= 0) or not discount.has_days:
        raise InvalidDiscount("a discount takes more than nothing, and ends after it begins")
    if discount.valid_from == date.max:
        raise InvalidDiscount(
            f"a discount from {date.max} on has no day",
            errors={"valid_from": ["Must be before the last day."]},
        )
    try:
        discount.terms(subscription.plan_version.currency)
    except ValueError as error:
        raise InvalidDiscount(str(error)) from error
