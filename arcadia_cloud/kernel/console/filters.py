"""Filters of lists. None of them reads the table to offer its choices."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from arcadia_cloud.kernel.console.theme import DropdownFilter, TextFilter

Choices = Sequence[tuple[str, str]]
_MOST_DIGITS: Final = 18  # every number of so many digits fits a bigint


class ChoiceFilter(DropdownFilter):
    """Rows whose column has the chosen value.

    Declare `title`, `parameter_name` and `options` (or `lookups`). `column` is `parameter_name` unless
    another is named; a choice that is no value of the column has its condition in `conditions`.
    """

    column: ClassVar[str] = ""
    options: ClassVar[Any] = ()  # of (value, label), or an enum's `choices`
    conditions: ClassVar[Mapping[str, Q]] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(str(value), str(label)) for value, label in type(self).options]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        value = self.value()
        if not value:
            return queryset
        if value not in {str(choice) for choice, _ in self.lookup_choices}:
            raise IncorrectLookupParameters(f"{self.title}: {value!r} is none of the choices")
        equal = Q(**{self.column or str(self.parameter_name): value})
        return queryset.filter(self.conditions.get(value, equal))


class StateFilter(ChoiceFilter):
    """A choice that is made from the start: `default` unless another is asked for."""

    all_option = None
    default: ClassVar[str]

    def value(self) -> str:
        return super().value() or self.default


class ExactTextFilter(TextFilter):
    """Rows whose column equals what was typed. Declare as ChoiceFilter, without options."""

    column: ClassVar[str] = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        value = self.value()
        return queryset.filter(**{self.column or str(self.parameter_name): value}) if value else queryset


class TenantFilter(ExactTextFilter):
    """One tenant's rows."""

    title = "tenant"
    parameter_name = "tenant"
    column = "tenant_id"


class RowNumberFilter(TextFilter):
    """Rows that point to one row of another table, by its number; what is no number finds none."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        value = self.value()
        if not value:
            return queryset
        is_number = value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS
        return queryset.filter(**{str(self.parameter_name): int(value)}) if is_number else queryset.none()
