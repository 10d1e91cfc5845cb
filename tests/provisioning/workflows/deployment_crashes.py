"""Deployments' sagas whose workers die, side by side, and the truths about how each deployment ends."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from deployments.models import Deployment
from provisioning.models import SagaRun
from provisioning.states import ENDED
from tests.provisioning.crashes import Crashes
from tests.provisioning.sagas import start
from tests.provisioning.workflows.cloud import Cloud
from tests.provisioning.workflows.crash_cases import FAILING, SECONDS, Case
from tests.provisioning.workflows.deployment_cases import (
    IMAGE,
    NEW_IMAGE,
    Ended,
    ended,
    published_template,
    running,
    subscribed,
    suspended,
)

PROVISION, SUSPEND, RESUME, UPDATE, OFFBOARD = DEPLOYMENT_KINDS = (
    "provision_deployment",
    "suspend_deployment",
    "resume_deployment",
    "update_deployment",
    "offboard_deployment",
)
INPUTS: Final[dict[str, dict[str, Any]]] = {
    PROVISION: {"template_code": "kiosk"},
    UPDATE: {"image": NEW_IMAGE},
}


@dataclass(slots=True)
class DeploymentRun:
    """A case's saga and its deployment."""

    case: Case
    saga: SagaRun
    deployment: Deployment

    @property
    def seconds(self) -> float:
        """From its start to its end."""
        assert self.saga.finished_at is not None
        return (self.saga.finished_at - self.saga.created_at).total_seconds()


def run_cases(
    cases: Sequence[Case], cloud: Cloud, crashes: Crashes, failing: Callable[[str], str]
) -> list[DeploymentRun]:
    """The cases' sagas, ended all of them; fails when one takes longer than two minutes."""
    published_template()
    runs = []
    for number, case in enumerate(cases):
        slug = f"kiosk-{case.kind.partition('_')[0]}-{number}-{int(time.time() * 1000) % 100_000}"
        deployment = _make(case.kind, cloud, slug)
        kind = failing(case.kind) if case.way == FAILING else case.kind
        with transaction.atomic():
            saga = start(kind, deployment_id=deployment.pk, **INPUTS.get(case.kind, {}))
            crashes.plan(saga.pk, case.deeds(len(saga.step_modules)))
        runs.append(DeploymentRun(case, saga, deployment))
    deadline = time.monotonic() + SECONDS
    while live := SagaRun.objects.filter(pk__in=[run.saga.pk for run in runs]).exclude(status__in=ENDED):
        stuck = [f"{saga} {saga.status}: {saga.wait_reason}" for saga in live]
        assert time.monotonic() < deadline, "\n".join(stuck)
        time.sleep(0.2)
    for run in runs:
        run.saga.refresh_from_db()
    return runs


def _make(kind: str, cloud: Cloud, slug: str) -> Deployment:
    if kind == PROVISION:
        return subscribed(slug)
    return suspended(cloud, slug, droplets=1) if kind == RESUME else running(cloud, slug, droplets=1)


def judge_deployments(runs: Sequence[DeploymentRun], cloud: Cloud) -> list[str]:
    """A line for each untruth; none when every deployment fits its saga's end."""
    wrong = []
    for run in runs:
        found, wanted = ended(cloud, run.deployment), expected(run)
        if found not in wanted:
            wrong.append(f"{run.case}: {run.saga.status} {run.saga.error}: {found}, not {wanted}")
        if found.subscriptions and found.state in {"cancelled", "archived"}:
            wrong.append(f"{run.case}: {found.state} with a live subscription")
        may_fail = run.case.kind == OFFBOARD and not found.droplets
        if run.saga.compensation_failures and not may_fail:
            wrong.append(f"{run.case}: {run.saga.compensation_failures} compensations failed")
    return wrong


def expected(run: DeploymentRun) -> list[Ended]:
    """Return how the deployment may be."""
    slug, done = run.deployment.slug, run.saga.status == "completed"
    on, off = [(f"{slug}-1", "active", IMAGE)], [(f"{slug}-1", "off", IMAGE)]
    as_it_was = Ended("active", ["active"], on, [], 1, 0, 0)
    if run.case.kind == PROVISION:
        droplets = [(f"{slug}-db", "active", IMAGE), (f"{slug}-web", "active", IMAGE)]
        made = Ended("active", ["active"], droplets, [(f"{slug}-data", True)], 1, 1, 0)
        return [made] if done else [Ended("paused", ["paused"], [], [], 0, 0, 0)]
    if run.case.kind == SUSPEND:
        return [Ended("suspended", ["active"], off, [], 1, 0, 0)] if done else [as_it_was]
    if run.case.kind == RESUME:
        return [as_it_was] if done else [Ended("suspended", ["active"], off, [], 1, 0, 0)]
    if run.case.kind == UPDATE:
        new = [(f"{slug}-1", "active", NEW_IMAGE)]
        return [Ended("active", ["active"], new, [], 1, 0, 1)] if done else [as_it_was]
    archived = Ended("archived", [], [], [], 0, 0, 1)
    if done:
        return [archived]
    # Turned back before the destruction, or after it: then it is cancelled at least.
    return [as_it_was, Ended("cancelled", [], [], [], 0, 0, 1), archived]
