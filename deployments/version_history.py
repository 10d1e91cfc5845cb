"""The days of a subscription's versions. A day belongs to one: that of a change to the new version.

A version that was in force at all has a day at least, so that nothing is subscribed to and paused for free. A
subscription is locked by the caller before its days change.
"""

from datetime import date, timedelta

from catalog.models import PlanVersion
from deployments.models import Subscription, SubscriptionVersion


def open_version(subscription: Subscription, version: PlanVersion, *, on: date) -> None:
    """Put the version in force from that day on; the days before, since it was closed, stay paused."""
    last = subscription.versions.order_by("-starts_on").first()
    # One that ended with the day before stays: continued, it could end before this day, which would be free.
    if last is not None and last.ends_on is not None and last.ends_on > on:
        # Closed on this very day, or the day after by the rule of one day: two rows would share a day.
        if last.plan_version_id == version.pk or last.starts_on >= on:
            _store(last, version, ends_on=None)
            return
        _store(last, last.plan_version, ends_on=on)
    SubscriptionVersion.objects.create(subscription=subscription, plan_version=version, starts_on=on)


def close_version(subscription: Subscription, *, on: date) -> None:
    """End the version that is in force with the day before; with this day where it began on it."""
    present = _version_in_force(subscription)
    if present is not None:
        # A day at least: ended on its first day, it would have been in force for nothing.
        ends_on = max(on, present.starts_on + timedelta(days=1))
        _store(present, present.plan_version, ends_on=ends_on)


def replace_version(subscription: Subscription, version: PlanVersion, *, on: date) -> None:
    """Put another version in force from that day on, in place of the one that is; none is in a pause."""
    present = _version_in_force(subscription)
    if present is None:
        return
    if present.starts_on >= on:  # of two changes on one day the last has the day
        _store(present, version, ends_on=None)
        return
    # The old one ends before the new one begins: the exclusion constraint looks at each statement.
    _store(present, present.plan_version, ends_on=on)
    SubscriptionVersion.objects.create(subscription=subscription, plan_version=version, starts_on=on)


def _version_in_force(subscription: Subscription) -> SubscriptionVersion | None:
    return subscription.versions.select_related("plan_version").filter(ends_on=None).first()


def _store(row: SubscriptionVersion, version: PlanVersion, *, ends_on: date | None) -> None:
    row.plan_version, row.ends_on = version, ends_on
    row.save(update_fields=["plan_version", "ends_on"])
