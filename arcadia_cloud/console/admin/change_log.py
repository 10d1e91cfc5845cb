"""The change log: every change that an operator made from the console."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.utils.html import format_html

from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display


@admin.register(LogEntry)
class LogEntryAdmin(RecordAdmin[LogEntry]):
    """Every change, newest first."""

    list_display = ("action_time", "user", "of", "what")
    list_select_related = ("user", "content_type")
    list_display_links = ("action_time",)
    search_fields = ("user__username__exact", "object_repr")
    search_help_text = "A whole user's name, or words of what was changed"
    sortable_by = ()
    fields = ("action_time", "user", "content_type", "of", "what")
    readonly_fields = ("of", "what")

    @display(description="of")
    def of(self, entry: LogEntry) -> str:
        address = entry.get_admin_url() if entry.object_id and not entry.is_deletion() else None
        if not address:
            return f"{entry.content_type}: {entry.object_repr}"
        return format_html(
            '{}: <a href="{}" class="text-link">{}</a>', entry.content_type, address, entry.object_repr
        )

    @display(description="what")
    def what(self, entry: LogEntry) -> str:
        return entry.get_change_message() or entry.get_action_flag_display()
