"""Filters of the drift inbox."""

from datetime import datetime, timedelta

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from arcadia_cloud.kernel.console.filters import ChoiceFilter, ExactTextFilter, StateFilter
from drift.states import DriftStatus
from inventory.values import Kind


class StatusFilter(StateFilter):
    """Open rows unless others are asked for."""

    title = "status"
    parameter_name = "status"
    default = DriftStatus.OPEN
    options = DriftStatus.choices


class KindFilter(ChoiceFilter):
    title = "kind"
    parameter_name = "kind"
    options = Kind.choices


class FieldFilter(ExactTextFilter):
    title = "field"
    parameter_name = "field"


class CauseFilter(ExactTextFilter):
    title = "cause"
    parameter_name = "cause"


class TenantFilter(ExactTextFilter):
    title = "tenant"
    parameter_name = "tenant"
    column = "resource__tenant_id"


class AgeFilter(ChoiceFilter):
    """Rows by how long ago they were detected."""

    title = "age"
    parameter_name = "age"
    options = (("day", "Under a day"), ("week", "A day to a week"), ("older", "Over a week"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        if self.value() and self.value() not in dict(self.options):
            raise IncorrectLookupParameters(f"age: {self.value()!r} is none of the choices")
        return queryset.filter(ages(timezone.now()).get(self.value() or "", Q()))


def ages(now: datetime) -> dict[str, Q]:
    """Return the condition of each age at the instant `now`."""
    day_ago, week_ago = now - timedelta(days=1), now - timedelta(days=7)
    return {
        "day": Q(detected_at__gt=day_ago),
        "week": Q(detected_at__lte=day_ago, detected_at__gt=week_ago),
        "older": Q(detected_at__lte=week_ago),
    }
