"""The console's theme, typed: django-unfold ships no types, and its classes keep to Django's."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as ThemedAdmin

    def display(
        *,
        description: str,
        ordering: str | None = None,
        label: bool | Mapping[str, str] | None = None,
        boolean: bool | None = None,
    ) -> Callable[[F], F]:
        """Present a column; `label` maps its values to the theme's colours."""

    def action(
        *,
        description: str,
        permissions: Sequence[str],
        icon: str | None = None,
        dialog: Mapping[str, Any] | None = None,
    ) -> Callable[[F], F]:
        """A button of a list or of a page; with a `dialog`, it is asked and posted there."""

else:
    from unfold.admin import ModelAdmin
    from unfold.decorators import action, display

    class ThemedAdmin(ModelAdmin):
        def __class_getitem__(cls, _model: object) -> type:
            return cls


__all__ = ["ThemedAdmin", "action", "display"]
