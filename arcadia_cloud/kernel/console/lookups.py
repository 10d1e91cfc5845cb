"""Addresses that no page offers: what a list is asked for by hand is refused, never an error of ours."""

from typing import Any, Final, TypeVar

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import BadRequest, ValidationError
from django.db import DataError, ProgrammingError
from django.db.models import Field, JSONField, Model, QuerySet
from django.http import HttpRequest, HttpResponse

from arcadia_cloud.kernel.console.change_text import describe_forms
from arcadia_cloud.kernel.console.theme import ThemedAdmin, ThemedChangeList

M = TypeVar("M", bound=Model)

# What the console's own links and filters use. Others take patterns, ranges and types of their own.
_ALLOWED: Final = frozenset({"exact", "isnull", "gte", "lt"})


class StrictChangeList(ThemedChangeList):
    """A list whose filters may have values that only the database refuses."""

    def get_results(self, request: HttpRequest) -> None:
        """Count and page. Raises IncorrectLookupParameters (back to the list) for a value of another type."""
        try:
            super().get_results(request)
        except (DataError, ProgrammingError) as error:
            raise IncorrectLookupParameters from error


class StrictLookupsAdmin(ThemedAdmin[M]):
    """An admin whose list takes the lookups of its own links, and actions on rows that can exist.

    It logs what a form changed with old and new values.
    """

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Refuse (400) patterns, ranges and transforms, which Django allows on every local column."""
        column, *rest = lookup.split("__")
        columns = {field.name: field for field in self.model._meta.get_fields()}
        # A value for a list or an object is only understood by the database, which refuses most.
        if isinstance(columns.get(column), ArrayField | JSONField) or (rest and rest[-1] not in _ALLOWED):
            return False
        return super().lookup_allowed(lookup, value, request)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Describe each change in the log, with the old value and the new one."""
        # Every page of the console inherits this: Django's own text names the fields alone.
        return describe_forms(form, formsets or ())

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ThemedChangeList]:
        return StrictChangeList

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[M], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Run an action. Raises BadRequest (400) for a selection that isn't of row's ids."""
        if not all(is_key_of(self.model, text) for text in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest("the selection has what is no row's id")
        return super().response_action(request, queryset, *args, **kwargs)


def is_key_of(model: type[Model], text: str) -> bool:
    """Return whether a row of the model could have this primary key: of its type, and in its range."""
    key: Field[Any, Any] = model._meta.pk
    try:
        key.run_validators(key.to_python(text))
    except ValidationError:
        return False
    return "\0" not in text
