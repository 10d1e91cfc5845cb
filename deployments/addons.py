"""Add-ons of subscriptions: while attached, each keeps the price and quantity of the day on which it was."""

from datetime import datetime, timedelta

from arcadia_cloud.kernel.money import exact_text
from catalog.models import Addon
from deployments import registry
from deployments.errors import AddonAttached, AddonNotAttached, AddonNotOnSale, CurrencyDiffers
from deployments.event_log import record_event
from deployments.models import Subscription, SubscriptionAddon
from deployments.renewal import day_of
from deployments.values import EventType


def attach(
    subscription: Subscription, code: str, *, actor: str, at: datetime, field: str = "code"
) -> SubscriptionAddon:
    """Attach an add-on to a locked subscription, from today on.

    One that was detached today, on the day on which it came, is taken back as it was. Raises AddonNotOnSale,
    AddonAttached, CurrencyDiffers, under `field`, and what a guard of an app above raises.
    """
    addon = Addon.objects.filter(code=code, active=True).first()
    if addon is None:
        rule = f"There is no add-on {code} on sale."
        raise AddonNotOnSale(f"there is no add-on {code} on sale", errors={field: [rule]})
    if addon.currency != subscription.plan_version.currency:
        wanted = subscription.plan_version.currency
        refusal = f"{code} is in {addon.currency}, the subscription in {wanted}"
        raise CurrencyDiffers(refusal, errors={field: [f"Must be sold in {wanted}, not {addon.currency}."]})
    deployment, on = subscription.deployment, day_of(at)
    last = subscription.addons.filter(addon=addon).order_by("-attached_on").first()
    if last is not None and last.detached_on is None:
        refusal = f"deployment {deployment.slug} has {code} already"
        raise AddonAttached(refusal, errors={field: [f"The deployment has {code} already."]})
    order = registry.AddonOrder(deployment.pk, code, addon.resource_kind, actor, at)
    # Asked last, when all else is well: a guard may be dear.
    registry.check_addon(order)
    if last is not None and last.detached_on is not None and last.detached_on > on:
        # A second row would share the day with it.
        attached, last.detached_on = last, None
        last.save(update_fields=["detached_on"])
    else:
        attached = SubscriptionAddon.objects.create(
            subscription=subscription,
            addon=addon,
            resource_kind=addon.resource_kind,
            qty=addon.qty,
            price_cents=addon.price_cents,  # the snapshot: an editor of the catalog changes it there alone
            currency=addon.currency,
            attached_on=on,
        )
    record_event(
        deployment,
        EventType.ADDON_ATTACHED,
        to=code,
        actor=actor,
        at=at,
        details={"price_cents": attached.price_cents, "qty": exact_text(attached.qty, places=0)},
    )
    return attached


def detach(subscription: Subscription, code: str, *, actor: str, at: datetime) -> SubscriptionAddon:
    """Detach an add-on from a locked subscription: today is its first day without, or its only one with.

    Raises AddonNotAttached.
    """
    attached = subscription.addons.select_related("addon").filter(addon__code=code, detached_on=None).first()
    if attached is None:
        raise AddonNotAttached(f"deployment {subscription.deployment.slug} doesn't have {code}")
    # A day at least: what is attached and detached within one isn't free.
    attached.detached_on = max(day_of(at), attached.attached_on + timedelta(days=1))
    attached.save(update_fields=["detached_on"])
    record_event(subscription.deployment, EventType.ADDON_DETACHED, present=code, actor=actor, at=at)
    return attached
