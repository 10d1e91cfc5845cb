"""Filters that refuse what they don't understand, where django-filter's own would show everything."""

from collections.abc import Iterable
from typing import Any, Final, cast

from django import forms
from django.core.exceptions import ValidationError as FormValidationError
from django.db.models import QuerySet
from django_filters import filters
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

_LARGEST_ID: Final = 2**63 - 1


class _FlagField(forms.Field):
    def to_python(self, value: Any) -> bool | None:
        if value in self.empty_values:
            return None
        if value not in {"true", "false"}:
            raise forms.ValidationError("Must be true or false.")
        return bool(value == "true")


@extend_schema_field(OpenApiTypes.BOOL)
class FlagFilter(filters.Filter):  # type: ignore[misc]  # the library is untyped
    """`true` or `false`. The library's BooleanFilter takes anything else for absent."""

    field_class = _FlagField


@extend_schema_field(OpenApiTypes.INT64)
class IdFilter(filters.Filter):  # type: ignore[misc]  # the library is untyped
    """A row's id. The library's NumberFilter takes fractions and numbers that no column holds."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=_LARGEST_ID, **kwargs)


class RuleFilterBackend(DjangoFilterBackend):  # type: ignore[misc]  # the library is untyped
    """The library's, with refusals that name the rule: which choices there are, what a date looks like.

    A list that is asked for without a filter costs nothing here: the library makes its form anew for each
    request, 7 % of a page of deployments by the profiler.
    """

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Raise ValidationError, by parameter, for values that a filter doesn't take."""
        kind = self.get_filterset_class(view, queryset)
        # One with a `filter_queryset` of its own narrows by what isn't given, too.
        is_plain = kind is None or kind.filter_queryset is FilterSet.filter_queryset
        if is_plain and not (kind and kind.base_filters.keys() & request.query_params.keys()):
            return queryset
        filterset = self.get_filterset(request, queryset, view)
        if not filterset.is_valid():
            refused = filterset.form.errors.as_data()
            fields = filterset.form.fields
            raise ValidationError(
                {name: [_rule(fields.get(name), error) for error in found] for name, found in refused.items()}
            )
        filtered: QuerySet[Any] = filterset.qs
        return filtered


def _rule(field: forms.Field | None, error: FormValidationError) -> str:
    if isinstance(field, forms.ChoiceField) and error.code == "invalid_choice":
        # The first is the library's own, for none.
        choices = cast("Iterable[tuple[Any, Any]]", field.choices)
        return f"Must be one of {', '.join(str(value) for value, _ in choices if value)}."
    if isinstance(field, forms.DateField) and error.code == "invalid":
        return "Must be a day, as 2026-04-01."
    if isinstance(field, forms.IntegerField) and error.code == "invalid":
        return "Must be a whole number."
    return " ".join(error.messages)
