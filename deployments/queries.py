"""The reads of deployments: subscriptions, and the segments that their quotes are made from."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

from django.db.models import Count, F, Prefetch, QuerySet

from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period
from catalog.models import PlanVersion
from catalog.queries import price_book
from catalog.quote import quote
from catalog.values.terms import PlanTerms, PriceBook, QuoteInputs, Segment
from deployments.models import (
    Deployment,
    DeploymentEvent,
    Subscription,
    SubscriptionAddon,
    SubscriptionDiscount,
    SubscriptionVersion,
)
from deployments.quotes import (
    SubscribedTerms,
    charged_parts,
    days_of_versions,
    subscribed_terms,
)
from deployments.states import LIFECYCLE, LIVE_SUBSCRIPTIONS, tenant_may

__all__ = [
    "SubscribedTerms",
    "allowed_moves",
    "count_subscribers",
    "get_subscription_for_deployment",
    "latest_events",
    "no_usage",
    "quote_fees",
    "quote_inputs",
    "segments_of",
    "subscribed_terms",
    "subscribers_of_plan",
    "subscriptions_for_quotes",
]

# The usage of the days of a segment, by billing kind.
UsageOf: TypeAlias = Callable[[Period], Mapping[str, Decimal]]

EVENTS_SHOWN: Final = 50
_VERSIONS: Final = PlanVersion.objects.select_related("plan").prefetch_related("items")


def subscriptions_for_quotes() -> QuerySet[Subscription]:
    """Return subscriptions with all that their segments need at hand, in a fixed number of queries."""
    return Subscription.objects.select_related("deployment").prefetch_related(
        Prefetch("plan_version", _VERSIONS),
        Prefetch("next_plan_version", _VERSIONS),
        Prefetch(
            "versions", SubscriptionVersion.objects.prefetch_related(Prefetch("plan_version", _VERSIONS))
        ),
        Prefetch("addons", SubscriptionAddon.objects.select_related("addon")),
        Prefetch("discounts", SubscriptionDiscount.objects.order_by("id")),
    )


def get_subscription_for_deployment(deployment_pk: int) -> Subscription | None:
    """Return the deployment's live subscription, else its last one; None where it never had any."""
    # The live one has no end: nulls first puts it before all that ended.
    live_first = F("cancelled_at").desc(nulls_first=True)
    return subscriptions_for_quotes().filter(deployment=deployment_pk).order_by(live_first, "-pk").first()


def latest_events(deployment: Deployment) -> QuerySet[DeploymentEvent]:
    """Return the newest events of a deployment, the newest first."""
    return DeploymentEvent.objects.filter(deployment=deployment).order_by("-id")[:EVENTS_SHOWN]


def allowed_moves(state: str, *, as_tenant: bool) -> list[str]:
    """Return the states that a deployment in this one may be moved to, by a tenant or by an operator."""
    return [to for to in LIFECYCLE.allowed_from(state) if not as_tenant or tenant_may(state, to)]


def count_subscribers(version_pks: Sequence[int]) -> Mapping[int, int]:
    """Count the live subscriptions of versions; one without any is left out. The catalog's hook."""
    live = Subscription.objects.filter(plan_version__in=version_pks, status__in=LIVE_SUBSCRIPTIONS)
    counts = live.order_by().values("plan_version").annotate(number=Count("pk"))
    return {row["plan_version"]: row["number"] for row in counts}


def subscribers_of_plan(plan_pk: int) -> QuerySet[Subscription]:
    """Return the live subscriptions of a plan's versions, by key."""
    live = Subscription.objects.filter(plan_version__plan=plan_pk, status__in=LIVE_SUBSCRIPTIONS)
    return live.order_by("pk")


def no_usage(_days: Period) -> Mapping[str, Decimal]:
    """Return the usage of a quote that is for the fees alone."""
    return {}


def segments_of(
    subscription: Subscription, period: Period, usage_of: UsageOf = no_usage
) -> tuple[Segment, ...]:
    """Return the unbroken parts of a period under one version and the same add-ons.

    Days before the subscription, in a pause, after its end, or in a trial are in none. Reads nothing for a
    subscription of `subscriptions_for_quotes`.
    """
    terms: dict[int, PlanTerms] = {}
    segments = []
    history = [(row.days, row.plan_version) for row in subscription.versions.all()]
    parts = charged_parts(
        days_of_versions(history, subscription.next_plan_version, turn=subscription.current_period_end),
        [(addon.days, addon.terms()) for addon in subscription.addons.all()],
        period=period,
        first_charged_on=subscription.first_charged_on,
    )
    for days, version, attached in parts:
        # Once a version: a quote refuses two sets of terms of one, and building them is most of the work.
        if version.pk not in terms:
            terms[version.pk] = version.terms()
        segments.append(Segment(days=days, terms=terms[version.pk], addons=attached, usage=usage_of(days)))
    return tuple(segments)


def quote_inputs(
    subscription: Subscription, period: Period, book: PriceBook, usage_of: UsageOf = no_usage
) -> QuoteInputs:
    """Return all that the quote of a subscription's period depends on."""
    currency = subscription.plan_version.currency
    discounts = (row.terms(currency) for row in subscription.discounts.all() if row.has_days)
    return QuoteInputs(
        period=period,
        currency=currency,
        segments=segments_of(subscription, period, usage_of),
        book=book,
        discounts=tuple(discounts),
    )


def quote_fees(subscription: Subscription) -> Money:
    """Return what the running period costs before any usage: fees and discounts, with tax."""
    period = subscription.current_period
    book = price_book(period, subscription.plan_version.currency)
    return quote(quote_inputs(subscription, period, book)).total
