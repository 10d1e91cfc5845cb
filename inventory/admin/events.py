"""The console's list of resource events: reached from a resource, and from a sync run."""

from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Page
from django.db.models import QuerySet
from django.template.loader import render_to_string

from arcadia_cloud.kernel.console.filters import ExactTextFilter, RowNumberFilter
from arcadia_cloud.kernel.console.formatting import row_link
from arcadia_cloud.kernel.console.paging import BoundedPaginator
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display
from inventory.admin.formatting import EVENT_COLOURS, history_entry
from inventory.models import ResourceEvent
from inventory.queries import rows_of


class ResourceNumberFilter(RowNumberFilter):
    title = "resource's number"
    parameter_name = "resource"


class SourceFilter(ExactTextFilter):
    title = "source, as run:12"
    parameter_name = "source"


class HistoryPaginator(BoundedPaginator):
    """Pages that are as fast however far back a run's events begin."""

    def page(self, number: int | str) -> Page[Any]:
        page = super().page(number)
        shown, listed = cast("tuple[QuerySet[ResourceEvent], ...]", (page.object_list, self.object_list))
        page.object_list = rows_of(shown, listed)
        return page


@admin.register(ResourceEvent)
class ResourceEventAdmin(RecordAdmin[ResourceEvent]):
    """The history, newest first. Both filters have an index, at any number of rows."""

    paginator = HistoryPaginator
    list_display = ("at", "happened", "of", "changes", "actor", "source")
    list_filter = (ResourceNumberFilter, SourceFilter)
    list_select_related = ("resource",)
    sortable_by = ()
    fields = ("at", "happened", "of", "changes", "actor", "source")
    readonly_fields = ("happened", "of", "changes")

    @display(description="event", label=EVENT_COLOURS)
    def happened(self, event: ResourceEvent) -> str:
        return event.event_type

    @display(description="resource")
    def of(self, event: ResourceEvent) -> str:
        return row_link("inventory_resource", event.resource_id, event.resource)

    @display(description="what changed")
    def changes(self, event: ResourceEvent) -> str:
        context: dict[str, Any] = {"changes": history_entry(event).changes}
        return render_to_string("inventory/changes.html", context)
