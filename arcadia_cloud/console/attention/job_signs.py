"""The signs that scheduled jobs show: the last run failed, none takes the next, beat doesn't ask for it."""

from collections.abc import Collection, Sequence

from django.urls import reverse

from arcadia_cloud.console.attention.concern import WARNING, Sign
from arcadia_cloud.console.attention.provider_faults import provider_fault
from arcadia_cloud.console.jobs.rows import JobRow
from arcadia_cloud.kernel.processes import Processes


def signs_of_jobs(
    jobs: Sequence[JobRow], processes: Processes, *, alert_messages: Collection[str]
) -> list[Sign]:
    """Return a sign for each job that doesn't get done.

    One whose cause has its own entry has none here: no worker on its queue, no beat, an alert in its words.
    """
    unserved = set(processes.unserved)
    signs = []
    for job in jobs:
        word, detail = job.state.word, job.state.detail
        is_lost = (word == "waiting" and job.queue not in unserved) or (word == "overdue" and processes.beats)
        has_failed = word in {"failed", "expired"} and not any(
            each and each in detail for each in alert_messages
        )
        if not (is_lost or has_failed):
            continue
        fault = provider_fault(detail) if has_failed else ""
        signs.append(
            Sign(
                cause=("provider", fault) if fault else ("job", job.name),
                severity=WARNING,
                sentence=f"Job {job.name} {'failed' if has_failed else word}: {fault or detail}",
                href=reverse("job", args=[job.pk]),
                about=fault,
                noun="job",
                name=f"job:{job.pk}",
                list_href=reverse("jobs"),
                since=job.state.since,
            )
        )
    return signs
