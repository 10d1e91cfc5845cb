"""Filters of the list of deployments."""

from typing import ClassVar

from django_filters import rest_framework as filters

from deployments.models import Deployment
from deployments.states import DeploymentState


class DeploymentFilter(filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """Deployments in a state, in a region, of a slug."""

    state = filters.ChoiceFilter(choices=DeploymentState.choices, help_text="The state.")
    region = filters.CharFilter(help_text="The region, as `syd1`.")
    slug = filters.CharFilter(help_text="The whole slug.")

    class Meta:
        model = Deployment
        fields: ClassVar[list[str]] = []


class OperatorDeploymentFilter(DeploymentFilter):
    """Operators see every tenant, so they can ask for one."""

    tenant = filters.CharFilter(field_name="tenant_id", help_text="The tenant's id. Operators only.")
