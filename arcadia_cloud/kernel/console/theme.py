"""The console's theme, typed: django-unfold ships no types, and its classes keep to Django's."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import OrderBy

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as ThemedSite
    from django.contrib.admin import ModelAdmin as ThemedAdmin
    from django.contrib.admin import SimpleListFilter as DropdownFilter
    from django.contrib.admin import SimpleListFilter as TextFilter
    from django.contrib.admin import StackedInline as ThemedStackedInline
    from django.contrib.admin import TabularInline as ThemedTabularInline
    from django.contrib.admin.views.main import ChangeList as ThemedChangeList
    from django.forms import CheckboxInput as Checkbox
    from django.forms import CheckboxSelectMultiple as ThemedCheckboxes
    from django.forms import Form as DialogForm
    from django.forms import Select as ThemedSelect
    from django.forms import Textarea as ManyLinesInput
    from django.forms import TextInput as OneLineInput

    def display(
        *,
        description: str,
        ordering: str | OrderBy | None = None,
        label: bool | Mapping[str, str] | None = None,
    ) -> Callable[[F], F]:
        """Present a column; `label` maps its values to the theme's colours."""

    def action(
        *,
        description: str,
        permissions: Sequence[str],
        icon: str | None = None,
        dialog: Mapping[str, Any] | None = None,
    ) -> Callable[[F], F]:
        """A button of a list or of a page, behind a dialog: opening it asks, posting it acts."""

else:
    from unfold.admin import ModelAdmin, StackedInline, TabularInline
    from unfold.contrib.filters.admin import DropdownFilter, TextFilter
    from unfold.decorators import action, display
    from unfold.forms import BaseDialogForm as DialogForm
    from unfold.sites import UnfoldAdminSite as ThemedSite
    from unfold.views import ChangeList as ThemedChangeList
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as ThemedCheckboxes
    from unfold.widgets import UnfoldAdminSelectWidget as ThemedSelect
    from unfold.widgets import UnfoldAdminTextareaWidget as ManyLinesInput
    from unfold.widgets import UnfoldAdminTextInputWidget as OneLineInput
    from unfold.widgets import UnfoldBooleanWidget as Checkbox

    class ThemedAdmin(ModelAdmin):
        """Takes the model as a type parameter, as the stubs do."""

        def __class_getitem__(cls, _model: object) -> type:
            return cls

    class ThemedStackedInline(StackedInline):
        """Takes both models as type parameters, as the stubs do."""

        def __class_getitem__(cls, _models: object) -> type:
            return cls

    class ThemedTabularInline(TabularInline):
        """Takes both models as type parameters, as the stubs do."""

        def __class_getitem__(cls, _models: object) -> type:
            return cls


__all__ = [
    "Checkbox",
    "DialogForm",
    "DropdownFilter",
    "ManyLinesInput",
    "OneLineInput",
    "TextFilter",
    "ThemedAdmin",
    "ThemedChangeList",
    "ThemedCheckboxes",
    "ThemedSelect",
    "ThemedSite",
    "ThemedStackedInline",
    "ThemedTabularInline",
    "action",
    "display",
]
