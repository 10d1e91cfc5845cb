"""Filters that refuse what they don't understand, where django-filter's own would show everything."""

from typing import Any, Final

from django import forms
from django_filters import filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

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
