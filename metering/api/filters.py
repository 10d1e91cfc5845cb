"""Filters of usage records, and the days that a question is about."""

from datetime import UTC, date, datetime, time
from typing import Any, ClassVar, Final

from django.utils import timezone
from django.utils.dateparse import parse_date
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from arcadia_cloud.kernel.api.filters import IdFilter
from arcadia_cloud.kernel.periods import Period, previous_month
from catalog.values.kinds import BillingKind
from metering.models import UsageQuerySet, UsageRecord
from metering.queries import running_days
from metering.values import Granularity

MOST_DAYS: Final = 366
FROM_HELP: Final = "The first day, as `2026-07-01`; by default the first of the running month."
TO_HELP: Final = "The day after the last one; by default tomorrow."
_BACKWARD: Final = "Must be after `from`."
DAYS: Final = [
    OpenApiParameter("from", OpenApiTypes.DATE, description=FROM_HELP),
    OpenApiParameter("to", OpenApiTypes.DATE, description=f"{TO_HELP} At most {MOST_DAYS} days."),
]
_RENAMED: Final = {"since": "from", "until": "to"}


class UsageFilter(filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """Usage of a deployment, on some days, of a kind."""

    deployment = IdFilter(field_name="deployment_id", help_text="The deployment's id.")
    kind = filters.ChoiceFilter(
        field_name="resource_kind", choices=BillingKind.choices, help_text="The billing kind."
    )
    granularity = filters.ChoiceFilter(choices=Granularity.choices, help_text="The periods' length.")
    since = filters.DateFilter(
        method="filter_since", help_text="The first day; by default the first of last month."
    )
    until = filters.DateFilter(method="filter_until", help_text="The day after the last one.")

    class Meta:
        model = UsageRecord
        fields: ClassVar[list[str]] = []

    @classmethod
    def get_filters(cls) -> Any:
        """As the library's; `from` is no name for a filter in Python."""
        return {_RENAMED.get(name, name): each for name, each in super().get_filters().items()}

    def filter_queryset(self, queryset: UsageQuerySet) -> UsageQuerySet:
        since, until = (self.form.cleaned_data[name] for name in ("from", "to"))
        if since and until and until <= since:
            raise ValidationError({"to": [_BACKWARD]})
        filtered: UsageQuerySet = super().filter_queryset(queryset)
        if since is not None:
            return filtered
        # Bounded, or a tenant's few rows would be looked for among those of all years.
        return filtered.filter(period_start__gte=previous_month(timezone.now()).starts_at)

    def filter_since(self, queryset: UsageQuerySet, _name: str, value: date) -> UsageQuerySet:
        return queryset.filter(period_start__gte=_midnight(value))

    def filter_until(self, queryset: UsageQuerySet, _name: str, value: date) -> UsageQuerySet:
        return queryset.filter(period_start__lt=_midnight(value))


class OperatorUsageFilter(UsageFilter):
    """Operators see every tenant, so they can ask for one."""

    tenant = filters.CharFilter(field_name="deployment__tenant_id", help_text="The tenant's. Operators only.")


def read_days(request: Request) -> Period:
    """Return the days that `from` and `to` name; by default those of the running month so far."""
    default, errors, days = running_days(timezone.now()), {}, {}
    for name, otherwise in (("from", default.start), ("to", default.end)):
        text = request.query_params.get(name)
        try:
            days[name] = otherwise if text is None else parse_date(text)
        except ValueError:
            days[name] = None
        if days[name] is None:
            errors[name] = ["Must be a day, as 2026-07-01."]
    since, until = days["from"], days["to"]
    if since is not None and until is not None:
        if until <= since:
            errors["to"] = [_BACKWARD]
        elif (until - since).days > MOST_DAYS:
            errors["to"] = [f"Must be within {MOST_DAYS} days of `from`."]
        else:
            return Period(since, until)
    raise ValidationError(errors)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
