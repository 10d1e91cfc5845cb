"""The jobs page and its actions: switch, move, run now. Who may look at the schedule sees it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_celery_beat.models import PeriodicTask

from arcadia_cloud.console.jobs.form import JobTimeForm
from arcadia_cloud.console.jobs.rows import describe_run, list_job_rows, read_job_row
from arcadia_cloud.http.process_checks import missing_processes
from arcadia_cloud.kernel.console.actions import actor_of
from arcadia_cloud.kernel.errors import DomainError
from arcadia_cloud.kernel.processes import read_processes
from arcadia_cloud.kernel.queue.job_runs import list_runs
from arcadia_cloud.kernel.queue.schedule.jobs import JobChange, move_job, run_job, switch_job

TITLE: Final = "Jobs"
VIEW_JOBS: Final = "django_celery_beat.view_periodictask"
_CHANGE: Final = "django_celery_beat.change_periodictask"
_MOST_DIGITS: Final = 9

View = Callable[..., HttpResponse]


def _require(permission: str) -> Callable[[View], View]:
    """Let only staff with the permission in; others get the login page, or 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return cast("View", admin.site.admin_view(checked))

    return decorate


@_require(VIEW_JOBS)
@require_GET
def jobs_view(request: HttpRequest) -> HttpResponse:
    """Show every job. `?edit=` opens the form of one job's time, and the page stays still meanwhile."""
    asked = request.GET.get("edit", "")
    edited = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= _MOST_DIGITS else None
    task = _find(edited) if edited and request.user.has_perm(_CHANGE) else None
    return _render_jobs(request, JobTimeForm(task) if task else None, edited if task else None)


@_require(VIEW_JOBS)
@require_GET
def job_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one job with its last runs."""
    task = _find(pk)
    if task is None:
        raise Http404
    at = timezone.now()
    processes = read_processes(at=at)
    context = {
        "job": read_job_row(task, processes, at=at),
        "task": task,
        "runs": [describe_run(run, at=at) for run in list_runs(task.name)],
        "may_change": request.user.has_perm(_CHANGE),
        "expert_page": reverse("admin:django_celery_beat_periodictask_change", args=[pk]),
    }
    return _render(request, "console/job.html", task.name, context)


@_require(_CHANGE)
@require_POST
def switch_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a job on or off: to what the button named, not to the other of what it is by now."""
    enabled = request.POST.get("to") == "on"
    return _act(
        request, pk, lambda: _log(request, switch_job(pk, enabled=enabled), "enabled"), word="switched"
    )


@_require(_CHANGE)
@require_POST
def run_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a worker to run a job now."""

    def run() -> str:
        task = run_job(pk, actor=actor_of(request), at=timezone.now())
        _write_entry(request, task, "Run now, from the console.")
        return f"{task.name}: a worker was asked."

    return _act(request, pk, run, word="asked for")


@_require(_CHANGE)
@require_POST
def time_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a job; what is wrong is shown at its field."""
    task = _find(pk)
    if task is None:
        raise Http404
    form = JobTimeForm(task, request.POST)
    if not form.is_valid():
        return _render_jobs(request, form, pk)
    timing = form.cleaned_data["timing"]
    return _act(
        request,
        pk,
        lambda: _log(request, move_job(pk, timing, at=timezone.now()), "time"),
        word="moved",
    )


def _act(request: HttpRequest, pk: int, act: Callable[[], str], *, word: str) -> HttpResponse:
    """Do it, show its message or its refusal, and go back to the job's row."""
    try:
        messages.success(request, act())
    except DomainError as refusal:
        messages.error(request, f"Not {word}: {refusal.detail}")
    return HttpResponseRedirect(f"{reverse('jobs')}#job-{pk}")


def _log(request: HttpRequest, change: JobChange, field: str) -> str:
    """Log a change with its old value and the new one; return the message of it."""
    if change.old == change.new:
        return f"{change.task.name}: nothing changed, it was {change.new} already."
    _write_entry(request, change.task, f"{field}: {change.old} → {change.new}")
    return f"{change.task.name}: {change.old} → {change.new}."


def _write_entry(request: HttpRequest, task: PeriodicTask, message: str) -> None:
    user = cast("User", request.user)
    LogEntry.objects.log_actions(user.pk, [task], CHANGE, message, single_object=True)


def _find(pk: int | None) -> PeriodicTask | None:
    found = PeriodicTask.objects.select_related("crontab", "interval", "solar", "clocked").filter(pk=pk)
    task: PeriodicTask | None = found.first()
    return task


def _render_jobs(request: HttpRequest, form: JobTimeForm | None, edited: int | None) -> HttpResponse:
    at = timezone.now()
    processes = read_processes(at=at)
    rows = list_job_rows(processes, at=at)
    context = {
        "processes": processes,
        "missing": missing_processes(processes),
        "jobs": rows,
        "form": form,
        "edited": edited,
        "is_moving": any(row.state.is_moving for row in rows),
        "may_change": request.user.has_perm(_CHANGE),
    }
    return _render(request, "console/jobs.html", TITLE, context)


def _render(request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
    shown = {**admin.site.each_context(request), "title": title, "content_title": title, **context}
    return TemplateResponse(request, template, shown)
