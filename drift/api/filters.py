"""The filters of the API's list of drift."""

from typing import Any, ClassVar

from django_filters import rest_framework as filters

from arcadia_cloud.kernel.api.filters import IdFilter
from drift.models import Drift, DriftQuerySet
from drift.states import DriftStatus
from inventory.values import Kind


class DriftFilter(filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """Open rows, unless another status is asked for."""

    status = filters.ChoiceFilter(choices=DriftStatus.choices, help_text="`open` unless it is given.")
    kind = filters.ChoiceFilter(choices=Kind.choices, help_text="The resource's kind.")
    field = filters.CharFilter(max_length=80, help_text="The field that differs, as `size_slug`.")
    resource = IdFilter(field_name="resource_id", help_text="The resource's id in the inventory.")
    tenant = filters.CharFilter(field_name="resource__tenant_id", help_text="The tenant's id.")
    cause = filters.CharFilter(max_length=32, help_text="Rows of one cause: `cause` of any of them.")

    class Meta:
        model = Drift
        fields: ClassVar[list[str]] = []

    def filter_queryset(self, queryset: DriftQuerySet) -> Any:  # Any: the library is untyped
        found = super().filter_queryset(queryset)
        # The index of open rows serves the list; without a status it would read history.
        return found if self.form.cleaned_data["status"] else found.open()
