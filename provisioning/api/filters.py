"""The filters of the API's list of sagas."""

from typing import ClassVar

from django_filters import rest_framework as filters

from arcadia_cloud.kernel.api.filters import IdFilter
from provisioning.models import SagaQuerySet, SagaRun
from provisioning.states import SagaStatus


class SagaFilter(filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """Every saga, live or ended, unless a status is asked for."""

    status = filters.ChoiceFilter(choices=SagaStatus.choices, help_text="How it stands.")
    kind = filters.CharFilter(max_length=80, help_text="The workflow, also one that is no longer known.")
    deployment = IdFilter(field_name="deployment_id", help_text="The deployment's id.")

    class Meta:
        model = SagaRun
        fields: ClassVar[list[str]] = []


class OperatorSagaFilter(SagaFilter):
    """Operators see every tenant, and what a saga works on."""

    subject = filters.CharFilter(
        method="filter_subject",
        help_text="What it works or worked on, exactly, as `droplet:4711`. Operators only.",
    )
    tenant = filters.CharFilter(field_name="tenant_id", help_text="The tenant's id. Operators only.")

    def filter_subject(self, queryset: SagaQuerySet, _name: str, value: str) -> SagaQuerySet:
        return queryset.about(value)
