"""The schedule: django-celery-beat's pages in the theme, without the timings that nothing here uses."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django_celery_beat.admin import CrontabScheduleAdmin as BeatCrontabAdmin
from django_celery_beat.admin import PeriodicTaskAdmin as BeatTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from arcadia_cloud.kernel.console.actions import actor_of
from arcadia_cloud.kernel.console.lookups import StrictLookupsAdmin
from arcadia_cloud.kernel.console.theme import OneLineInput, ThemedSelect
from arcadia_cloud.kernel.errors import DomainError
from arcadia_cloud.kernel.queue.schedule.jobs import run_job, switch_job

for _model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(_model)


class ThemedTaskSelect(ThemedSelect, TaskSelectWidget):  # type: ignore[misc] # the second has no types
    """The registered tasks' names, looking like every other choice."""


class ThemedTaskForm(PeriodicTaskForm):  # type: ignore[misc] # as above
    """The form of django-celery-beat with the theme's widgets."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widgets = {"regtask": ThemedTaskSelect(), "task": OneLineInput()}
        for name, field in self.fields.items():  # fewer for who may only look
            field.widget = widgets.get(name, field.widget)
            if name in {"description", "args", "kwargs"}:
                field.widget.attrs["rows"] = 2


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(BeatTaskAdmin, StrictLookupsAdmin[PeriodicTask]):  # type: ignore[misc] # as above
    """The scheduled tasks. A change is taken up within seconds and outlives the next set-up."""

    form = ThemedTaskForm
    list_display = ("name", "enabled", "scheduler", "queue", "last_run_at", "total_run_count")
    list_filter = ("enabled", "queue")
    list_filter_submit = True
    date_hierarchy = None
    ordering = ("name",)
    actions = ("enable_tasks", "disable_tasks", "run_now")
    change_form_template = None
    fieldsets = (
        (None, {"fields": ("name", "regtask", "task", "enabled", "description")}),
        ("When", {"fields": ("crontab", "crontab_description", "interval", "last_run_at", "one_off")}),
        ("How", {"fields": ("queue", "args", "kwargs", "expire_seconds", "priority")}),
    )
    readonly_fields = ("last_run_at", "crontab_description")

    @admin.display(description="crontab in words")
    def crontab_description(self, task: Any) -> str:
        return str(task.crontab.human_readable) if task.crontab else "-"

    def get_actions(self, request: HttpRequest) -> Any:
        """Every action here changes something, whatever the library declares."""
        return super().get_actions(request) if self.has_change_permission(request) else {}

    @admin.action(description="Run the selected tasks now", permissions=["change"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Send each to its queue at once, beside its schedule."""
        for task in queryset.order_by("name"):
            try:
                run_job(task.pk, actor=actor_of(request), at=timezone.now())
            except DomainError as refusal:
                self.message_user(request, f"{task.name}: {refusal.detail}", messages.ERROR)
            else:
                self.log_change(request, task, "Run now, from the console.")
                self.message_user(request, f"{task.name}: a worker was asked.", messages.SUCCESS)

    @admin.action(description="Switch the selected tasks on", permissions=["change"])
    def enable_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Switch each on; each change is logged, which the library's own action doesn't do."""
        self._switch_each(request, queryset, enabled=True)

    @admin.action(description="Switch the selected tasks off", permissions=["change"])
    def disable_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Switch each off, as above."""
        self._switch_each(request, queryset, enabled=False)

    def _switch_each(self, request: HttpRequest, queryset: QuerySet[Any], *, enabled: bool) -> None:
        for task in queryset.order_by("name"):
            change = switch_job(task.pk, enabled=enabled)
            if change.old != change.new:
                self.log_change(request, task, f"enabled: {change.old} → {change.new}")
        self.message_user(request, f"{queryset.count()} are {'on' if enabled else 'off'}.", messages.SUCCESS)


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(BeatCrontabAdmin, StrictLookupsAdmin[CrontabSchedule]):  # type: ignore[misc] # as above
    """Instants in cron's notation; UTC unless a time zone is set."""

    inlines = ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the tasks that use it would go with it


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(StrictLookupsAdmin[IntervalSchedule]):
    """Intervals between runs."""

    def has_delete_permission(self, request: HttpRequest, obj: IntervalSchedule | None = None) -> bool:
        return False  # as above
