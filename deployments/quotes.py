"""The terms of subscriptions as their quotes need them: the days of versions, and many at once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple, TypeVar

from django.db.models import QuerySet

from arcadia_cloud.kernel.periods import Period
from catalog.values.terms import AddonTerms, Discount
from deployments.models import (
    Subscription,
    SubscriptionAddon,
    SubscriptionDiscount,
    SubscriptionVersion,
    first_day_after_trial,
)

V = TypeVar("V")


class SubscribedTerms(NamedTuple):
    """The terms that a subscription's quotes depend on, without usage and prices.

    `versions` are the keys of its plan versions with their days, in order; `currency` is that of the present
    one. The other fields are as the rows have them.
    """

    subscription: int
    deployment: int
    tenant_id: str
    currency: str
    first_charged_on: date
    versions: tuple[tuple[Period, int], ...]
    addons: tuple[tuple[Period, AddonTerms], ...]
    discounts: tuple[Discount, ...]

    def charged_parts(self, period: Period) -> list[tuple[Period, int, tuple[AddonTerms, ...]]]:
        """Return the unbroken parts of a period that are charged, each with its version's key and add-ons."""
        # By far the most have one version and no add-ons: no day of the period parts them.
        if not self.addons and self.first_charged_on <= period.start:
            for days, version in self.versions:
                if days.start <= period.start and period.end <= days.end:
                    return [(period, version, ())]
        return list(
            charged_parts(self.versions, self.addons, period=period, first_charged_on=self.first_charged_on)
        )


def subscribed_terms(subscriptions: QuerySet[Subscription]) -> list[SubscribedTerms]:
    """Return the terms of these subscriptions, by key. Four queries, whatever their number."""
    # A subquery: thousands of keys in a statement take longer to read than what they find.
    pks = subscriptions.order_by().values("pk")
    # Plain rows: to build the objects of a subscription and its versions costs more than its quote.
    versions: dict[int, list[tuple[Period, int]]] = defaultdict(list)
    history = SubscriptionVersion.objects.filter(subscription__in=pks).order_by("subscription", "starts_on")
    for owner, version, starts_on, ends_on in history.values_list(
        "subscription", "plan_version", "starts_on", "ends_on"
    ):
        versions[owner].append((Period(starts_on, ends_on or date.max), version))
    # Few subscriptions have any: their objects cost little, and make the terms themselves.
    addons: dict[int, list[tuple[Period, AddonTerms]]] = defaultdict(list)
    attached = SubscriptionAddon.objects.filter(subscription__in=pks).select_related("addon")
    for addon in attached.order_by("subscription", "attached_on", "id"):
        addons[addon.subscription_id].append((addon.days, addon.terms()))
    discounts: dict[int, list[SubscriptionDiscount]] = defaultdict(list)
    for discount in SubscriptionDiscount.objects.filter(subscription__in=pks).order_by("id"):
        if discount.has_days:
            discounts[discount.subscription_id].append(discount)
    found = []
    for pk, deployment, tenant_id, currency, trial_ends_at, coming, turn in subscriptions.order_by(
        "pk"
    ).values_list(
        "pk",
        "deployment",
        "deployment__tenant_id",
        "plan_version__currency",
        "trial_ends_at",
        "next_plan_version",
        "current_period_end",
    ):
        found.append(
            SubscribedTerms(
                subscription=pk,
                deployment=deployment,
                tenant_id=tenant_id,
                currency=currency,
                first_charged_on=first_day_after_trial(trial_ends_at),
                versions=tuple(days_of_versions(versions[pk], coming, turn=turn)),
                addons=tuple(addons[pk]),
                discounts=tuple(discount.terms(currency) for discount in discounts[pk]),
            )
        )
    return found


def days_of_versions(
    history: Iterable[tuple[Period, V]], coming: V | None, *, turn: date
) -> Iterator[tuple[Period, V]]:
    """Yield versions with their days, in order; with the one that is to come on the day `turn`."""
    for days, version in history:
        # The change isn't in the history before its day: the daily task writes it there.
        if coming is not None and days.end == date.max and days.start < turn:
            yield Period(days.start, turn), version
            yield Period(turn, date.max), coming
        else:
            yield days, version


def charged_parts(
    versions: Iterable[tuple[Period, V]],
    addons: Sequence[tuple[Period, AddonTerms]],
    *,
    period: Period,
    first_charged_on: date,
) -> Iterator[tuple[Period, V, tuple[AddonTerms, ...]]]:
    """Yield the unbroken parts of a period under one version and the same add-ons.

    Days before the subscription, in a pause, after its end, or in a trial are in none.
    """
    # An add-on's first and last day part a segment: within one, the add-ons are the same on every day.
    cuts = [day for days, _ in addons for day in (days.start, days.end)]
    # Days that began in the trial are never due, whatever the proration.
    charged = Period(max(period.start, first_charged_on), date.max)
    for days, version in versions:
        within = days.overlap(period)
        due = within.overlap(charged) if within else None
        if due is None:
            continue
        for part in due.split(*cuts):
            yield part, version, tuple(addon for days, addon in addons if days.contains(part))
