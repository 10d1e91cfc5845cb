"""The log: every change that somebody made from the console, field by field."""

from datetime import timedelta
from typing import Any, ClassVar, Final

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django_celery_beat.models import PeriodicTask

from arcadia_cloud.kernel.console.filters import ChoiceFilter, Choices, ExactTextFilter
from arcadia_cloud.kernel.console.formatting import link
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display

_CHANGE_SEPARATOR: Final = "; "
_DAYS: Final = (
    ("1", "the last day"),
    ("7", "the last 7 days"),
    ("30", "the last 30 days"),
    ("365", "the last year"),
)


class PersonFilter(ExactTextFilter):
    """Changes of one login, by its whole name."""

    title = "person"
    parameter_name = "person"
    column = "user__username"


class ThingFilter(ChoiceFilter):
    """Changes of one kind of thing: of those that the console has pages of."""

    title = "kind of thing"
    parameter_name = "thing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        registered = [model for model in apps.get_models() if admin.site.is_registered(model)]
        names = {model._meta.label_lower: capfirst(model._meta.verbose_name) for model in registered}
        return sorted(((label, str(name)) for label, name in names.items()), key=lambda each: each[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        value = self.value()
        if not value:
            return queryset
        if value not in {choice for choice, _ in self.lookup_choices}:
            raise IncorrectLookupParameters(f"{self.title}: {value!r} is none of the choices")
        app, model = value.split(".")
        return queryset.filter(content_type__app_label=app, content_type__model=model)


class TimeFilter(ChoiceFilter):
    """Changes of the last days."""

    title = "time"
    parameter_name = "days"
    options = _DAYS

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        value = self.value()
        if not value:
            return queryset
        if value not in dict(_DAYS):
            raise IncorrectLookupParameters(f"{self.title}: {value!r} is none of the choices")
        return queryset.filter(action_time__gte=timezone.now() - timedelta(days=int(value)))


class ActionFilter(ChoiceFilter):
    title = "action"
    parameter_name = "action_flag"
    options: ClassVar = ((ADDITION, "Added"), (CHANGE, "Changed"), (DELETION, "Deleted"))


@admin.register(LogEntry)
class LogEntryAdmin(RecordAdmin[LogEntry]):
    """Every change, newest first."""

    list_display = ("at", "person", "thing", "what")
    list_select_related = ("user", "content_type")
    list_display_links = ("at",)
    list_filter = (PersonFilter, ThingFilter, TimeFilter, ActionFilter)
    search_fields = ("user__username__exact", "object_repr", "change_message")
    search_help_text = "A whole user's name, or words of the thing or the change"
    sortable_by = ()
    fields = ("at", "person", "thing", "what")
    readonly_fields = ("at", "person", "thing", "what")

    @display(description="time, UTC")
    def at(self, entry: LogEntry) -> str:
        return f"{entry.action_time:%Y-%m-%d %H:%M:%S}"

    @display(description="who")
    def person(self, entry: LogEntry) -> str:
        return entry.user.get_username()

    @display(description="thing")
    def thing(self, entry: LogEntry) -> str | SafeString:
        kind = entry.content_type.name if entry.content_type else "something that is gone"
        # What is deleted has no page; a job has one of ours beside its expert page.
        address = None if entry.is_deletion() else entry.get_admin_url()
        if address and entry.content_type and entry.content_type.model_class() is PeriodicTask:
            address = reverse("job", args=[entry.object_id])
        return format_html_join(
            ": ", "{}", [(kind,), (link(address, entry.object_repr) if address else entry.object_repr,)]
        )

    @display(description="what changed")
    def what(self, entry: LogEntry) -> SafeString:
        text = entry.get_change_message() or entry.get_action_flag_display()
        lines = [text] if entry.action_flag != CHANGE else text.split(_CHANGE_SEPARATOR)
        if entry.action_flag == ADDITION and _CHANGE_SEPARATOR in text:
            lines = ["Added.", *text.split(_CHANGE_SEPARATOR)]
        return format_html_join(
            "", '<span class="block console-change">{}</span>', ((line,) for line in lines)
        )
