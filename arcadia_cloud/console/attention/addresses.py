"""The page of the thing that an alert is about."""

from collections.abc import Iterable, Mapping
from typing import Final

from django.urls import reverse
from django.utils.http import urlencode

from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.subject_links import url_of
from inventory.queries import find_resources
from inventory.values import Kind
from provisioning.states import SagaStatus

HOME_WORKERS: Final = "#home-workers"
# Subjects that are no row: the list in which the matter shows.
_LISTS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "creates": ("admin:provisioning_sagarun_changelist", {"status": SagaStatus.WAITING}),
    "token": ("admin:provisioning_sagarun_changelist", {"status": SagaStatus.WAITING}),
    "metering": ("admin:metering_usagerecord_changelist", {}),
    "billing:balance": ("admin:billing_balancesnapshot_changelist", {}),
    "billing:history": ("admin:billing_providerinvoice_changelist", {}),
}


class SubjectAddresses:
    """The pages of these subjects. One query, for the resources that are named by the provider's id."""

    def __init__(self, subjects: Iterable[str]) -> None:
        self._resources = find_resources({pair for each in subjects if (pair := _resource_of(each))})

    def find(self, alert: Alert) -> str:
        """Return the thing's page, or the list that has it; the alert's own page where there is none."""
        subject = alert.subject
        if address := url_of(subject):
            return address
        if (pair := _resource_of(subject)) and (pk := self._resources.get(pair)):
            return reverse("admin:inventory_resource_change", args=[pk])
        listed = _LISTS.get(subject) or _LISTS.get(subject.partition(":")[0])
        if listed is None:
            return reverse("admin:kernel_alert_change", args=[alert.pk])
        page, query = listed
        return list_address(page, **query)


def list_address(page: str, **query: str) -> str:
    """Return the address of a list, by its URL's name, narrowed."""
    return f"{reverse(page)}?{urlencode(query)}" if query else reverse(page)


def _resource_of(subject: str) -> tuple[str, str] | None:
    """Return kind and provider's id of a subject such as `droplet:4711`; None for one of another sort."""
    kind, _, name = subject.partition(":")
    kind = str(Kind.SPACES_BUCKET) if kind == "bucket" else kind
    return (kind, name) if kind in Kind.values and name else None
