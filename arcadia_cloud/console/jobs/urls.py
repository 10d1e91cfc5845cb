"""The addresses of the jobs page, under /admin/jobs/."""

from django.urls import path

from arcadia_cloud.console.jobs.views import job_view, jobs_view, run_view, switch_view, time_view

urlpatterns = [
    path("", jobs_view, name="jobs"),
    path("<int:pk>/", job_view, name="job"),
    path("<int:pk>/switch/", switch_view, name="job_switch"),
    path("<int:pk>/run/", run_view, name="job_run"),
    path("<int:pk>/time/", time_view, name="job_time"),
]
