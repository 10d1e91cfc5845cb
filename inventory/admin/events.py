"""The console's list of resource events: reached from a resource, and from a sync run."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string

from arcadia_cloud.kernel.console.filters import ExactTextFilter, RowNumberFilter
from arcadia_cloud.kernel.console.formatting import row_link
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display
from inventory.admin.formatting import EVENT_COLOURS, history_entry
from inventory.models import ResourceEvent
from inventory.queries import events_of_source


class ResourceNumberFilter(RowNumberFilter):
    title = "resource's number"
    parameter_name = "resource"


class SourceFilter(ExactTextFilter):
    """The events of one run, saga or operator, each page as fast however far back they begin."""

    title = "source, as run:12"
    parameter_name = "source"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        value = self.value()
        return queryset & events_of_source(value) if value else queryset


@admin.register(ResourceEvent)
class ResourceEventAdmin(RecordAdmin[ResourceEvent]):
    """The history, newest first. Both filters have an index, at any number of rows."""

    list_display = ("at", "happened", "of", "changes", "actor", "source")
    list_filter = (ResourceNumberFilter, SourceFilter)
    list_select_related = ("resource",)
    sortable_by = ()
    fields = ("at", "happened", "of", "changes", "actor", "source")
    readonly_fields = ("happened", "of", "changes")

    def get_ordering(self, request: HttpRequest) -> Any:  # as Django has it
        """Leave the events of one source in the order that reads them by their index."""
        is_of_source = request.GET.get(str(SourceFilter.parameter_name))
        return ("-source", "-pk") if is_of_source else super().get_ordering(request)

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
