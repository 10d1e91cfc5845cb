"""Pages of records: rows that only the machinery writes, so no operator adds, edits or deletes them."""

from typing import Any, ClassVar, TypeVar

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from arcadia_cloud.kernel.console.actions import ActionsAdmin
from arcadia_cloud.kernel.console.lookups import StrictLookupsAdmin
from arcadia_cloud.kernel.console.paging import BoundedChangeList, BoundedPaginator
from arcadia_cloud.kernel.console.theme import ThemedChangeList
from arcadia_cloud.kernel.errors import DomainError

M = TypeVar("M", bound=Model)


class BoundedAdmin(StrictLookupsAdmin[M]):
    """A list that opens fast whatever the table's size, and that offers no deletion."""

    paginator = BoundedPaginator
    list_filter_submit = True
    list_per_page = 50
    list_max_show_all = 0
    show_facets = ShowFacets.NEVER  # each facet would be a count over the whole table
    show_full_result_count = False
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ThemedChangeList]:
        return BoundedChangeList

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form; what a service refuses, as where another was faster, is shown on the page."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


class RecordAdmin(ActionsAdmin[M], BoundedAdmin[M]):
    """A list, and a page per row to look at, with the dialogs of its actions where there are any."""

    def extra_context(self, request: HttpRequest, row: M) -> dict[str, Any]:
        """Return what the row's page shows beside its fields, by the names that its template knows."""
        return {}

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: M | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context |= self.extra_context(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False
