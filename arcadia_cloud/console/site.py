"""The admin site of the console."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from arcadia_cloud.console.navigation import navigation
from arcadia_cloud.kernel.console.theme import ThemedSite


class ConsoleSite(ThemedSite):
    """The theme's site, whose pages don't list every model for a menu that isn't shown."""

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Return what `django.contrib.admin.AdminSite.get_app_list` does, once somebody looks at it.

        It is in the context of every page, reverses two addresses for each model, and the console's menu is
        another: it would be a seventh of a page's time.
        """
        listed = super().get_app_list
        return SimpleLazyObject(lambda: listed(request, app_label))

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return the areas of the menu with their entries, each with `has_permission` and `active`."""
        return navigation(request)
